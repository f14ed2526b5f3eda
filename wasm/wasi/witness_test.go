package wasi

import (
	"context"
	"reflect"
	"testing"
	"time"

	"greentic.dev/wasm/canon"
)

// notes is a Witness that tells what it was given to tell, and else keeps what it sees.
type notes struct {
	wall      int64
	monotonic uint64
	polls     [][]uint32
	seen      []any
}

func (n *notes) Wall(now int64) int64 {
	n.seen = append(n.seen, now)
	return n.wall
}

func (n *notes) Monotonic(now uint64) uint64 {
	n.seen = append(n.seen, now)
	return n.monotonic
}

func (n *notes) Foretell() ([]uint32, bool) {
	if len(n.polls) == 0 {
		return nil, false
	}
	next := n.polls[0]
	n.polls = n.polls[1:]
	return next, true
}

func (n *notes) Polled(ready []any) { n.seen = append(n.seen, ready) }

func TestAWitnessSeesAndSaysTheTime(t *testing.T) {
	n := &notes{wall: 3e9 + 4, monotonic: 77}
	w := newWorld(t, Config{Witness: n, Clock: func() time.Time { return time.Unix(1, 2) }, Monotonic: func() time.Duration { return 5 }})
	if got := w.call("clocks/wall-clock now").(canon.Record); got.Get("seconds") != uint64(3) || got.Get("nanoseconds") != uint32(4) {
		t.Errorf("%v", got)
	}
	if got := w.call("clocks/monotonic-clock now"); got != uint64(77) {
		t.Errorf("%v", got)
	}
	if want := []any{int64(1e9 + 2), uint64(5)}; !reflect.DeepEqual(n.seen, want) {
		t.Errorf("saw %v", n.seen)
	}
}

// TestAWitnessForetellsPolls: moments it names are over, and what it does not name is not ready.
func TestAWitnessForetellsPolls(t *testing.T) {
	now := time.Duration(100)
	n := &notes{}
	w := newWorld(t, Config{Witness: n, Monotonic: func() time.Duration { return now }, Sleep: func(context.Context, time.Duration) error {
		t.Error("it slept")
		return nil
	}})
	past, future := w.call("clocks/monotonic-clock subscribe-instant", uint64(1)), w.call("clocks/monotonic-clock subscribe-instant", uint64(1e9))
	both := []any{past, future}
	if got := w.call("io/poll poll", both); !reflect.DeepEqual(got, []any{uint32(0)}) {
		t.Errorf("%v", got)
	}
	if w.call("io/poll [method]pollable.ready", future) != false {
		t.Error("the future is now")
	}
	if want := []any{[]any{uint32(0)}, []any(nil)}; !reflect.DeepEqual(n.seen, want) {
		t.Errorf("saw %v", n.seen)
	}
	n.polls = [][]uint32{{1}, {0}, {}, {9}}
	if got := w.call("io/poll poll", both); !reflect.DeepEqual(got, []any{uint32(1)}) {
		t.Errorf("foretold: %v", got)
	}
	if w.call("io/poll [method]pollable.ready", future) != true || w.call("io/poll [method]pollable.ready", past) != false {
		t.Error("what was foretold did not come")
	}
	if got := w.call("io/poll poll", both); !reflect.DeepEqual(got, []any{uint32(0)}) {
		t.Errorf("an index that is not there: %v", got)
	}
}

// TestBirthsOfOneOriginAreTheSame: also beside a chosen clock and chosen randomness of the call.
func TestBirthsOfOneOriginAreTheSame(t *testing.T) {
	see := func(o Origin) []any {
		w, spoilt := born(t, Config{Origin: o, Random: &fixedRandom{}, Monotonic: func() time.Duration { return 1 }, Clock: time.Now})
		got := []any{w.call("random/random get-random-u64"), w.call("random/insecure-seed insecure-seed"), w.call("random/insecure get-insecure-random-u64"),
			w.call("clocks/wall-clock now"), w.call("clocks/monotonic-clock now")}
		if why := spoilt(); why != "" {
			t.Error(why)
		}
		return got
	}
	one, two := Origin{Seed: [32]byte{1}, Time: 5}, Origin{Seed: [32]byte{2}, Time: 5}
	if !reflect.DeepEqual(see(one), see(one)) {
		t.Error("births of one origin differ")
	}
	if a, b := see(one), see(two); a[0] == b[0] || reflect.DeepEqual(a[1], b[1]) {
		t.Errorf("births of two origins: %v %v", a, b)
	}
	if Birth(Config{Origin: one}).Key == Birth(Config{Origin: two}).Key {
		t.Error("two origins share an image")
	}
	if Birth(Config{Random: &fixedRandom{}}) != nil {
		t.Error("chosen randomness without an origin has an image")
	}
}

// fixedRandom is a source of the call, which a birth must not touch.
type fixedRandom struct{}

func (*fixedRandom) Read([]byte) (int, error) { panic("a birth drew from the call's randomness") }

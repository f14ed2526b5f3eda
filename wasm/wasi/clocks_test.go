package wasi

import (
	"bytes"
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
)

func TestAPollWakesAtTheFirstTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Config{})
		start := time.Now()
		list := []any{}
		for _, d := range []time.Duration{time.Hour, time.Second, time.Minute, time.Second} {
			list = append(list, w.call("clocks/monotonic-clock subscribe-duration", uint64(d)))
		}
		if got := w.call("io/poll [method]pollable.ready", list[1]); got != false {
			t.Error("a timer is ready before its time")
		}
		if got := w.call("io/poll poll", list); !reflect.DeepEqual(got, []any{uint32(1), uint32(3)}) {
			t.Errorf("ready: %v", got)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("slept %v", d)
		}
		w.call("io/poll [method]pollable.block", list[2])
		if d := time.Since(start); d != time.Minute {
			t.Errorf("block returned after %v", d)
		}
		if got := w.call("io/poll [method]pollable.ready", list[2]); got != true {
			t.Error("a timer is not ready at its time")
		}
	})
}

func TestASleepingGuestEndsWithItsContext(t *testing.T) {
	for name, d := range map[string]uint64{"an hour": uint64(time.Hour), "for ever": math.MaxUint64} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Config{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				w.ctx = ctx
				p := w.call("clocks/monotonic-clock subscribe-duration", d)
				for _, wait := range []func() (any, error){
					func() (any, error) { return w.try("io/poll poll", []any{p}) },
					func() (any, error) { return w.try("io/poll [method]pollable.block", p) },
				} {
					if _, err := wait(); fault.KindOf(err) != fault.Timeout {
						t.Errorf("got %v", err)
					}
				}
				if d := time.Since(time.Now()); d > time.Second {
					t.Errorf("woke after %v", d)
				}
			})
		})
	}
}

func TestAnEmptyPollTraps(t *testing.T) {
	if _, err := newWorld(t, Config{}).try("io/poll poll", []any{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestStreamsAreAlwaysReady(t *testing.T) {
	w := newWorld(t, Config{})
	list := []any{
		w.call("clocks/monotonic-clock subscribe-instant", uint64(math.MaxUint64)),
		w.call("io/streams [method]output-stream.subscribe", own(stdout)),
		w.call("io/streams [method]input-stream.subscribe", own(stdin)),
	}
	if got := w.call("io/poll poll", list); !reflect.DeepEqual(got, []any{uint32(1), uint32(2)}) {
		t.Errorf("ready: %v", got)
	}
}

func TestAReplayedSleepNeedsNoTime(t *testing.T) {
	slept := time.Duration(0)
	w := newWorld(t, Config{
		Monotonic: func() time.Duration { return 5 },
		Sleep:     func(_ context.Context, d time.Duration) error { slept += d; return nil },
	})
	p := w.call("clocks/monotonic-clock subscribe-duration", uint64(time.Hour))
	if got := w.call("io/poll poll", []any{p}); !reflect.DeepEqual(got, []any{uint32(0)}) || slept != time.Hour {
		t.Errorf("ready %v after %v", got, slept)
	}
}

func TestTheWallClockIsTheInjectedOne(t *testing.T) {
	for _, c := range []struct {
		at      time.Time
		seconds uint64
		nanos   uint32
	}{
		{time.Unix(1_700_000_000, 42), 1_700_000_000, 42},
		{time.Unix(-5, 7), 0, 0},
	} {
		w := newWorld(t, Config{Clock: func() time.Time { return c.at }})
		r := w.call("clocks/wall-clock now").(canon.Record)
		if r.Get("seconds") != c.seconds || r.Get("nanoseconds") != c.nanos {
			t.Errorf("%v reads as %v", c.at, r)
		}
	}
}

func TestRandomnessIsTheInjectedOneAndBounded(t *testing.T) {
	w := newWorld(t, Config{Random: bytes.NewReader([]byte{1, 0, 0, 0, 0, 0, 0, 0, 9, 9}), InsecureSeed: [2]uint64{3, 4}})
	if got := w.call("random/random get-random-u64"); got != uint64(1) {
		t.Errorf("got %v", got)
	}
	if got := w.call("random/random get-random-bytes", uint64(2)); !reflect.DeepEqual(got, []byte{9, 9}) {
		t.Errorf("got %v", got)
	}
	if _, err := w.try("random/random get-random-bytes", uint64(1)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an exhausted source gives %v", err)
	}
	if got := w.call("random/insecure-seed insecure-seed"); !reflect.DeepEqual(got, []any{uint64(3), uint64(4)}) {
		t.Errorf("got %v", got)
	}
	for _, f := range []string{"random/random get-random-bytes", "random/insecure get-insecure-random-bytes"} {
		if _, err := w.try(f, uint64(math.MaxUint64)); fault.KindOf(err) != fault.Exhausted {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestInsecureRandomnessRepeatsWithItsSeed(t *testing.T) {
	draw := func() any {
		w := newWorld(t, Config{InsecureSeed: [2]uint64{1, 2}})
		return []any{w.call("random/insecure get-insecure-random-u64"), w.call("random/insecure get-insecure-random-bytes", uint64(40))}
	}
	if a, b := draw(), draw(); !reflect.DeepEqual(a, b) {
		t.Errorf("%v and %v", a, b)
	}
	w := newWorld(t, Config{})
	if a, b := w.call("random/insecure-seed insecure-seed"), w.call("random/insecure-seed insecure-seed"); !reflect.DeepEqual(a, b) {
		t.Errorf("the seed changed from %v to %v", a, b)
	}
}

func TestExitIsATrapThatCarriesItsCode(t *testing.T) {
	w := newWorld(t, Config{})
	for _, c := range []struct {
		name string
		arg  any
		code uint8
	}{
		{"cli/exit exit", canon.OK(nil), 0},
		{"cli/exit exit", canon.Err(nil), 1},
		{"cli/exit exit-with-code", uint8(42), 42},
	} {
		_, err := w.try(c.name, c.arg)
		var exit *ExitError
		if !errors.As(err, &exit) || exit.Code != c.code || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s %v: %v", c.name, c.arg, err)
		}
	}
}

func TestArgumentsAndEnvironmentAreTheConfiguredOnes(t *testing.T) {
	w := newWorld(t, Config{Args: []string{"a", "b"}, Env: [][2]string{{"K", "v"}}, Files: tree()})
	if got := w.call("cli/environment get-arguments"); !reflect.DeepEqual(got, []any{"a", "b"}) {
		t.Errorf("arguments %v", got)
	}
	if got := w.call("cli/environment get-environment"); !reflect.DeepEqual(got, []any{[]any{"K", "v"}}) {
		t.Errorf("environment %v", got)
	}
	if got := w.call("cli/environment initial-cwd"); got != any(canon.Some("/")) {
		t.Errorf("initial-cwd %v", got)
	}
	for _, s := range []string{"stdin", "stdout", "stderr"} {
		if got := w.call("cli/terminal-" + s + " get-terminal-" + s); got != any(canon.Option{}) {
			t.Errorf("terminal %s: %v", s, got)
		}
	}
}

func TestSocketsAreDenied(t *testing.T) {
	w := newWorld(t, Config{})
	net := w.call("sockets/instance-network instance-network")
	for name, args := range map[string][]any{
		"sockets/tcp-create-socket create-tcp-socket": {enum("ipv4")},
		"sockets/udp-create-socket create-udp-socket": {enum("ipv6")},
		"sockets/ip-name-lookup resolve-addresses":    {net, "example.com"},
	} {
		if got := failure(t, w.call(name, args...)); got != "access-denied" {
			t.Errorf("%s gives %s", name, got)
		}
	}
	if _, err := w.try("sockets/tcp [method]tcp-socket.start-connect", own("forged"), net); fault.KindOf(err) != fault.Denied {
		t.Errorf("a method on a forged socket gives %v", err)
	}
}

func TestOnlyStatelessHandlesMayLiveInAnImage(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	root := w.call("filesystem/preopens get-directories").([]any)[0].([]any)[0].(canon.Handle)
	for _, h := range []any{root, w.call("cli/stdout get-stdout"), w.call("clocks/monotonic-clock subscribe-duration", uint64(1))} {
		if !Fixed(h.(canon.Handle).Rep) {
			t.Errorf("%#v is not fixed", h)
		}
	}
	listing := ok[canon.Handle](t, w.call("filesystem/types [method]descriptor.read-directory", root))
	if Fixed(listing.Rep) {
		t.Error("a listing is fixed")
	}
}

// bell is the source of an event.
type bell struct{ rung bool }

func (b *bell) Ready() bool { return b.rung }

func TestAnEventCutsASleepShort(t *testing.T) {
	slept := 0
	b := &bell{}
	var w *world
	w = newWorld(t, Config{Monotonic: func() time.Duration { return 5 }, Sleep: func(ctx context.Context, _ time.Duration) error {
		if slept++; slept == 1 {
			return nil // the time of a replay
		}
		w.state.Wire().Change(func() { b.rung = true })
		<-ctx.Done()
		return ctx.Err()
	}})
	list := []any{w.call("clocks/monotonic-clock subscribe-duration", uint64(time.Hour)), own(Event{b})}
	for i, want := range []uint32{0, 1, 1} {
		if got := w.call("io/poll poll", list); !reflect.DeepEqual(got, []any{want}) {
			t.Errorf("ready the %d. time: %v", i+1, got)
		}
	}
	if slept != 2 {
		t.Errorf("slept %d times", slept)
	}
}

func TestAnEventThatNeverComesEndsWithTheContext(t *testing.T) {
	w, best := newWorld(t, Config{}), time.Hour
	for range 5 { // a busy machine is no failure
		ctx, cancel := context.WithCancel(t.Context())
		w.ctx = ctx
		var canceled time.Time
		time.AfterFunc(10*time.Millisecond, func() { canceled = time.Now(); cancel() })
		_, err := w.try("io/poll [method]pollable.block", own(Event{&bell{}}))
		best = min(best, time.Since(canceled))
		if !fault.Is(err, fault.Canceled) {
			t.Fatal(err)
		}
	}
	if best > 50*time.Millisecond {
		t.Errorf("woke %v after the context ended at best", best)
	}
}

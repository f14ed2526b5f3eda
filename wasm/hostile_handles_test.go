package wasm_test

import (
	"bytes"
	"context"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// boxes offers what the guest "handles" imports.
func boxes() *wasm.Hosts { return boxesOf(&shelf{}) }

// shelf counts boxes that are not destroyed.
type shelf struct{ alive int }

func boxesOf(s *shelf) *wasm.Hosts {
	h := &wasm.Hosts{}
	h.Add(&wasm.Interface{Name: "", Funcs: map[string]wasm.HostFunc{
		"[constructor]box": func(context.Context, *wasm.Call, []any) (any, error) { s.alive++; return wasm.Handle{Rep: s}, nil },
		"[method]box.look": func(context.Context, *wasm.Call, []any) (any, error) { return uint32(1), nil },
		"two": func(context.Context, *wasm.Call, []any) (any, error) {
			s.alive += 2
			return []any{wasm.Handle{Rep: s}, wasm.Handle{Rep: s}}, nil
		},
		"swap": nothing,
	}, Resources: map[string]func(context.Context, *wasm.Call, any){
		"box": func(context.Context, *wasm.Call, any) { s.alive-- },
	}})
	return h
}

// eachHandle runs functions of the guest "handles" that end in the same way; no box outlives
// its invocation.
func eachHandle(t *testing.T, like attack, calls map[string][]any) {
	t.Helper()
	for fn, args := range calls {
		t.Run(fn, func(t *testing.T) {
			s := &shelf{}
			a := like
			a.guest, a.hosts, a.fn, a.args = "handles", boxesOf(s), fn, args
			a.after = func(t *testing.T) {
				if s.alive != 0 {
					t.Errorf("%d boxes are alive", s.alive)
				}
			}
			survive(t, a)
		})
	}
}

func abused(says string) attack { return attack{kind: fault.Invalid, code: abuse, says: says} }

func TestHostileForgedHandles(t *testing.T) {
	for _, h := range []uint32{0, 1, 77, 1<<28 - 1, 1<<32 - 1} {
		args := []any{h}
		eachHandle(t, abused("does not exist"), map[string][]any{"forge-drop": args, "forge-look": args, "forge-rep": args, "forge-result": args})
	}
}

func TestHostileDoubleDroppedHandles(t *testing.T) {
	eachHandle(t, abused("does not exist"), map[string][]any{"twice": nil, "box-twice": nil, "use-after-drop": nil})
}

func TestHostileForeignHandlesOfAnotherResource(t *testing.T) {
	eachHandle(t, abused("is a "), map[string][]any{"other-type": nil, "other-type-box": nil, "box-as-mine": nil})
}

// The same number means nothing in the table of another component.
func TestHostileForeignHandlesOfAnotherComponent(t *testing.T) {
	eachHandle(t, abused("does not exist"), map[string][]any{"other-component": nil})
}

func TestHostileForeignHandlesFromTheEmbedder(t *testing.T) {
	c := &counters{}
	e := engine(t)
	host := bind(t, load(t, e, "host-resource"), c.hosts("test:host/counters@1.2.0"))
	thing := must(t, bind(t, load(t, e, "composed"), nil), "test:composed/maker@1.0.0", "[constructor]thing", uint32(1))
	if _, err := call(host, "", "take", thing); !fault.Is(err, fault.Invalid) {
		t.Errorf("a resource of another component: %v", err)
	}
}

func TestHostileHandlesThatAreLentAndGivenAway(t *testing.T) {
	eachHandle(t, abused("handle"), map[string][]any{"give-and-lend": nil})
}

// What is given to somebody who cannot take it is destroyed, not lost.
func TestHostileHandlesThatDoNotArrive(t *testing.T) {
	few := attack{kind: fault.Exhausted, says: "too many open handles", limits: wasm.Limits{Handles: 10}}
	eachHandle(t, few, map[string][]any{"two-too-many": {uint32(9)}, "give-two": {uint32(9)}})
	calls := attack{kind: fault.Exhausted, says: "host calls", limits: wasm.Limits{HostCalls: 5}}
	eachHandle(t, calls, map[string][]any{"hoard-boxes": {uint32(9)}})
	eachHandle(t, attack{kind: fault.Invalid, code: trapped, says: "unreachable"}, map[string][]any{"give-then-trap": nil})
}

func TestHostileLeakedHandles(t *testing.T) {
	eachHandle(t, attack{well: true}, map[string][]any{"hoard": {uint32(9000)}, "hoard-boxes": {uint32(9000)}})
}

func TestHostileMillionOpenHandles(t *testing.T) {
	million := uint32(1_000_000)
	if testing.Short() {
		million = 100_000
	}
	full := attack{kind: fault.Exhausted, says: "too many open handles"}
	eachHandle(t, full, map[string][]any{"hoard": {million}, "hoard-boxes": {million}, "hoard-and-drop": {million}, "hoard-for-ever": nil})
	large := wasm.Limits{Handles: 2_000_000, HostCalls: 2_000_000, Memory: 128 << 20}
	eachHandle(t, attack{well: true, limits: large}, map[string][]any{"hoard": {million}, "hoard-boxes": {million}, "hoard-and-drop": {million}})
}

func TestHostileHandlesMadeWithoutEnd(t *testing.T) {
	eachHandle(t, attack{endless: true}, map[string][]any{"churn-for-ever": nil})
}

func TestHostileDestructorsThatTrapOrLoop(t *testing.T) {
	eachHandle(t, attack{kind: fault.Invalid, code: trapped, says: "unreachable"}, map[string][]any{"destroy": {uint32(1)}})
	eachHandle(t, attack{endless: true}, map[string][]any{"destroy": {uint32(2)}})
}

func TestHostileGuestThatSleepsInAPoll(t *testing.T) {
	for _, fn := range []string{"block", "poll", "nap"} {
		t.Run(fn, func(t *testing.T) {
			survive(t, attack{guest: "wasi", fn: fn, endless: true, limits: wasm.Limits{HostCalls: 1 << 60}})
		})
	}
}

func TestHostilePollOfOneHandleManyTimes(t *testing.T) {
	survive(t, attack{guest: "wasi", fn: "poll-many", args: []any{uint32(100_000)}, limits: wasm.Limits{Payload: 16 << 20}, well: true})
	survive(t, attack{guest: "wasi", fn: "poll-many", args: []any{uint32(100_000)}, limits: wasm.Limits{Payload: 1 << 20}, kind: fault.Exhausted, says: "payload budget"})
}

// Output past its limit is not taken; the guest sees a closed stream.
func TestHostileOutputFloodOnStdout(t *testing.T) {
	var out bytes.Buffer
	world := func() wasi.Config { out.Reset(); return wasi.Config{Stdout: &out} }
	for _, limit := range []int{0, 100_000} {
		want := limit
		if want == 0 {
			want = 1 << 20
		}
		survive(t, attack{guest: "wasi", fn: "flood", args: []any{uint32(100)}, world: world, limits: wasm.Limits{Output: limit}, well: true,
			check: func(t *testing.T, v any, _ wasm.Stats) {
				if out.Len() != want || v == uint32(0) {
					t.Errorf("%d bytes came out, %v writes failed", out.Len(), v)
				}
			}})
	}
	survive(t, attack{guest: "wasi", fn: "flood", args: []any{uint32(100_000)}, kind: fault.Exhausted, says: "payload budget"})
	survive(t, attack{guest: "wasi", fn: "write-at-once", kind: fault.Invalid, says: "more than permitted"})
	survive(t, attack{guest: "wasi", fn: "flood-for-ever", limits: wasm.Limits{HostCalls: 1 << 60}, endless: true})
}

func TestHostileHungerForRandomness(t *testing.T) {
	survive(t, attack{guest: "wasi", fn: "random", args: []any{uint64(1<<64 - 1)}, kind: fault.Exhausted, says: "the limit is"})
	survive(t, attack{guest: "wasi", fn: "random", args: []any{uint64(1 << 20)}, well: true})
}

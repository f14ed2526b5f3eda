package wasm_test

import (
	"context"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// eachCode runs functions of the guest "code" that end in the same way.
func eachCode(t *testing.T, like attack, calls map[string][]any) {
	t.Helper()
	for fn, args := range calls {
		t.Run(fn, func(t *testing.T) {
			a := like
			a.guest, a.fn, a.args = "code", fn, args
			if a.hosts == nil {
				a.hosts = hostileHosts(nothing)
			}
			survive(t, a)
		})
	}
}

func TestHostileOutOfBoundsAccess(t *testing.T) {
	far := []any{uint32(1<<32 - 4)}
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "out of bounds memory access"},
		map[string][]any{"load": far, "store": {uint32(0)}, "fill": far, "copy": far})
}

func TestHostileDivisionByZero(t *testing.T) {
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "integer divide by zero"},
		map[string][]any{"divide": {int32(0)}, "remainder": {uint32(0)}})
}

func TestHostileArithmeticWithoutAResult(t *testing.T) {
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "integer overflow"}, map[string][]any{"divide": {int32(-1)}})
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "invalid conversion to integer"}, map[string][]any{"convert": nil})
}

func TestHostileUnreachable(t *testing.T) {
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "unreachable"}, map[string][]any{"unreachable": nil})
}

func TestHostileCallsThroughATable(t *testing.T) {
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "invalid table access"}, map[string][]any{"null": nil, "past-table": nil})
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "indirect call type mismatch"}, map[string][]any{"mistyped": nil})
}

func TestHostileUnboundedRecursion(t *testing.T) {
	eachCode(t, attack{kind: fault.Exhausted, says: "nested too deeply"}, map[string][]any{"dive": nil, "round": nil, "ping": {uint32(1)}})
}

// Frames so large that the engine's own stack ends before the count of calls does.
func TestHostileRecursionWithLargeFrames(t *testing.T) {
	survive(t, attack{guest: "frames", fn: "dive", args: []any{uint32(1)}, kind: fault.Exhausted, says: "nested too deeply", limits: wasm.Limits{Memory: 128 << 20}})
}

func TestHostileInfiniteLoop(t *testing.T) {
	eachCode(t, attack{endless: true}, map[string][]any{"spin": nil, "spin-quietly": nil, "spin-filling": nil, "spin-calling": nil, "spin-tail-calling": nil})
}

func TestHostileMemoryHogAtALimit(t *testing.T) {
	within := func(t *testing.T, v any, s wasm.Stats) {
		if pages, ok := v.(uint32); !ok || pages < 16<<4-1 || s.PeakMemory < 16<<20-1<<16 { // the table counts too
			t.Errorf("it got %v pages, %d bytes", v, s.PeakMemory)
		}
	}
	eachCode(t, attack{well: true, check: within, limits: wasm.Limits{Memory: 16 << 20}}, map[string][]any{"hog": nil})
	refused := func(t *testing.T, v any, _ wasm.Stats) {
		if v != uint32(1<<32-1) {
			t.Errorf("it got %v", v)
		}
	}
	eachCode(t, attack{well: true, check: refused}, map[string][]any{"hog-at-once": nil})
}

func TestHostileBlockedHostCall(t *testing.T) {
	eachCode(t, attack{endless: true, hosts: hostileHosts(func(ctx context.Context, _ *wasm.Call, _ []any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})}, map[string][]any{"wait": nil})
}

func TestHostileHostCallFlood(t *testing.T) {
	eachCode(t, attack{kind: fault.Exhausted, says: "more than 100000 host calls"}, map[string][]any{"flood": nil})
	eachCode(t, attack{endless: true, limits: wasm.Limits{HostCalls: 1 << 60}}, map[string][]any{"flood": nil})
}

func TestHostileAPanickingHostFunctionEndsOneInvocation(t *testing.T) {
	eachCode(t, attack{kind: fault.Internal, says: "defect", hosts: hostileHosts(func(context.Context, *wasm.Call, []any) (any, error) {
		panic("defect")
	})}, map[string][]any{"wait": nil})
}

// What a guest makes of its own stack pointer, globals and memory is gone with its call.
func TestHostileGuestThatSpoilsItself(t *testing.T) {
	eachCode(t, attack{well: true}, map[string][]any{"spoil": nil})
	eachCode(t, attack{kind: fault.Invalid, code: trapped, says: "unreachable"}, map[string][]any{"spoil-and-trap": nil})
}

func TestHostileInitialMemoryAboveTheLimit(t *testing.T) {
	survive(t, attack{guest: "memories", fn: "fresh", unborn: true, kind: fault.Exhausted, says: "bytes to begin with", limits: wasm.Limits{Memory: 1 << 20}})
}

// Three modules of 4 MiB each fit into 12 MiB and not into less; what one grows by, the others
// lose.
func TestHostileMemoriesOfSeveralModulesAreSummed(t *testing.T) {
	survive(t, attack{guest: "memories", fn: "fresh", unborn: true, kind: fault.Exhausted, says: "bytes to begin with", limits: wasm.Limits{Memory: 12<<20 - 1}})
	survive(t, attack{guest: "memories", fn: "hog", well: true, limits: wasm.Limits{Memory: 20 << 20}, check: func(t *testing.T, v any, s wasm.Stats) {
		if v != uint32(20<<4) || s.PeakMemory > 20<<20 {
			t.Errorf("together they got %v pages, %d bytes", v, s.PeakMemory)
		}
	}})
}

func TestHostileTablesAreSummed(t *testing.T) {
	survive(t, attack{guest: "tables", fn: "fresh", unborn: true, kind: fault.Exhausted, says: "guest tables", limits: wasm.Limits{Memory: 4 << 20}})
	survive(t, attack{guest: "tables", fn: "grow", well: true, limits: wasm.Limits{Memory: 64 << 20}})
}

func TestHostileStartFunctionThatLoops(t *testing.T) {
	survive(t, attack{bytes: linked(t, "start-loops"), fn: "f", endless: true, unborn: true})
}

func TestHostileStartFunctionThatTraps(t *testing.T) {
	survive(t, attack{guest: "start-traps", fn: "fresh", kind: fault.Invalid, code: trapped, says: "unreachable", unborn: true})
}

func TestHostileStartFunctionThatFloodsTheHost(t *testing.T) {
	survive(t, attack{guest: "start-floods", fn: "fresh", hosts: hostileHosts(nothing), kind: fault.Exhausted, says: "host calls", unborn: true})
	survive(t, attack{guest: "start-floods", fn: "fresh", hosts: hostileHosts(nothing), limits: wasm.Limits{HostCalls: 1 << 60}, endless: true, unborn: true})
}

func TestHostileStartFunctionThatHogsMemory(t *testing.T) {
	survive(t, attack{guest: "start-hogs", fn: "fresh", well: true, check: func(t *testing.T, _ any, s wasm.Stats) {
		if s.PeakMemory > 16<<20 {
			t.Errorf("%d bytes", s.PeakMemory)
		}
	}})
}

// A component instance cannot be entered while it is being called.
func TestHostileReentrance(t *testing.T) {
	survive(t, attack{bytes: linked(t, "reenter"), fn: "run", kind: fault.Invalid, code: trapped, says: "cannot enter", unborn: true})
}

// Dives that go through the host at each level: by destructors that drop what they make, and
// by components that call the next after a dive of their own.
func TestHostileRecursionThroughTheHost(t *testing.T) {
	survive(t, attack{guest: "handles", hosts: boxes(), fn: "destroy", args: []any{uint32(3)}, kind: fault.Exhausted, says: "nested too deeply"})
}

func TestHostileChainOfComponentsThatEachDive(t *testing.T) {
	survive(t, attack{guest: "chain", fn: "dive", args: []any{uint32(9_000)}, limits: wasm.Limits{Memory: 128 << 20}, kind: fault.Exhausted, says: "nested too deeply"})
}

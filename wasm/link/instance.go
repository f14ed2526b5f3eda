package link

import (
	"context"
	"errors"
	"time"

	"github.com/tetratelabs/wazero/api"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/plan"
)

// instance is one live copy of a component: its core modules with their memories, and per
// component instance a handle table and its entry flags. It is also the context of every call
// into wasm, so that host functions find it by type assertion. It serves one goroutine.
type instance struct {
	context.Context // deadline and cancellation of the invocation

	bound   *Bound // nil while it is kept
	cores   []*core.Instance
	budget  *core.Budget
	state   []componentState
	options []canon.Options
	entries []entryPoint
	spare   []*canon.Env // of calls that have returned
	waiting []core.Stack // of functions that are being called, outermost first

	owner string
	key   imageKey
	image *image    // what it was restored from; nil: it is fresh and will not be kept
	since time.Time // when it was last used

	starting  bool // an image will be made of it
	resuming  bool // it will be put into an image, so it does not start
	meter     meter
	call      *Call
	payload   int
	hostCalls int
	limits    Limits
	cause     error // the first failure inside a host function
}

// componentState is the dynamic state of one component instance.
type componentState struct {
	handles *canon.Table
	inside  bool // spec: not may_enter
	stay    bool // spec: not may_leave
}

// entryPoint is a core function that the host calls.
type entryPoint struct {
	fn    api.Function
	stack core.Stack
	busy  bool
}

// instanceKey finds the instance behind contexts that wrap it (core start functions).
type instanceKey struct{}

// Value finds the instance itself below any wrapping context.
func (in *instance) Value(key any) any {
	switch key.(type) {
	case instanceKey, core.MeterKey:
		return in
	}
	return in.Context.Value(key)
}

func instanceOf(ctx context.Context) *instance {
	if in, ok := ctx.(*instance); ok {
		return in
	}
	return ctx.Value(instanceKey{}).(*instance)
}

// Deadline is that of the invocation.
func (in *instance) Deadline() (time.Time, bool) { return in.Context.Deadline() }

// newInstance makes the tables and options of an instance; start makes its core modules.
func newInstance(ctx context.Context, b *Bound, lim Limits) *instance {
	p := b.program.plan
	in := &instance{
		Context: ctx, bound: b, limits: lim, payload: lim.Payload,
		budget:  &core.Budget{Limit: lim.Memory},
		cores:   make([]*core.Instance, 0, len(p.Cores)),
		state:   make([]componentState, len(p.Parents)),
		options: make([]canon.Options, len(p.Options)),
		entries: make([]entryPoint, len(p.Entries)),
	}
	for i := range in.state {
		in.state[i].handles = canon.NewTable(lim.Handles)
	}
	for r, info := range p.Resources {
		in.state[info.Instance].handles.Define(r)
	}
	for i := range p.Options {
		in.options[i] = in.bindOptions(&p.Options[i])
	}
	return in
}

func (in *instance) bindOptions(o *plan.CanonOptions) canon.Options {
	out := canon.Options{Encoding: o.Encoding}
	if o.Memory != nil {
		var mem api.Memory
		out.Memory = func() []byte {
			if mem == nil {
				mem = in.cores[o.Memory.Core].Module().ExportedMemory(o.Memory.Name)
			}
			b, _ := mem.Read(0, mem.Size())
			return b
		}
	}
	if o.Realloc >= 0 {
		out.Realloc = func(_ context.Context, old, oldSize, align, size uint32) (uint32, error) {
			stack := [4]uint64{uint64(old), uint64(oldSize), uint64(align), uint64(size)}
			err := in.confined(o.Instance, func() error { return in.enterCore(o.Realloc, stack[:]) })
			return uint32(stack[0]), err
		}
	}
	return out
}

// confined runs f while the component instance may not call out.
func (in *instance) confined(component int, f func() error) error {
	s := &in.state[component]
	was := s.stay
	s.stay = true
	err := f()
	s.stay = was
	return err
}

// enterCore calls a core function of the plan; stack holds its arguments and takes its results.
func (in *instance) enterCore(entry int, stack []uint64) error {
	item := &in.bound.program.plan.Entries[entry]
	if item.Core < 0 {
		return in.serve(item.Made, stack)
	}
	if err := in.Err(); err != nil {
		return stopped(in.Context)
	}
	if core.TooDeep(in.waiting) {
		return fault.New(fault.Exhausted, "", "calls are nested too deeply")
	}
	e := &in.entries[entry]
	fn, place := e.fn, e.stack
	if fn == nil || e.busy { // an api.Function is not re-entrant
		fn = in.cores[item.Core].Module().ExportedFunction(item.Name)
		if place = core.StackOf(fn); e.fn == nil {
			e.fn, e.stack = fn, place
		}
	}
	was := e.busy
	e.busy = true
	in.waiting = append(in.waiting, place)
	err := fn.CallWithStack(in, stack)
	last := len(in.waiting) - 1
	in.waiting[last], in.waiting = nil, in.waiting[:last]
	e.busy = was
	if err != nil {
		return in.trap(item.Name, err)
	}
	return nil
}

// invoke calls a component function from component instance caller, whose strings are encoded
// as from says, or from the embedder: -1 and nil.
func (in *instance) invoke(fn *plan.Function, caller int, from *canon.Encoding, args []any) (any, error) {
	if fn.Lift == nil {
		if caller < 0 {
			if err := in.mayCall(fn); err != nil {
				return nil, err
			}
		}
		return in.callHost(fn, args)
	}
	l := fn.Lift
	env := in.side(l.Options, l.Instance)
	env.From = from
	before := env.Handles.Len()
	var buf [16]uint64
	var stack []uint64
	err := in.enter(l.Instance, caller, true)
	if err == nil {
		stack, err = l.Sig.LowerArgs(env, args, buf[:0])
	}
	if err != nil {
		for i, p := range fn.Type.Params { // what the embedder passes stays its own
			if i < len(args) && caller >= 0 {
				before += in.forsake(p.Type, args[i], env.Handles.Len()-before)
			}
		}
		return nil, err
	}
	for len(stack) < l.Results {
		stack = append(stack, 0)
	}
	if err := in.enterCore(l.Entry, stack); err != nil {
		return nil, err
	}
	var ret [1]uint64
	copy(ret[:], stack)
	result, err := l.Sig.LiftResult(env, stack[:l.Results])
	if err == nil && l.PostReturn >= 0 {
		err = in.confined(l.Instance, func() error { return in.enterCore(l.PostReturn, ret[:]) })
	}
	if err != nil {
		in.forsake(fn.Type.Result, result, 0)
		return nil, err
	}
	in.spare = append(in.spare, env)
	return result, in.enter(l.Instance, caller, false)
}

// side is what one call needs of the component instance it goes into or comes out of. Whoever
// is done with it without an error puts it back to spare.
func (in *instance) side(options, component int) *canon.Env {
	n := len(in.spare) - 1
	if n < 0 {
		return &canon.Env{Ctx: in, Opt: &in.options[options], Handles: in.state[component].handles, Payload: &in.payload, Budget: in.limits.Payload}
	}
	env := in.spare[n]
	in.spare = in.spare[:n]
	env.From, env.Opt, env.Handles = nil, &in.options[options], in.state[component].handles
	return env
}

// enter marks the component instances that a call from caller to callee enters (or leaves):
// callee and its ancestors, less those the caller is inside of already.
func (in *instance) enter(callee, caller int, inside bool) error {
	parents := in.bound.program.plan.Parents
	for c := callee; c >= 0 && !encloses(parents, c, caller); c = parents[c] {
		if inside && in.state[c].inside {
			return violation("cannot enter a component instance that is being called already")
		}
		in.state[c].inside = inside
	}
	return nil
}

func encloses(parents []int, outer, inner int) bool {
	for ; inner >= 0; inner = parents[inner] {
		if inner == outer {
			return true
		}
	}
	return false
}

func violation(msg string) error {
	return &fault.Error{Kind: fault.Invalid, Msg: msg, Code: TrapCode}
}

func stopped(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.New(fault.Timeout, "", "the deadline passed")
	}
	return fault.New(fault.Canceled, "", "the caller gave up")
}

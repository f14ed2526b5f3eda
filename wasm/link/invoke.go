package link

import (
	"context"
	"time"

	"github.com/tetratelabs/wazero/api"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/plan"
)

// Limits bounds one invocation. Zero means no limit of ours.
type Limits struct {
	Memory    uint64 // bytes of linear memory of all core modules together
	Payload   int    // bytes that may move in and out, counted as package canon does
	Handles   int    // open handles per component instance
	HostCalls int
	Depth     int    // nested calls inside the guest
	Fuel      uint64 // points, see rewrite.Slice; starting the component included
}

// Request is one call of an exported function.
type Request struct {
	Interface string // exact name with version; empty for a function at world level
	Func      string
	Args      []any
	Data      any // for Call.Data
	System    any // for Call.System
	Limits    Limits

	// Owner is for whom the instance may be kept when the call has ended. An instance never
	// serves two owners. Empty, or without Birth: the instance is made anew and thrown away.
	Owner string
	Birth *Birth
}

// Stats is what an invocation used.
type Stats struct {
	Fuel       uint64 // points the guest passed: the same for the same work, on every machine
	HostCalls  int
	PeakMemory uint64 // bytes
	Kept       bool   // the instance began with an image instead of starting for this call
	Wall       time.Duration
	CPU        time.Duration // of the guest and of moving values, not of host functions that may wait; at most Wall when very many run at once
}

// Invoke calls one function in an instance that is as if it had just been made: made for this
// call, or kept for its owner and put back into its first state. It ends soon after ctx does:
// Timeout or Canceled. A trap of the guest is Invalid with code TrapCode and a
// *Trap as cause, a used-up limit Exhausted, an unknown function NotFound; failures of host
// functions keep their kind.
func (b *Bound) Invoke(ctx context.Context, r Request) (any, Stats, error) {
	start := time.Now()
	fn, err := b.program.plan.Find(r.Interface, r.Func)
	if err != nil {
		return nil, Stats{}, err
	}
	m := meter{pinned: &b.program.engine.Pinned}
	m.start()
	in := b.kept(ctx, &r, start)
	if in == nil {
		in = newInstance(ctx, b, r.Limits)
		in.call = &Call{Data: r.Data, System: r.System}
	}
	in.meter = m
	result, err := in.run(fn, r.Args)
	stats, leaked := in.end()
	if err == nil {
		err = in.Meter() // what it took since the end of the last slice counts too
	}
	if in.image == nil {
		in.free()
	} else if err != nil || leaked || !b.pool.put(in, start) {
		b.pool.discard(in)
	}
	stats.Wall = time.Since(start)
	if err != nil {
		return nil, stats, fault.Wrap("invoke "+plan.FuncName(r.Interface, r.Func), err)
	}
	return result, stats, nil
}

// run starts the core modules of a fresh instance and calls fn. Running code ends soon after the context does: it
// looks at it at its safe points.
func (in *instance) run(fn *plan.Function, args []any) (any, error) {
	if in.Err() != nil {
		return nil, stopped(in.Context)
	}
	if in.image == nil {
		if err := in.start(); err != nil {
			return nil, err
		}
	}
	return in.invoke(fn, -1, nil, args)
}

// start instantiates the core modules in order.
func (in *instance) start() error {
	program := in.bound.program
	resolve := func(module string) api.Module {
		if module == hostModule {
			return program.host
		}
		i, ok := coreNumber(module)
		if !ok || i >= len(in.cores) {
			return nil
		}
		return in.cores[i].Module()
	}
	for _, code := range program.codes {
		if in.Err() != nil { // there may be a thousand
			return stopped(in.Context)
		}
		c, err := instantiate(in, program.engine, code, core.InstanceOptions{
			Resolve: resolve, Memory: in.budget, Depth: in.limits.Depth, Resume: in.resuming})
		if err != nil {
			return in.trap("start", err)
		}
		in.cores = append(in.cores, c)
	}
	return nil
}

// instantiate turns a panic of the engine into an error: it panics when it is refused the
// initial memory of a module.
func instantiate(ctx context.Context, e *core.Engine, code *core.Code, opt core.InstanceOptions) (c *core.Instance, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "instantiate", "%v", p)
			if opt.Memory.Denied() {
				err = fault.New(fault.Exhausted, "instantiate", "initial memory is over the limit")
			}
		}
	}()
	return e.Instantiate(ctx, code, opt)
}

// end runs what is left to run and says what was used. A kept instance counts as if it had
// been started for this invocation.
func (in *instance) end() (s Stats, leaked bool) {
	leaked = in.release()
	in.meter.stop()
	return Stats{HostCalls: in.hostCalls, PeakMemory: in.budget.Peak(), Fuel: in.spent(), Kept: in.image != nil, CPU: in.meter.spent}, leaked
}

// free gives back the core modules with their memories.
func (in *instance) free() {
	for i := len(in.cores) - 1; i >= 0; i-- {
		_ = in.cores[i].Close(context.Background()) // nothing a caller could do about it
	}
}

package link

import (
	"context"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/plan"
)

// mayCall counts a call of a host function and says why it must not be made. It comes before
// arguments are lifted, because a function that is not called cannot own them.
func (in *instance) mayCall(fn *plan.Function) error {
	in.hostCalls++
	if in.limits.HostCalls > 0 && in.hostCalls > in.limits.HostCalls {
		return fault.Newf(fault.Exhausted, "", "more than %d host calls", in.limits.HostCalls)
	}
	if in.Err() != nil {
		return stopped(in.Context)
	}
	if in.starting && !in.bound.steady[fn.Host.Index] {
		return fault.New(fault.Denied, plan.FuncName(fn.Host.Iface, fn.Host.Name), "it is called while an image is made")
	}
	return nil
}

func (in *instance) callHost(fn *plan.Function, args []any) (any, error) {
	in.call.Type = fn.Type
	need := fn.Host.Index
	if !in.bound.quick[need] && in.meter.running {
		in.meter.stop()
		defer in.meter.start()
	}
	v, err := guarded(in.bound.impls[need], in.Context, in.call, args)
	if err != nil {
		if in.Err() != nil {
			return nil, stopped(in.Context)
		}
		return nil, fault.Wrap(plan.FuncName(fn.Host.Iface, fn.Host.Name), err)
	}
	return v, nil
}

// guarded turns a panic of a host function into an error: it is a defect of the host and must
// not look like a trap of the guest.
func guarded(f Func, ctx context.Context, call *Call, args []any) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "", "panic: %v", p)
		}
	}()
	return f(ctx, call, args)
}

// serve runs a function made by a canonical definition, called by a guest.
func (in *instance) serve(f *plan.HostFunc, stack []uint64) error {
	s := &in.state[f.Instance]
	if s.stay && (f.Op == binary.CanonLower || f.Op == binary.CanonResourceDrop) {
		return violation("cannot leave the component instance during realloc or post-return")
	}
	switch f.Op {
	case binary.CanonResourceNew:
		h, err := s.handles.New(f.Resource, uint32(stack[0]))
		stack[0] = uint64(h)
		return err
	case binary.CanonResourceRep:
		rep, err := s.handles.Rep(uint32(stack[0]), f.Resource)
		if err == nil {
			stack[0] = uint64(rep.(uint32))
		}
		return err
	case binary.CanonResourceDrop:
		e, err := s.handles.Drop(uint32(stack[0]), f.Resource)
		if err != nil || !e.Own {
			return err
		}
		return in.destroy(e, f.Instance)
	}
	if f.Fn.Lift == nil {
		if err := in.mayCall(f.Fn); err != nil {
			return err
		}
	}
	env := in.side(f.Options, f.Instance)
	args, err := f.Sig.LiftArgs(env, stack)
	if err != nil {
		return err
	}
	result, err := in.invoke(f.Fn, f.Instance, &env.Opt.Encoding, args)
	if err != nil {
		return err
	}
	if f.Fn.Lift != nil {
		env.From = &in.options[f.Fn.Lift.Options].Encoding
	}
	before := s.handles.Len()
	if err = f.Sig.LowerResult(env, result, stack); err != nil {
		in.forsake(f.Fn.Type.Result, result, s.handles.Len()-before)
		return err
	}
	in.spare = append(in.spare, env)
	return nil
}

// discard ends a host resource: by its own means or by the destructor of its interface.
func (in *instance) discard(r *binary.Resource, rep any) error {
	if d, ok := rep.(Dropper); ok {
		return d.Dropped()
	}
	if d := in.bound.destructors[r]; d != nil {
		d(context.WithoutCancel(in.Context), in.call, rep)
	}
	return nil
}

// forsake destroys the host resources that a value of type t gives away to somebody who did not
// get them: lowering it failed after the first taken of its handles had arrived. It says how
// many of those there were.
func (in *instance) forsake(t *binary.Type, v any, taken int) (found int) {
	canon.Owned(t, v, func(r *binary.Resource, rep any) {
		if found < taken {
			found++
		} else {
			_ = in.discard(r, rep) // the guest traps already
		}
	})
	return found
}

// destroy runs the destructor of a resource whose last handle is gone.
func (in *instance) destroy(e canon.Entry, caller int) error {
	info := in.bound.program.plan.Resources[e.Resource]
	if info == nil {
		return in.discard(e.Resource, e.Rep)
	}
	if info.Dtor < 0 {
		return nil
	}
	if err := in.enter(info.Instance, caller, true); err != nil {
		return err
	}
	stack := [1]uint64{uint64(e.Rep.(uint32))}
	if err := in.enterCore(info.Dtor, stack[:]); err != nil {
		return err
	}
	return in.enter(info.Instance, caller, false)
}

// release runs the destructors of host resources that the guest left open; leaked says that
// there were resources of this invocation among them.
func (in *instance) release() (leaked bool) {
	for i := range in.state {
		for _, e := range in.state[i].handles.All() {
			leaked = leaked || !in.bound.fixed(e)
			if e.Own {
				_ = in.discard(e.Resource, e.Rep) // nobody is left to be told
			}
		}
		in.state[i].handles.Reset()
	}
	return leaked
}

// raise leaves a host function with an error: wazero turns the panic into the error of the
// call into the guest.
func (in *instance) raise(err error) {
	if in.cause == nil {
		in.cause = err
	}
	panic(err)
}

package link

import (
	"context"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
)

func (in *instance) callHost(fn *function, args []any) (any, error) {
	in.hostCalls++
	if in.limits.HostCalls > 0 && in.hostCalls > in.limits.HostCalls {
		return nil, fault.Newf(fault.Exhausted, "", "more than %d host calls", in.limits.HostCalls)
	}
	if in.Err() != nil {
		return nil, stopped(in.Context)
	}
	if in.starting && !in.bound.steady[fn.host.index] {
		return nil, fault.New(fault.Denied, hostName(fn.host.iface, fn.host.name), "it is called while an image is made")
	}
	in.call.Type = fn.typ
	v, err := guarded(in.bound.impls[fn.host.index], in.Context, in.call, args)
	if err != nil {
		if in.Err() != nil {
			return nil, stopped(in.Context)
		}
		return nil, fault.Wrap(hostName(fn.host.iface, fn.host.name), err)
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
func (in *instance) serve(f *hostFunc, stack []uint64) error {
	s := &in.state[f.instance]
	if s.stay && (f.op == binary.CanonLower || f.op == binary.CanonResourceDrop) {
		return violation("cannot leave the component instance during realloc or post-return")
	}
	switch f.op {
	case binary.CanonResourceNew:
		h, err := s.handles.New(f.resource, uint32(stack[0]))
		stack[0] = uint64(h)
		return err
	case binary.CanonResourceRep:
		rep, err := s.handles.Rep(uint32(stack[0]), f.resource)
		if err == nil {
			stack[0] = uint64(rep.(uint32))
		}
		return err
	case binary.CanonResourceDrop:
		e, err := s.handles.Drop(uint32(stack[0]), f.resource)
		if err != nil || !e.Own {
			return err
		}
		return in.destroy(e, f.instance)
	}
	env := canon.Env{Ctx: in, Opt: &in.options[f.options], Handles: s.handles, Payload: &in.payload}
	args, err := f.sig.LiftArgs(&env, stack)
	if err != nil {
		return err
	}
	result, err := in.invoke(f.fn, f.instance, args)
	if err != nil {
		return err
	}
	err = f.sig.LowerResult(&env, result, stack)
	if h, ok := result.(canon.Handle); ok && err != nil && f.fn.host != nil {
		_ = in.discard(f.fn.typ.Result.Resource, h.Rep) // the guest traps already
	}
	return err
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

// destroy runs the destructor of a resource whose last handle is gone.
func (in *instance) destroy(e canon.Entry, caller int) error {
	info := in.bound.program.plan.resources[e.Resource]
	if info == nil {
		return in.discard(e.Resource, e.Rep)
	}
	if info.dtor < 0 {
		return nil
	}
	if err := in.enter(info.instance, caller, true); err != nil {
		return err
	}
	stack := [1]uint64{uint64(e.Rep.(uint32))}
	if err := in.enterCore(info.dtor, stack[:]); err != nil {
		return err
	}
	return in.enter(info.instance, caller, false)
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

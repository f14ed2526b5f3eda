package wasi

import (
	"context"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// Call is one call of a host function. Its argument readers remember the first mismatch,
// which then traps the guest instead of the function's result; functions therefore read their
// arguments first and act afterwards.
type Call struct {
	*State
	ctx  context.Context
	args []any
	err  error
}

// Func makes a host function out of f. An argument of the wrong form, a missing State and an
// error given to Trap all trap the guest.
func Func(f func(c *Call) any) link.Func {
	return func(ctx context.Context, lc *link.Call, args []any) (any, error) {
		state, _ := lc.System.(*State)
		if state == nil {
			return nil, fault.New(fault.Internal, "wasi", "the invocation has no wasi state")
		}
		if err := ctx.Err(); err != nil {
			return nil, fault.Wrap("wasi", err)
		}
		c := &Call{State: state, ctx: ctx, args: args}
		result := f(c)
		if c.err != nil {
			return nil, c.err
		}
		return result, nil
	}
}

// answer makes a host function that always gives v.
func answer(v any) link.Func { return Func(func(*Call) any { return v }) }

// Context is the guest's. It must not be used after the call: it belongs to an instance that may
// serve others.
func (c *Call) Context() context.Context { return c.ctx }

// Trap remembers the first reason to end the guest and gives nil.
func (c *Call) Trap(err error) any {
	if c.err == nil {
		c.err = err
	}
	return nil
}

// Trapf is Trap with a fault made of its arguments.
func (c *Call) Trapf(kind fault.Kind, op, format string, args ...any) any {
	return c.Trap(fault.Newf(kind, "wasi "+op, format, args...))
}

// Trapped says whether the guest ends: what was read is worthless and nothing should be done.
func (c *Call) Trapped() bool { return c.err != nil }

// Arg is argument i as a T; the zero T and a trap when it is something else.
func Arg[T any](c *Call, i int) T {
	var zero T
	if i >= len(c.args) {
		c.Trapf(fault.Invalid, "call", "argument %d is missing", i)
		return zero
	}
	v, ok := c.args[i].(T)
	if !ok {
		c.Trapf(fault.Invalid, "call", "argument %d is %T, not %T", i, c.args[i], zero)
		return zero
	}
	return v
}

// Self is the host value behind the handle in argument i.
func Self[T any](c *Call, i int) T { return Rep[T](c, Arg[canon.Handle](c, i)) }

// Rep is the host value behind a handle; the zero T and a trap when it is something else.
func Rep[T any](c *Call, h canon.Handle) T {
	v, ok := h.Rep.(T)
	if !ok {
		c.Trapf(fault.Invalid, "call", "a handle is to %T, which the function does not take", h.Rep)
	}
	return v
}

// own is a new handle to a host value.
func own(rep any) canon.Handle { return canon.Handle{Rep: rep} }

// enum is a case without payload.
func enum(name string) canon.Variant { return canon.Variant{Case: name} }

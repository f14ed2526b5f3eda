package wasi

import (
	"context"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// call is one call of a host function. Its argument readers remember the first mismatch,
// which then traps the guest instead of the function's result; functions therefore read their
// arguments first and act afterwards.
type call struct {
	*State
	ctx  context.Context
	args []any
	err  error
}

// fn makes a host function out of f. An argument of the wrong form, a missing State and an
// error given to trap all trap the guest.
func fn(f func(c *call) any) link.Func {
	return func(ctx context.Context, lc *link.Call, args []any) (any, error) {
		state, _ := lc.System.(*State)
		if state == nil {
			return nil, fault.New(fault.Internal, "wasi", "the invocation has no wasi state")
		}
		if err := ctx.Err(); err != nil {
			return nil, fault.Wrap("wasi", err)
		}
		c := &call{State: state, ctx: ctx, args: args}
		result := f(c)
		if c.err != nil {
			return nil, c.err
		}
		return result, nil
	}
}

// answer makes a host function that always gives v.
func answer(v any) link.Func { return fn(func(*call) any { return v }) }

// trap remembers the first reason to end the guest.
func (c *call) trap(err error) any {
	if c.err == nil {
		c.err = err
	}
	return nil
}

func (c *call) trapf(kind fault.Kind, op, format string, args ...any) any {
	return c.trap(fault.Newf(kind, "wasi "+op, format, args...))
}

// arg is argument i as a T; the zero T and a trap when it is something else.
func arg[T any](c *call, i int) T {
	var zero T
	if i >= len(c.args) {
		c.trapf(fault.Invalid, "call", "argument %d is missing", i)
		return zero
	}
	v, ok := c.args[i].(T)
	if !ok {
		c.trapf(fault.Invalid, "call", "argument %d is %T, not %T", i, c.args[i], zero)
		return zero
	}
	return v
}

// self is the host value behind the handle in argument i.
func self[T any](c *call, i int) T { return rep[T](c, arg[canon.Handle](c, i)) }

func rep[T any](c *call, h canon.Handle) T {
	v, ok := h.Rep.(T)
	if !ok {
		c.trapf(fault.Invalid, "call", "a handle is to %T, which the function does not take", h.Rep)
	}
	return v
}

// own is a new handle to a host value.
func own(rep any) canon.Handle { return canon.Handle{Rep: rep} }

// enum is a case without payload.
func enum(name string) canon.Variant { return canon.Variant{Case: name} }

package host

import (
	"context"
	"runtime"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
)

// imports is everything this host offers. What an invocation is granted is decided when a
// function is called, so one set serves every tenant.
func (h *Host) imports() *wasm.Hosts {
	hosts := &wasm.Hosts{}
	add := func(name string, funcs map[string]wasm.HostFunc) {
		hosts.Add(&wasm.Interface{Name: name, Funcs: funcs})
	}
	control := map[string]wasm.HostFunc{"should-cancel": shouldCancel, "yield-now": yieldNow}
	for _, name := range []string{interfaces.Control04, interfaces.Control05, interfaces.Control} {
		add(name, control)
	}
	add(interfaces.Secrets10, map[string]wasm.HostFunc{"get": secretGet(interfaces.Secrets10)})
	add(interfaces.Secrets11, map[string]wasm.HostFunc{"get": secretGet(interfaces.Secrets11), "put": secretPut})
	add(interfaces.State, map[string]wasm.HostFunc{"read": stateRead, "write": stateWrite, "delete": stateDelete})
	for _, name := range []string{interfaces.HTTP10, "greentic:http/client@1.0.0"} {
		add(name, map[string]wasm.HostFunc{"send": httpSend(name, false)})
	}
	for _, name := range []string{interfaces.HTTP11, "greentic:http/client@1.1.0"} {
		add(name, map[string]wasm.HostFunc{"send": httpSend(name, true)})
	}
	add(interfaces.Telemetry, map[string]wasm.HostFunc{"log": telemetryLog})
	for _, name := range []string{interfaces.TypesCore, interfaces.Types} {
		add(name, nil) // types only
	}
	return hosts
}

func shouldCancel(ctx context.Context, _ *wasm.Call, _ []any) (any, error) {
	return ctx.Err() != nil, nil
}

func yieldNow(context.Context, *wasm.Call, []any) (any, error) {
	runtime.Gosched()
	return nil, nil
}

// argument is argument i of a host function as a T; the linker checked the types, so a
// mismatch is our own defect.
func argument[T any](args []any, i int) (T, error) {
	var zero T
	if i >= len(args) {
		return zero, fault.Newf(fault.Internal, "host", "argument %d is missing", i)
	}
	v, ok := args[i].(T)
	if !ok {
		return zero, fault.Newf(fault.Internal, "host", "argument %d is a %T", i, args[i])
	}
	return v, nil
}

// hostError is the error side of the host interfaces: a record with code and message.
func hostError(code, message string) wasm.Result {
	return wasm.Err(wasm.Record{{Name: "code", Value: code}, {Name: "message", Value: message}})
}

// ack is the ok side of functions that only acknowledge.
func ack() wasm.Result { return wasm.OK(wasm.Variant{Case: "ok"}) }

// checkContext refuses a tenant context argument that names anybody but the tenant of the
// invocation. An absent one, and empty fields, mean the running execution.
func (inv *invocation) checkContext(arg any) error {
	option, _ := arg.(wasm.Option)
	if !option.Some {
		return nil
	}
	rec, ok := option.Value.(wasm.Record)
	if !ok {
		return fault.Newf(fault.Internal, "host", "the tenant context is a %T", option.Value)
	}
	mine := map[string]string{
		"env": string(inv.tenant.Env), "env-id": string(inv.tenant.Env),
		"tenant": string(inv.tenant.Tenant), "tenant-id": string(inv.tenant.Tenant),
		"team": string(inv.tenant.Team), "team-id": string(inv.tenant.Team),
		"user": string(inv.tenant.User), "user-id": string(inv.tenant.User),
	}
	for _, field := range rec {
		value := field.Value
		if o, ok := value.(wasm.Option); ok {
			if !o.Some {
				continue
			}
			value = o.Value
		}
		if field.Name == "impersonation" {
			return fault.New(fault.Denied, "tenant context", "a component may not impersonate")
		}
		claimed, _ := value.(string)
		if own, known := mine[field.Name]; known && claimed != "" && claimed != own {
			return fault.Newf(fault.Denied, "tenant context", "the %s is not the one this component runs for", field.Name)
		}
	}
	return nil
}

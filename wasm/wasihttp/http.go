package wasihttp

import (
	"errors"
	"maps"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

// Register adds wasi:http to h, as far as guests import it, in its 0.2 form, beside what package
// wasi registers.
func Register(h *link.Hosts) {
	for _, i := range Interfaces() {
		h.Add(i)
	}
}

// Interfaces is what Register adds. Nobody sends a guest requests, so an incoming-request or
// response-outparam never exists and what takes one traps.
func Interfaces() []*link.Interface {
	types := map[string]link.Func{
		"http-error-code": wasi.Func(func(c *wasi.Call) any {
			var known *httpError
			if e := wasi.Self[*wasi.Failure](c, 0); e != nil && errors.As(e.Err, &known) {
				return canon.Some(known.code)
			}
			return canon.Option{}
		}),
		"[static]response-outparam.set": wasi.Func(func(c *wasi.Call) any {
			return c.Trapf(fault.Denied, "http", "response-outparam.set: there are no incoming requests")
		}),
	}
	for _, name := range []string{"method", "path-with-query", "scheme", "authority", "headers", "consume"} {
		types["[method]incoming-request."+name] = wasi.Func(func(c *wasi.Call) any {
			return c.Trapf(fault.Denied, "http", "incoming-request.%s: there are no incoming requests", name)
		})
	}
	for _, funcs := range []map[string]link.Func{fieldFuncs(), outgoingRequestFuncs(), outgoingResponseFuncs(), outgoingBodyFuncs(),
		requestOptionsFuncs(), incomingFuncs()} {
		maps.Copy(types, funcs)
	}
	return []*link.Interface{
		wasi.Face("http/types", types, "fields", "incoming-request", "outgoing-request", "request-options", "response-outparam",
			"incoming-response", "incoming-body", "future-trailers", "outgoing-response", "outgoing-body", "future-incoming-response"),
		wasi.Face("http/outgoing-handler", map[string]link.Func{"handle": wasi.Func(handle)}),
	}
}

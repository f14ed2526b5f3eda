package wasihttp

import (
	"io"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

// futureResponse is the resource future-incoming-response.
type futureResponse struct {
	x     *exchange
	taken bool
}

func (f *futureResponse) Ready() bool { return f.x.answered }

// Dropped ends a request whose answer was not taken.
func (f *futureResponse) Dropped() error {
	if !f.taken {
		f.x.giveUp()
	}
	return nil
}

// incomingResponse is the resource incoming-response.
type incomingResponse struct {
	family
	x        *exchange
	status   uint16
	headers  *fields
	consumed bool
}

// Dropped ends the exchange unless its body lives on.
func (r *incomingResponse) Dropped() error {
	if err := r.bereave("an incoming-response"); err != nil {
		return err
	}
	r.headers.free()
	if !r.consumed {
		r.x.giveUp()
	}
	return nil
}

// incomingBody is the resource incoming-body.
type incomingBody struct {
	family
	x     *exchange
	taken bool
}

// Dropped gives the rest of the body up.
func (b *incomingBody) Dropped() error {
	if err := b.bereave("an incoming-body"); err != nil {
		return err
	}
	b.x.giveUp()
	return nil
}

// inflow is the input-stream of an incoming-body.
type inflow struct{ of *incomingBody }

func (i *inflow) Ready() bool { return len(i.of.x.in) > 0 || i.of.x.inErr != nil }

func (i *inflow) Subscribe() wasi.Pollable { return wasi.Event{Source: i} }

// Dropped leaves the body to be finished.
func (i *inflow) Dropped() error {
	i.of.children--
	return nil
}

func (i *inflow) Read(c *wasi.Call, n int, block bool) (b []byte, err error) {
	x := i.of.x
	if block {
		if err := c.Wire().Await(c.Context(), i.Ready); err != nil {
			c.Trap(fault.Wrap("wasi http", err))
			return nil, err
		}
	}
	c.Wire().Change(func() {
		b = slices.Clone(x.in[:min(n, len(x.in))])
		x.in = append(x.in[:0], x.in[len(b):]...)
		if len(b) == 0 {
			err = x.inErr
		}
		x.settle()
	})
	if b == nil {
		b = []byte{}
	}
	return b, err
}

// futureTrailers is the resource of that name.
type futureTrailers struct {
	family
	x      *exchange
	taken  bool
	fields *fields
}

func (f *futureTrailers) Ready() bool { return f.x.over }

// Dropped gives the rest of the body up.
func (f *futureTrailers) Dropped() error {
	if err := f.bereave("a future-trailers"); err != nil {
		return err
	}
	if f.fields != nil {
		f.fields.free()
	}
	f.x.giveUp()
	return nil
}

func incomingFuncs() map[string]link.Func {
	subscribe := func(source interface{ Ready() bool }) any { return own(wasi.Event{Source: source}) }
	return map[string]link.Func{
		"[method]future-incoming-response.subscribe": wasi.Func(func(c *wasi.Call) any { return subscribe(wasi.Self[*futureResponse](c, 0)) }),
		"[method]future-incoming-response.get":       wasi.Func(getResponse),
		"[method]future-trailers.subscribe":          wasi.Func(func(c *wasi.Call) any { return subscribe(wasi.Self[*futureTrailers](c, 0)) }),
		"[method]future-trailers.get":                wasi.Func(getTrailers),
		"[method]incoming-response.status": wasi.Func(func(c *wasi.Call) any {
			if r := wasi.Self[*incomingResponse](c, 0); !c.Trapped() {
				return r.status
			}
			return nil
		}),
		"[method]incoming-response.headers": wasi.Func(func(c *wasi.Call) any {
			if r := wasi.Self[*incomingResponse](c, 0); !c.Trapped() {
				return r.headers.child(&r.family)
			}
			return nil
		}),
		"[method]incoming-response.consume": wasi.Func(func(c *wasi.Call) any {
			r := wasi.Self[*incomingResponse](c, 0)
			if c.Trapped() {
				return nil
			}
			if r.consumed {
				return canon.Err(nil)
			}
			r.consumed = true
			return canon.OK(own(&incomingBody{x: r.x}))
		}),
		"[method]incoming-body.stream": wasi.Func(func(c *wasi.Call) any {
			b := wasi.Self[*incomingBody](c, 0)
			if c.Trapped() {
				return nil
			}
			if b.taken {
				return canon.Err(nil)
			}
			b.taken = true
			b.children++
			c.Wire().Change(func() { b.x.wanted = true })
			return canon.OK(own(&inflow{b}))
		}),
		"[static]incoming-body.finish": wasi.Func(func(c *wasi.Call) any {
			b := wasi.Self[*incomingBody](c, 0)
			if c.Trapped() {
				return nil
			}
			if err := b.bereave("an incoming-body"); err != nil {
				return c.Trap(err)
			}
			c.Wire().Change(func() {
				b.x.wanted, b.x.draining, b.x.in = true, true, nil
				b.x.settle()
			})
			return own(&futureTrailers{x: b.x})
		}),
	}
}

// future is option<result<result<T, error-code>>>: not there yet, taken already, or what it is.
func future(ready, taken bool, value func() (any, *httpError)) any {
	if !ready {
		return canon.Option{}
	}
	if taken {
		return canon.Some(canon.Err(nil))
	}
	v, err := value()
	if err != nil {
		return canon.Some(canon.OK(canon.Err(err.code)))
	}
	return canon.Some(canon.OK(canon.OK(v)))
}

func getResponse(c *wasi.Call) any {
	f := wasi.Self[*futureResponse](c, 0)
	if c.Trapped() {
		return nil
	}
	x := f.x
	c.Wire().Lock()
	ready, resp, err := x.answered, x.resp, x.err
	c.Wire().Unlock()
	return future(ready, f.taken, func() (any, *httpError) {
		f.taken = true
		if err != nil {
			return nil, err
		}
		headers, size, ok := received(c, resp.Header)
		if !ok {
			x.giveUp()
			return nil, sized("HTTP-response-header-section-size", uint32(size))
		}
		return own(&incomingResponse{x: x, status: uint16(resp.StatusCode), headers: headers}), nil
	})
}

func getTrailers(c *wasi.Call) any {
	f := wasi.Self[*futureTrailers](c, 0)
	if c.Trapped() {
		return nil
	}
	x := f.x
	c.Wire().Lock()
	ready, resp, err := x.over, x.resp, x.inErr
	c.Wire().Unlock()
	return future(ready, f.taken, func() (any, *httpError) {
		f.taken = true
		if err != io.EOF {
			return nil, codeFor(err)
		}
		trailers, size, ok := received(c, resp.Trailer)
		switch {
		case !ok:
			return nil, sized("HTTP-response-trailer-section-size", uint32(size))
		case len(trailers.list) == 0:
			return canon.Option{}, nil
		}
		f.fields = trailers
		return canon.Some(trailers.child(&f.family)), nil
	})
}

package wasihttp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/wasi"
)

// maxFlying is how many requests of an invocation are under way, or have answers that wait to be
// read, at once.
const maxFlying = 64

// exchange is a request under way and its answer. One goroutine of its own calls the transport
// and then carries the body of the answer. Fields are used with the wire locked unless they say otherwise.
type exchange struct {
	*session
	ctx    context.Context         // never changes
	cancel context.CancelCauseFunc // never changes
	out    *outflow                // never changes; nil: there is no body
	quiet  time.Duration           // never changes; the longest wait between bytes, 0: any

	answered bool // resp and err are set
	resp     *http.Response
	err      *httpError

	wanted   bool   // the guest asks for the body
	draining bool   // it asks only for its end
	in       []byte // read from the body and not by the guest
	inErr    error  // what follows in; io.EOF: the end; nil: not ended yet
	over     bool   // the goroutine is about to end
	settled  bool   // it no longer counts in flying
}

// handle is outgoing-handler.handle: request and options, both given away.
func handle(c *wasi.Call) any {
	r, o := wasi.Self[*outgoing](c, 0), &requestOptions{}
	if option := wasi.Arg[canon.Option](c, 1); option.Some {
		h, _ := option.Value.(canon.Handle)
		o = wasi.Rep[*requestOptions](c, h)
	}
	if c.Trapped() {
		return nil
	}
	if err := r.bereave("an outgoing-request"); err != nil {
		return c.Trap(err)
	}
	c.Touched("it sent a request")
	x, err := send(c, r, o)
	r.free()
	if err != nil {
		if r.body != nil {
			_ = r.body.flow.Close() // never fails
		}
		return canon.Err(err.code)
	}
	return canon.OK(own(&futureResponse{x: x}))
}

func send(c *wasi.Call, r *outgoing, o *requestOptions) (*exchange, *httpError) {
	if c.Config().HTTP == nil {
		return nil, httpFault("HTTP-request-denied")
	}
	req, out, bad := r.request()
	if bad != nil {
		return nil, bad
	}
	s := sessionOf(c)
	x := &exchange{session: s, out: out}
	full := false
	s.wire.Change(func() {
		if full = s.flying >= maxFlying; !full {
			s.flying++
		}
	})
	if full {
		return nil, httpFault("connection-limit-reached")
	}
	ctx := s.life(c.Context())
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	ctx, stop := x.watch(o)
	if out != nil {
		out.ctx = x.ctx
	}
	transport := c.Config().HTTP
	if o, ok := transport.(orderly); ok {
		transport = o.Begin(req)
	}
	s.running.Add(1)
	go x.run(transport, req.WithContext(ctx), stop)
	return x, nil
}

// orderly is a transport that wants to know of requests in the order of the guest's calls.
type orderly interface {
	Begin(*http.Request) http.RoundTripper
}

// watch ends the exchange when it takes longer than the options allow until the answer begins;
// stop ends the watch.
func (x *exchange) watch(o *requestOptions) (ctx context.Context, stop func()) {
	ctx, stop = x.ctx, func() {}
	if d, ok := limit(o.betweenBytes); ok {
		x.quiet = max(d, 1)
	}
	if d, ok := limit(o.firstByte); ok {
		t := time.AfterFunc(d, func() { x.cancel(httpFault("connection-read-timeout")) })
		stop = func() { t.Stop() }
	}
	if d, ok := limit(o.connect); ok {
		t := time.AfterFunc(d, func() { x.cancel(httpFault("connection-timeout")) })
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { t.Stop() }})
		before := stop
		stop = func() { before(); t.Stop() }
	}
	return ctx, stop
}

func (x *exchange) run(transport http.RoundTripper, req *http.Request, stop func()) {
	defer x.running.Done()
	var resp *http.Response
	err := x.guarded(func() (err error) {
		resp, err = transport.RoundTrip(req)
		return err
	})
	stop()
	if err == nil && resp == nil {
		err = internalError("the transport gave no answer")
	}
	x.wire.Change(func() {
		x.answered = true
		if x.resp = resp; err != nil {
			x.resp, x.err = nil, x.reason(err)
		}
	})
	if err == nil {
		if resp.Body == nil {
			resp.Body = http.NoBody
		}
		if x.wire.Await(x.ctx, func() bool { return x.wanted }) == nil {
			err = x.guarded(func() error { return x.carry(resp.Body) })
		} else {
			err = context.Cause(x.ctx)
		}
		_ = x.guarded(resp.Body.Close) // what could be read was read
	}
	x.wire.Change(func() {
		if x.over, x.inErr = true, io.EOF; err != nil && err != io.EOF {
			x.inErr = x.reason(err)
		}
		if x.out != nil {
			x.out.leave()
		}
		x.settle()
	})
	x.cancel(nil)
}

// guarded turns a panic of a transport into an error: nothing else could catch it here.
func (x *exchange) guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Newf(fault.Internal, "http", "panic: %v", p)
		}
	}()
	return f()
}

// reason is the code of an error: why the exchange was ended, if it was.
func (x *exchange) reason(err error) *httpError {
	if x.ctx.Err() != nil {
		err = context.Cause(x.ctx)
	}
	return codeFor(err)
}

// carry reads the body of the answer, no further than the guest's reading makes room.
func (x *exchange) carry(body io.Reader) error {
	buf := make([]byte, bodyBuffer/2)
	for {
		if err := x.wire.Await(x.ctx, func() bool { return x.draining || len(x.in) <= bodyBuffer/2 }); err != nil {
			return err
		}
		if x.ctx.Err() != nil { // a body need not notice
			return context.Cause(x.ctx)
		}
		var t *time.Timer
		if x.quiet > 0 {
			t = time.AfterFunc(x.quiet, func() { x.cancel(httpFault("connection-read-timeout")) })
		}
		n, err := body.Read(buf)
		if t != nil {
			t.Stop()
		}
		x.wire.Change(func() {
			if !x.draining {
				x.in = append(x.in, buf[:n]...)
			}
		})
		if err != nil {
			return err
		}
	}
}

// settle takes an exchange that is over and whose answer nobody will read out of the count,
// with the wire locked.
func (x *exchange) settle() {
	if x.over && len(x.in) == 0 && !x.settled {
		x.settled = true
		x.flying--
	}
}

// giveUp ends the exchange when the guest let go of it.
func (x *exchange) giveUp() {
	x.cancel(httpFault("connection-terminated"))
	x.wire.Change(func() {
		x.draining, x.in = true, nil
		x.settle()
	})
}

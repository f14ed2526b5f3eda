package wasihttp

import (
	"context"
	"errors"
	"io"
	"net/http"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

const (
	bodyBuffer = 64 << 10 // bytes of one body between guest and transport, either way
	maxAhead   = 1 << 20  // bytes a guest may write to bodies before it sends their requests
)

// outflow carries the body of a request from the guest, which writes, to the transport, which
// reads. Fields are used with the wire locked but for the last group.
type outflow struct {
	*session
	sent  bool   // its request was handed to the transport
	buf   []byte // written and not read
	early int    // bytes of buf that count in session.ahead
	gone  bool   // nobody will read any more
	err   error  // what follows buf; io.EOF: the end; nil: not ended yet
	tail  http.Header

	// Set before the transport knows it, and of the guest's goroutine.
	ctx      context.Context // of the request
	declared int64           // content-length; -1: not declared
	written  int64
	granted  int // bytes that check-write permitted
}

// Ready and space are asked with the wire locked.
func (o *outflow) Ready() bool { return o.gone || o.err != nil || o.space() > 0 }

func (o *outflow) space() int {
	if o.sent {
		return max(bodyBuffer-len(o.buf), 0)
	}
	return max(min(maxAhead-o.session.ahead, bodyBuffer), 0)
}

func (o *outflow) Room(*wasi.Call) (n int, err error) {
	o.wire.Lock()
	defer o.wire.Unlock()
	if o.gone || o.err != nil {
		return 0, io.EOF
	}
	return o.space(), nil
}

func (o *outflow) Permit(n int) { o.granted = n }

func (o *outflow) Claim(n int) bool {
	if n > o.granted {
		return false
	}
	o.granted -= n
	return true
}

func (o *outflow) Put(_ *wasi.Call, b []byte) (err error) {
	if o.declared >= 0 && o.written+int64(len(b)) > o.declared {
		return sized("HTTP-request-body-size", uint64(o.written)+uint64(len(b)))
	}
	o.wire.Change(func() {
		if o.gone || o.err != nil {
			err = io.EOF
			return
		}
		o.buf = append(o.buf, b...)
		if !o.sent {
			o.early += len(b)
			o.session.ahead += len(b)
		}
	})
	if err == nil {
		o.written += int64(len(b))
	}
	return err
}

func (o *outflow) Flush(c *wasi.Call, block bool) error {
	gone := false
	err := o.wire.Await(c.Context(), func() bool {
		gone = o.gone
		return gone || !block || !o.sent || len(o.buf) == 0
	})
	if err != nil {
		c.Trap(fault.Wrap("wasi http", err))
	}
	if err == nil && gone {
		err = io.EOF
	}
	return err
}

// wait fails when nobody will ever make room: the request of a full body was not sent.
func (o *outflow) Wait(c *wasi.Call) error {
	stuck := false
	err := o.wire.Await(c.Context(), func() bool {
		stuck = !o.Ready() && !o.sent
		return stuck || o.Ready()
	})
	if err != nil {
		c.Trap(fault.Wrap("wasi http", err))
	}
	if stuck {
		return internalError("the body does not fit the buffer and its request was not sent")
	}
	return err
}

func (o *outflow) Subscribe() wasi.Pollable { return wasi.Event{Source: o} }

// Read gives the transport what was written, as it is written.
func (o *outflow) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	err = o.wire.Await(o.ctx, func() bool { return o.gone || o.err != nil || len(o.buf) > 0 })
	if err != nil {
		return 0, err
	}
	o.wire.Change(func() {
		if o.gone {
			err = http.ErrBodyReadAfterClose
			return
		}
		n = copy(p, o.buf)
		o.buf = append(o.buf[:0], o.buf[n:]...)
		o.catchUp(n)
		if n == 0 {
			err = o.err
		}
	})
	return n, err
}

// catchUp counts n bytes that are no longer ahead, with the wire locked.
func (o *outflow) catchUp(n int) {
	n = min(n, o.early)
	o.early -= n
	o.session.ahead -= n
}

// Close is what the transport calls when it reads no more.
func (o *outflow) Close() error {
	o.wire.Change(o.leave)
	return nil
}

// leave is called with the wire locked when nobody will read any more.
func (o *outflow) leave() {
	o.catchUp(o.early)
	o.gone, o.buf = true, nil
}

// end says what follows what was written.
func (o *outflow) end(err error) {
	o.wire.Change(func() {
		if o.err == nil {
			o.err = err
		}
	})
}

// outgoingBody is the resource of that name.
type outgoingBody struct {
	family
	flow  *outflow
	taken bool
}

// bodyStream is the output-stream of an outgoing-body.
type bodyStream struct {
	*outflow
	of *outgoingBody
}

// Dropped leaves the body to be finished.
func (b *bodyStream) Dropped() error {
	b.of.children--
	return nil
}

// Dropped gives the body up, and so its request.
func (b *outgoingBody) Dropped() error {
	if err := b.bereave("an outgoing-body"); err != nil {
		return err
	}
	b.flow.end(errors.New("the guest gave the body up"))
	return nil
}

func outgoingBodyFuncs() map[string]link.Func {
	return map[string]link.Func{
		"[method]outgoing-body.write": wasi.Func(func(c *wasi.Call) any {
			b := wasi.Self[*outgoingBody](c, 0)
			if c.Trapped() {
				return nil
			}
			if b.taken {
				return canon.Err(nil)
			}
			b.taken = true
			b.children++
			return canon.OK(own(&bodyStream{b.flow, b}))
		}),
		"[static]outgoing-body.finish": wasi.Func(finishOutgoing),
	}
}

func finishOutgoing(c *wasi.Call) any {
	b, trailers := wasi.Self[*outgoingBody](c, 0), wasi.Arg[canon.Option](c, 1)
	var t *fields
	if trailers.Some {
		h, _ := trailers.Value.(canon.Handle)
		t = wasi.Rep[*fields](c, h)
	}
	if c.Trapped() {
		return nil
	}
	if err := b.bereave("an outgoing-body"); err != nil {
		return c.Trap(err)
	}
	if t != nil {
		defer t.free()
	}
	bad := b.flow.complete()
	if bad == nil && t != nil {
		bad = b.flow.close(t)
	}
	if bad != nil {
		b.flow.end(bad)
		return canon.Err(bad.code)
	}
	b.flow.end(io.EOF)
	return canon.OK(nil)
}

// complete says what is wrong with the length of the body.
func (o *outflow) complete() *httpError {
	if o.declared >= 0 && o.written != o.declared {
		return sized("HTTP-request-body-size", uint64(o.written))
	}
	return nil
}

// close leaves trailers for the transport. A body of declared length has none on the wire.
func (o *outflow) close(trailers *fields) *httpError {
	if n := trailers.size(); n > maxSection {
		return sized("HTTP-request-trailer-section-size", uint32(n))
	}
	if len(trailers.list) > 0 && o.declared >= 0 {
		return internalError("a body with a content-length has no trailers")
	}
	o.wire.Change(func() {
		for name, values := range trailers.header() {
			o.tail[name] = values
		}
	})
	return nil
}

package wasi

import (
	"errors"
	"io"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

const (
	maxRead          = 64 << 10 // bytes one read gives at most
	maxWrite         = 64 << 10 // bytes check-write permits at most
	maxBlockingWrite = 4096     // bytes blocking-write-and-flush takes (wasi:io/streams)
	emptyReads       = 100      // reads without a byte before a reader counts as broken
)

// stdio is a standard stream. It is a name only: the state of the running invocation says
// what it means, so a handle to it survives in an image.
type stdio uint8

const (
	stdin stdio = iota + 1
	stdout
	stderr
)

// input is what an input-stream handle points to. read gives some bytes, at least one when
// block is set, or io.EOF; n is at least 1.
type input interface {
	read(c *call, n int, block bool) ([]byte, error)
}

// ioError is wasi:io/error: a failure with, for files, its code.
type ioError struct {
	text string
	code string // wasi:filesystem error-code or ""
}

func ioInterfaces() []*link.Interface {
	return []*link.Interface{
		face("io/error", map[string]link.Func{
			"[method]error.to-debug-string": fn(func(c *call) any { return self[*ioError](c, 0).debug() }),
		}, "error"),
		poll(),
		face("io/streams", map[string]link.Func{
			"[method]input-stream.read":          fn(func(c *call) any { return c.read(false) }),
			"[method]input-stream.blocking-read": fn(func(c *call) any { return c.read(true) }),
			"[method]input-stream.skip":          fn(func(c *call) any { return c.skip(false) }),
			"[method]input-stream.blocking-skip": fn(func(c *call) any { return c.skip(true) }),
			"[method]input-stream.subscribe":     answer(own(pollable(0))),

			"[method]output-stream.check-write":                     fn((*call).checkWrite),
			"[method]output-stream.write":                           fn(func(c *call) any { return c.write(maxWrite) }),
			"[method]output-stream.blocking-write-and-flush":        fn(func(c *call) any { return c.write(maxBlockingWrite) }),
			"[method]output-stream.flush":                           fn((*call).flush),
			"[method]output-stream.blocking-flush":                  fn((*call).flush),
			"[method]output-stream.subscribe":                       answer(own(pollable(0))),
			"[method]output-stream.write-zeroes":                    fn(func(c *call) any { return c.writeZeroes(maxWrite) }),
			"[method]output-stream.blocking-write-zeroes-and-flush": fn(func(c *call) any { return c.writeZeroes(maxBlockingWrite) }),
			"[method]output-stream.splice":                          fn(func(c *call) any { return c.splice(false) }),
			"[method]output-stream.blocking-splice":                 fn(func(c *call) any { return c.splice(true) }),
		}, "input-stream", "output-stream"),
	}
}

func (e *ioError) debug() string {
	if e == nil {
		return "" // the handle was of another kind; the call traps
	}
	return e.text
}

// streamErr is the stream-error for err; io.EOF means closed.
func streamErr(err error) canon.Result {
	if errors.Is(err, io.EOF) {
		return canon.Err(enum("closed"))
	}
	failure := &ioError{text: err.Error()}
	var code fsError
	if errors.As(err, &code) {
		failure.code = string(code)
	}
	return canon.Err(canon.Variant{Case: "last-operation-failed", Value: own(failure)})
}

// take reads up to n bytes (bounded by max) from the stream in argument i.
func (c *call) take(i int, n uint64, max int, block bool) ([]byte, error) {
	source := self[input](c, i)
	if c.err != nil || n == 0 {
		return []byte{}, nil
	}
	return source.read(c, int(min(n, uint64(max))), block)
}

func (c *call) read(block bool) any {
	b, err := c.take(0, arg[uint64](c, 1), maxRead, block)
	if err != nil {
		return streamErr(err)
	}
	return canon.OK(b)
}

func (c *call) skip(block bool) any {
	b, err := c.take(0, arg[uint64](c, 1), maxRead, block)
	if err != nil {
		return streamErr(err)
	}
	return canon.OK(uint64(len(b)))
}

// read gives bytes of the standard input. A reader that keeps giving nothing is broken.
func (s stdio) read(c *call, n int, block bool) ([]byte, error) {
	if s != stdin {
		c.trapf(fault.Invalid, "streams", "an output stream was read")
		return nil, io.EOF
	}
	if c.cfg.Stdin == nil {
		return nil, io.EOF
	}
	buf := make([]byte, n)
	for range emptyReads {
		got, err := c.cfg.Stdin.Read(buf)
		if got > 0 || err == nil && !block {
			return buf[:got], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, io.ErrNoProgress
}

// permit is how many bytes may be written now; 0 means the stream is closed.
func (s *State) permit() int64 { return min(s.left, maxWrite) }

// sink is the output stream in argument 0.
func (c *call) sink() io.Writer {
	switch self[stdio](c, 0) {
	case stdout:
		return c.cfg.Stdout
	case stderr:
		return c.cfg.Stderr
	}
	c.trapf(fault.Invalid, "streams", "an input stream was written")
	return nil
}

func (c *call) checkWrite() any {
	c.sink()
	if c.permit() == 0 {
		return canon.Err(enum("closed"))
	}
	return canon.OK(uint64(c.permit()))
}

func (c *call) flush() any {
	c.sink()
	if c.left == 0 {
		return canon.Err(enum("closed"))
	}
	return canon.OK(nil)
}

func (c *call) write(max int) any {
	w, b := c.sink(), arg[[]byte](c, 1)
	if len(b) > max {
		return c.trapf(fault.Invalid, "streams", "%d bytes written at once, more than the %d permitted", len(b), max)
	}
	if c.err != nil {
		return nil
	}
	return c.put(w, b)
}

func (c *call) writeZeroes(max int) any {
	w, n := c.sink(), arg[uint64](c, 1)
	if n > uint64(max) {
		return c.trapf(fault.Invalid, "streams", "%d zeroes written at once, more than the %d permitted", n, max)
	}
	if c.err != nil {
		return nil
	}
	return c.put(w, make([]byte, n))
}

// put writes b as far as the limit allows; what is over it closes the stream.
func (c *call) put(w io.Writer, b []byte) canon.Result {
	fits := b[:min(int64(len(b)), c.left)]
	c.left -= int64(len(fits))
	if w != nil {
		if _, err := w.Write(fits); err != nil {
			return streamErr(err)
		}
	}
	if len(fits) < len(b) {
		return canon.Err(enum("closed"))
	}
	return canon.OK(nil)
}

func (c *call) splice(block bool) any {
	w, n := c.sink(), arg[uint64](c, 2)
	room := int(c.permit())
	if room == 0 {
		return canon.Err(enum("closed"))
	}
	b, err := c.take(1, n, room, block)
	if c.err != nil {
		return nil
	}
	if err != nil {
		return streamErr(err)
	}
	r := c.put(w, b)
	if !r.IsErr {
		r.Value = uint64(len(b))
	}
	return r
}

package wasi

import (
	"errors"
	"io"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

const (
	maxRead    = 64 << 10 // bytes one read gives at most
	emptyReads = 100      // reads without a byte before a reader counts as broken
)

// stdio is a standard stream. It is a name only: the state of the running invocation says
// what it means, so a handle to it survives in an image.
type stdio uint8

const (
	stdin stdio = iota + 1
	stdout
	stderr
)

// Input is what an input-stream handle points to. Read gives some bytes, at least one when block
// is set, or io.EOF; n is at least 1. If it ends with the guest's context it calls Trap.
type Input interface {
	Read(c *Call, n int, block bool) ([]byte, error)
	Subscribe() Pollable // ready when Read gives something without waiting
}

// Failure is wasi:io/error: why a stream failed. Interfaces find their codes in Err.
type Failure struct{ Err error }

func ioInterfaces() []*link.Interface {
	return []*link.Interface{
		Face("io/error", map[string]link.Func{
			"[method]error.to-debug-string": Func(func(c *Call) any { return Self[*Failure](c, 0).debug() }),
		}, "error"),
		poll(),
		Face("io/streams", map[string]link.Func{
			"[method]input-stream.read":          Func(func(c *Call) any { return c.read(false) }),
			"[method]input-stream.blocking-read": Func(func(c *Call) any { return c.read(true) }),
			"[method]input-stream.skip":          Func(func(c *Call) any { return c.skip(false) }),
			"[method]input-stream.blocking-skip": Func(func(c *Call) any { return c.skip(true) }),
			"[method]input-stream.subscribe":     Func(func(c *Call) any { return subscription(c, Self[Input](c, 0)) }),

			"[method]output-stream.check-write":                     Func((*Call).checkWrite),
			"[method]output-stream.write":                           Func((*Call).write),
			"[method]output-stream.blocking-write-and-flush":        Func((*Call).writeAndFlush),
			"[method]output-stream.flush":                           Func(func(c *Call) any { return c.flush(false) }),
			"[method]output-stream.blocking-flush":                  Func(func(c *Call) any { return c.flush(true) }),
			"[method]output-stream.subscribe":                       Func(func(c *Call) any { return subscription(c, Self[Output](c, 0)) }),
			"[method]output-stream.write-zeroes":                    Func((*Call).writeZeroes),
			"[method]output-stream.blocking-write-zeroes-and-flush": Func((*Call).writeZeroesAndFlush),
			"[method]output-stream.splice":                          Func(func(c *Call) any { return c.splice(false) }),
			"[method]output-stream.blocking-splice":                 Func(func(c *Call) any { return c.splice(true) }),
		}, "input-stream", "output-stream"),
	}
}

// subscription is a handle to the pollable of a stream.
func subscription(c *Call, stream interface{ Subscribe() Pollable }) any {
	if c.err != nil {
		return nil
	}
	return own(stream.Subscribe())
}

func (e *Failure) debug() string {
	if e == nil {
		return "" // the handle was of another kind; the call traps
	}
	return e.Err.Error()
}

// streamErr is the stream-error for err; io.EOF means closed.
func streamErr(err error) canon.Result {
	if errors.Is(err, io.EOF) {
		return canon.Err(enum("closed"))
	}
	return canon.Err(canon.Variant{Case: "last-operation-failed", Value: own(&Failure{err})})
}

// take reads up to n bytes (bounded by max) from the stream in argument i.
func (c *Call) take(i int, n uint64, max int, block bool) ([]byte, error) {
	source := Self[Input](c, i)
	if c.err != nil || n == 0 {
		return []byte{}, nil
	}
	return source.Read(c, int(min(n, uint64(max))), block)
}

func (c *Call) read(block bool) any {
	b, err := c.take(0, Arg[uint64](c, 1), maxRead, block)
	if err != nil {
		return streamErr(err)
	}
	return canon.OK(b)
}

func (c *Call) skip(block bool) any {
	b, err := c.take(0, Arg[uint64](c, 1), maxRead, block)
	if err != nil {
		return streamErr(err)
	}
	return canon.OK(uint64(len(b)))
}

// read gives bytes of the standard input. A reader that keeps giving nothing is broken.
func (s stdio) Read(c *Call, n int, block bool) ([]byte, error) {
	if s != stdin {
		c.Trapf(fault.Invalid, "streams", "an output stream was read")
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

func (s stdio) Subscribe() Pollable { return moment(0) }

package wasi

import (
	"io"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
)

const (
	maxWrite         = 64 << 10 // bytes check-write permits at most
	maxBlockingWrite = 4096     // bytes blocking-write-and-flush takes (wasi:io/streams)
)

// Output is what an output-stream handle points to. io.EOF from its functions means closed. A
// function that ends with the guest's context calls Trap.
type Output interface {
	Room(c *Call) (int, error)       // bytes it takes now
	Permit(n int)                    // check-write answered n
	Claim(n int) bool                // whether a write of n bytes was permitted
	Put(c *Call, b []byte) error     // all of b, which there is room for
	Flush(c *Call, block bool) error // what was put is under way; block: it has left
	Wait(c *Call) error              // until Room gives something else than 0
	Subscribe() Pollable             // ready when Wait would not wait
}

func (c *Call) checkWrite() any {
	out := Self[Output](c, 0)
	if c.err != nil {
		return nil
	}
	n, err := out.Room(c)
	if err != nil {
		return streamErr(err)
	}
	out.Permit(n)
	return canon.OK(uint64(n))
}

func (c *Call) flush(block bool) any {
	out := Self[Output](c, 0)
	if c.err != nil {
		return nil
	}
	return written(nil, out.Flush(c, block))
}

// written is the result of a function that wrote.
func written(value any, err error) any {
	if err != nil {
		return streamErr(err)
	}
	return canon.OK(value)
}

// permitted is the stream in argument 0; it traps when a write of n bytes was not permitted.
func (c *Call) permitted(n uint64) Output {
	out := Self[Output](c, 0)
	if c.err == nil && (n > maxWrite || !out.Claim(int(n))) {
		c.Trapf(fault.Invalid, "streams", "%d bytes written at once, more than permitted", n)
	}
	return out
}

func (c *Call) write() any {
	b := Arg[[]byte](c, 1)
	out := c.permitted(uint64(len(b)))
	if c.err != nil {
		return nil
	}
	return written(nil, out.Put(c, b))
}

func (c *Call) writeZeroes() any {
	n := Arg[uint64](c, 1)
	out := c.permitted(n)
	if c.err != nil {
		return nil
	}
	return written(nil, out.Put(c, make([]byte, n)))
}

func (c *Call) writeAndFlush() any { return c.writeAll(Arg[[]byte](c, 1)) }

func (c *Call) writeZeroesAndFlush() any {
	return c.writeAll(make([]byte, min(Arg[uint64](c, 1), maxBlockingWrite+1)))
}

// writeAll writes b as room comes and flushes.
func (c *Call) writeAll(b []byte) any {
	out := Self[Output](c, 0)
	if c.err != nil {
		return nil
	}
	if len(b) > maxBlockingWrite {
		return c.Trapf(fault.Invalid, "streams", "%d bytes written at once, more than permitted", len(b))
	}
	for len(b) > 0 {
		n, err := c.roomIn(out)
		if err != nil {
			return streamErr(err)
		}
		part := b[:min(n, len(b))]
		if err := out.Put(c, part); err != nil {
			return streamErr(err)
		}
		b = b[len(part):]
	}
	return written(nil, out.Flush(c, true))
}

// roomIn waits until out takes something.
func (c *Call) roomIn(out Output) (int, error) {
	n, err := out.Room(c)
	for n == 0 && err == nil {
		if err = out.Wait(c); err == nil {
			n, err = out.Room(c)
		}
	}
	return n, err
}

func (c *Call) splice(block bool) any {
	out, n := Self[Output](c, 0), Arg[uint64](c, 2)
	if Self[Input](c, 1); c.err != nil {
		return nil
	}
	var room int
	var err error
	if block && n > 0 {
		room, err = c.roomIn(out)
	} else {
		room, err = out.Room(c)
	}
	if err != nil {
		return streamErr(err)
	}
	b, err := c.take(1, min(n, uint64(room)), maxRead, block)
	if c.err != nil {
		return nil
	}
	if err == nil && len(b) > 0 {
		err = out.Put(c, b)
	}
	return written(uint64(len(b)), err)
}

// isOutput says whether s can be written; it traps when it cannot.
func (s stdio) isOutput(c *Call) bool {
	if s != stdout && s != stderr {
		c.Trapf(fault.Invalid, "streams", "an input stream was written")
		return false
	}
	return true
}

func (s stdio) Room(c *Call) (int, error) {
	if !s.isOutput(c) || c.left == 0 {
		return 0, io.EOF
	}
	return int(min(c.left, maxWrite)), nil
}

func (s stdio) Permit(int) {}

// claim permits what fits the largest permit: standard streams always have room.
func (s stdio) Claim(int) bool { return true }

// put writes b as far as the limit allows; what is over it closes the stream.
func (s stdio) Put(c *Call, b []byte) error {
	if !s.isOutput(c) {
		return io.EOF
	}
	w := c.cfg.Stdout
	if s == stderr {
		w = c.cfg.Stderr
	}
	fits := b[:min(int64(len(b)), c.left)]
	c.left -= int64(len(fits))
	if w != nil {
		if _, err := w.Write(fits); err != nil {
			return err
		}
	}
	if len(fits) < len(b) {
		return io.EOF
	}
	return nil
}

func (s stdio) Flush(c *Call, _ bool) error {
	if !s.isOutput(c) || c.left == 0 {
		return io.EOF
	}
	return nil
}

func (s stdio) Wait(*Call) error { return nil }

package wasi

import (
	"encoding/binary"
	"io"
	"math/rand/v2"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/link"
)

// maxRandom is how many random bytes one call may ask for.
const maxRandom = 1 << 20

func random() []*link.Interface {
	return []*link.Interface{
		Face("random/random", map[string]link.Func{
			"get-random-bytes": Func(func(c *Call) any { return c.randomBytes(c.cfg.Random.Read) }),
			"get-random-u64":   Func(func(c *Call) any { return c.randomU64() }),
		}),
		Face("random/insecure", map[string]link.Func{
			"get-insecure-random-bytes": Func(func(c *Call) any { return c.randomBytes(c.insecureRead) }),
			"get-insecure-random-u64":   Func(func(c *Call) any { return c.cheap().Uint64() }),
		}),
		Face("random/insecure-seed", map[string]link.Func{
			"insecure-seed": Func(func(c *Call) any {
				seed := c.seed()
				return []any{seed[0], seed[1]}
			}),
		}),
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

func (c *Call) randomBytes(source readFunc) any {
	n := Arg[uint64](c, 0)
	if n > maxRandom {
		return c.Trapf(fault.Exhausted, "random", "%d bytes asked for at once; the limit is %d", n, maxRandom)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		return c.Trap(fault.As(fault.Unavailable, "wasi random", err))
	}
	return b
}

func (c *Call) randomU64() uint64 {
	var b [8]byte
	if _, err := io.ReadFull(c.cfg.Random, b[:]); err != nil {
		c.Trap(fault.As(fault.Unavailable, "wasi random", err))
	}
	return binary.LittleEndian.Uint64(b[:])
}

// seed is drawn once per invocation unless the configuration fixes it.
func (c *Call) seed() [2]uint64 {
	if c.cfg.InsecureSeed == [2]uint64{} {
		c.cfg.InsecureSeed = [2]uint64{c.randomU64(), c.randomU64()}
	}
	return c.cfg.InsecureSeed
}

// cheap is the invocation's fast generator.
func (c *Call) cheap() *rand.Rand {
	if c.insecure == nil {
		seed := c.seed()
		c.insecure = rand.New(rand.NewPCG(seed[0], seed[1]))
	}
	return c.insecure
}

func (c *Call) insecureRead(b []byte) (int, error) {
	r := c.cheap()
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return len(b), nil
}

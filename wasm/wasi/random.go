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
		face("random/random", map[string]link.Func{
			"get-random-bytes": fn(func(c *call) any { return c.randomBytes(c.cfg.Random.Read) }),
			"get-random-u64":   fn(func(c *call) any { return c.randomU64() }),
		}),
		face("random/insecure", map[string]link.Func{
			"get-insecure-random-bytes": fn(func(c *call) any { return c.randomBytes(c.insecureRead) }),
			"get-insecure-random-u64":   fn(func(c *call) any { return c.cheap().Uint64() }),
		}),
		face("random/insecure-seed", map[string]link.Func{
			"insecure-seed": fn(func(c *call) any {
				seed := c.seed()
				return []any{seed[0], seed[1]}
			}),
		}),
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

func (c *call) randomBytes(source readFunc) any {
	n := arg[uint64](c, 0)
	if n > maxRandom {
		return c.trapf(fault.Exhausted, "random", "%d bytes asked for at once; the limit is %d", n, maxRandom)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		return c.trap(fault.As(fault.Unavailable, "wasi random", err))
	}
	return b
}

func (c *call) randomU64() uint64 {
	var b [8]byte
	if _, err := io.ReadFull(c.cfg.Random, b[:]); err != nil {
		c.trap(fault.As(fault.Unavailable, "wasi random", err))
	}
	return binary.LittleEndian.Uint64(b[:])
}

// seed is drawn once per invocation unless the configuration fixes it.
func (c *call) seed() [2]uint64 {
	if c.cfg.InsecureSeed == [2]uint64{} {
		c.cfg.InsecureSeed = [2]uint64{c.randomU64(), c.randomU64()}
	}
	return c.cfg.InsecureSeed
}

// cheap is the invocation's fast generator.
func (c *call) cheap() *rand.Rand {
	if c.insecure == nil {
		seed := c.seed()
		c.insecure = rand.New(rand.NewPCG(seed[0], seed[1]))
	}
	return c.insecure
}

func (c *call) insecureRead(b []byte) (int, error) {
	r := c.cheap()
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return len(b), nil
}

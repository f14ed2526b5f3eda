package wasi

import (
	"math"
	"time"

	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

func clocks() []*link.Interface {
	return []*link.Interface{
		face("clocks/monotonic-clock", map[string]link.Func{
			"now":               fn(func(c *call) any { return c.now() }),
			"resolution":        answer(uint64(1)),
			"subscribe-instant": fn(func(c *call) any { return own(pollable(arg[uint64](c, 0))) }),
			"subscribe-duration": fn(func(c *call) any {
				now, d := c.now(), arg[uint64](c, 0)
				return own(pollable(now + min(d, math.MaxUint64-now)))
			}),
		}),
		face("clocks/wall-clock", map[string]link.Func{
			"now":        fn(func(c *call) any { return datetime(c.cfg.Clock()) }),
			"resolution": answer(datetime(time.Unix(0, 1))),
		}),
	}
}

// datetime is t as wasi:clocks writes it: since 1970, which nothing precedes.
func datetime(t time.Time) canon.Record {
	if t.Unix() < 0 {
		t = time.Unix(0, 0)
	}
	return canon.Record{
		{Name: "seconds", Value: uint64(t.Unix())},
		{Name: "nanoseconds", Value: uint32(t.Nanosecond())},
	}
}

package wasi

import (
	"math"
	"time"

	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

func clocks() []*link.Interface {
	return []*link.Interface{
		Face("clocks/monotonic-clock", map[string]link.Func{
			"now":               Func(func(c *Call) any { return c.monotonic() }),
			"resolution":        answer(uint64(1)),
			"subscribe-instant": Func(func(c *Call) any { return own(moment(Arg[uint64](c, 0))) }),
			"subscribe-duration": Func(func(c *Call) any {
				now, d := c.now(), Arg[uint64](c, 0)
				return own(moment(now + min(d, math.MaxUint64-now)))
			}),
		}),
		Face("clocks/wall-clock", map[string]link.Func{
			"now":        Func(func(c *Call) any { return datetime(c.wall()) }),
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

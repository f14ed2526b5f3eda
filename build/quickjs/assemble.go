package quickjs

import (
	"fmt"

	enc "greentic.dev/wasm/encode"
	"greentic.dev/wasm/wit"
)

// assemble puts the four modules of a component together.
func assemble(script string, imports, exports []*wit.Interface) []byte {
	c := enc.New()
	for _, i := range imports {
		c.Import(i)
	}
	books := c.Instantiate(c.Module(shelf(script)))
	q := c.Instantiate(c.Module(engine), enc.With{Name: "env", Core: books}, enc.With{Name: "wasi_snapshot_preview1", Core: books})
	blocks := c.Instantiate(c.Module(arena()), enc.With{Name: "q", Core: q})
	o := enc.Options{Memory: c.Memory(q, "memory"), Realloc: c.Func(blocks, "realloc")}

	var names []string
	var lowered []int
	for _, i := range imports {
		for _, f := range i.Funcs {
			names = append(names, fmt.Sprint(len(names)))
			lowered = append(lowered, c.Lower(i, f.Name, o))
		}
	}
	middle := c.Instantiate(c.Module(glue(len(script), imports, exports)), enc.With{Name: "q", Core: q}, enc.With{Name: "s", Core: books},
		enc.With{Name: "a", Core: blocks}, enc.With{Name: "h", Core: c.Bag(names, lowered)})
	n := 0
	for _, i := range exports {
		var lifted []enc.Lifted
		for range i.Funcs {
			lifted = append(lifted, enc.Lifted{Func: c.Func(middle, fmt.Sprint("call", n)), Post: c.Func(middle, fmt.Sprint("post", n))})
			n++
		}
		c.Export(i, o, lifted)
	}
	c.Producers([2]string{"quickjs-ng", Version})
	return c.Bytes()
}

package encode

import (
	"fmt"
	"strings"

	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/wit"
)

// Sorts of the items of a component.
const (
	sortFunc     byte = 0x01
	sortType     byte = 0x03
	sortInstance byte = 0x05
)

// Core is the number of a core instance.
type Core int

// Component is a component being written. Interfaces that are imported come first, those that
// are exported last.
type Component struct {
	out                           []byte
	types, funcs, instances       int
	components, modules           int
	cores, coreFuncs, coreMemorys int

	imported map[*wit.Interface]int // instance
	own      scope                  // with the types of imported interfaces
}

// New begins a component.
func New() *Component {
	c := &Component{out: []byte("\x00asm\x0d\x00\x01\x00"), imported: map[*wit.Interface]int{}}
	c.own = scope{index: map[*binary.Type]int{}, add: func(def []byte) int { return c.add(7, &c.types, def) }}
	return c
}

// Bytes is the component in the binary format.
func (c *Component) Bytes() []byte { return c.out }

// add writes a section with one item and numbers it in its index space.
func (c *Component) add(id byte, space *int, item []byte) int {
	c.out = append(c.out, section(id, vector([][]byte{item}))...)
	*space++
	return *space - 1
}

// Import imports an interface, and before it those whose types it uses. It gives the number of
// the instance.
func (c *Component) Import(i *wit.Interface) int {
	if n, ok := c.imported[i]; ok {
		return n
	}
	needed := named(i, false)
	for _, d := range needed {
		if d.Use != nil {
			c.Import(d.Use)
		}
	}
	body := instanceType{}
	s := scope{index: map[*binary.Type]int{}, add: body.define}
	for _, d := range needed {
		if at, ok := c.own.index[d.Type]; ok && d.Use != nil {
			body.decls = append(body.decls, cat([]byte{2, sortType, 2, 1}, num(at)))
			body.types++
			s.index[d.Type] = body.types - 1
		} else {
			s.index[d.Type] = s.define(d.Type)
		}
		body.decls = append(body.decls, cat([]byte{4, 0}, text(d.Name), []byte{sortType, 0}, num(s.index[d.Type])))
		body.types++
		s.index[d.Type] = body.types - 1
	}
	for _, f := range i.Funcs {
		body.decls = append(body.decls, cat([]byte{4, 0}, text(f.Name), []byte{sortFunc}, num(s.fn(f.Type))))
	}
	typ := c.add(7, &c.types, cat([]byte{0x42}, vector(body.decls)))
	n := c.add(10, &c.instances, cat([]byte{0}, text(i.FullName()), []byte{sortInstance}, num(typ)))
	c.imported[i] = n
	for _, d := range needed {
		if d.Use == nil {
			c.own.index[d.Type] = c.add(6, &c.types, cat([]byte{sortType, 0}, num(n), text(d.Name)))
		}
	}
	return n
}

// Module embeds a core module and gives its number.
func (c *Component) Module(code []byte) int {
	c.out = append(c.out, section(1, code)...)
	c.modules++
	return c.modules - 1
}

// With is a core instance under the name by which a module imports it.
type With struct {
	Name string
	Core Core
}

// Instantiate makes an instance of a module.
func (c *Component) Instantiate(module int, with ...With) Core {
	items := make([][]byte, len(with))
	for i, w := range with {
		items[i] = cat(text(w.Name), []byte{0x12}, num(w.Core))
	}
	return Core(c.add(2, &c.cores, cat([]byte{0}, num(module), vector(items))))
}

// Bag makes a core instance of functions, as Lower gives them.
func (c *Component) Bag(names []string, funcs []int) Core {
	items := make([][]byte, len(names))
	for i, name := range names {
		items[i] = cat(text(name), []byte{0}, num(funcs[i]))
	}
	return Core(c.add(2, &c.cores, cat([]byte{1}, vector(items))))
}

// Func is a function that a core instance exports.
func (c *Component) Func(in Core, name string) int {
	return c.add(6, &c.coreFuncs, cat([]byte{0, kindFunc, 1}, num(in), text(name)))
}

// Memory is a memory that a core instance exports.
func (c *Component) Memory(in Core, name string) int {
	return c.add(6, &c.coreMemorys, cat([]byte{0, kindMemory, 1}, num(in), text(name)))
}

// Options say where values lie that go in and out: numbers of Memory and Func.
type Options struct{ Memory, Realloc int }

func (o Options) bytes(post []byte) []byte {
	items := [][]byte{{0}, cat([]byte{3}, num(o.Memory)), cat([]byte{4}, num(o.Realloc))}
	if post != nil {
		items = append(items, cat([]byte{5}, post))
	}
	return vector(items)
}

// Lower makes a core function of a function of an imported interface.
func (c *Component) Lower(i *wit.Interface, name string, o Options) int {
	f := c.add(6, &c.funcs, cat([]byte{sortFunc, 0}, num(c.Import(i)), text(name)))
	return c.add(8, &c.coreFuncs, cat([]byte{1, 0}, num(f), o.bytes(nil)))
}

// Lifted are the core functions behind an exported function.
type Lifted struct{ Func, Post int }

// Export exports an interface, and imports those whose types it uses. lifted has the core functions for each of its functions, in their
// order. As wit-component does it, a nested component gives the types their names.
func (c *Component) Export(i *wit.Interface, o Options, lifted []Lifted) {
	inner := New()
	needed := named(i, true)
	var args [][]byte
	for _, d := range needed {
		if d.Use != nil {
			c.Import(d.Use)
		}
	}
	for n, d := range needed {
		def := inner.own.define(d.Type)
		name := "import-type-" + d.Name
		if d.Name == "" { // a part of a type of another interface
			name = fmt.Sprintf("import-type-part-%d", n)
		}
		inner.own.index[d.Type] = inner.add(10, &inner.types, cat([]byte{0}, text(name), []byte{sortType, 0}, num(def)))
		args = append(args, cat(text(name), []byte{sortType}, num(c.own.define(d.Type))))
	}
	for n, f := range i.Funcs {
		name := "import-func-" + f.Name
		inner.add(10, &inner.funcs, cat([]byte{0}, text(name), []byte{sortFunc}, num(inner.own.fn(f.Type))))
		fn := c.add(8, &c.funcs, cat([]byte{0, 0}, num(lifted[n].Func), o.bytes(num(lifted[n].Post)), num(c.own.fn(f.Type))))
		args = append(args, cat(text(name), []byte{sortFunc}, num(fn)))
	}
	out := scope{index: map[*binary.Type]int{}, add: inner.own.add}
	for _, d := range needed {
		if d.Name == "" {
			out.index[d.Type] = inner.own.index[d.Type]
			continue
		}
		def := out.define(d.Type) // anew: its parts have the names they are exported by
		out.index[d.Type] = inner.add(11, &inner.types, cat([]byte{0}, text(d.Name), []byte{sortType}, num(def), []byte{0}))
	}
	for n, f := range i.Funcs {
		inner.add(11, &inner.funcs, cat([]byte{0}, text(f.Name), []byte{sortFunc}, num(n), []byte{1, sortFunc}, num(out.fn(f.Type))))
	}
	c.out = append(c.out, section(4, inner.Bytes())...)
	c.components++
	made := c.add(5, &c.instances, cat([]byte{0}, num(c.components-1), vector(args)))
	c.add(11, &c.instances, cat([]byte{0}, text(i.FullName()), []byte{sortInstance}, num(made), []byte{0}))
}

// Producers says which tools made the component: pairs of a name and a version.
func (c *Component) Producers(tools ...[2]string) {
	var items [][]byte
	for _, t := range tools {
		items = append(items, cat(text(t[0]), text(t[1])))
	}
	body := cat(text("producers"), vector([][]byte{cat(text("processed-by"), vector(items))}))
	c.out = append(c.out, section(0, body)...)
}

// Camel is a name of lowercase words hyphens, as WIT has them, in the camel case of JavaScript.
func Camel(name string) string {
	head, rest, found := strings.Cut(name, "-")
	for found {
		var word string
		word, rest, found = strings.Cut(rest, "-")
		if word != "" {
			head += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return head
}

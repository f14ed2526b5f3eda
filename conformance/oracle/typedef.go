package oracle

import "fmt"

// definer is an index space of types: a component or an instance type.
type definer interface {
	define(def []byte) int     // adds a definition
	known(t *Type) (int, bool) // where a named type, or one defined before, is
	remember(t *Type, index int)
}

func (c *component) define(def []byte) int { return c.add(7, &c.types, def) }

func (c *component) known(t *Type) (int, bool) { i, ok := c.index[t]; return i, ok }

func (c *component) remember(t *Type, index int) { c.index[t] = index }

// instanceType is the type of an instance being made.
type instanceType struct {
	decls [][]byte
	types int
	index map[*Type]int
}

func newInstanceType() *instanceType { return &instanceType{index: map[*Type]int{}} }

func (s *instanceType) define(def []byte) int {
	s.decls = append(s.decls, cat([]byte{1}, def))
	s.types++
	return s.types - 1
}

func (s *instanceType) known(t *Type) (int, bool) { i, ok := s.index[t]; return i, ok }

func (s *instanceType) remember(t *Type, index int) { s.index[t] = index }

// exportType declares that the instance exports t under its name.
func (s *instanceType) exportType(t *Type, bound []byte) {
	s.decls = append(s.decls, cat([]byte{4, 0}, str(t.Name), []byte{sortType}, bound))
	s.remember(t, s.types)
	s.types++
}

func (s *instanceType) exportFunc(name string, f *Func) {
	s.decls = append(s.decls, cat([]byte{4, 0}, str(name), []byte{sortFunc}, num(funcType(s, name, f))))
}

// outer makes a type of the enclosing component known, and exports it as wit-component does.
func (s *instanceType) outer(t *Type, index int) {
	s.decls = append(s.decls, cat([]byte{2, sortType, 2, 1}, num(index)))
	s.types++
	s.exportType(t, cat([]byte{0}, num(s.types-1)))
}

func (s *instanceType) bytes() []byte { return cat([]byte{0x42}, vec(s.decls...)) }

func funcType(d definer, name string, f *Func) int {
	var params [][]byte
	for i, p := range f.Params {
		label := fmt.Sprintf("p%d", i)
		if i == 0 && len(name) > 8 && name[:8] == "[method]" {
			label = "self"
		}
		params = append(params, cat(str(label), ref(d, p)))
	}
	result := []byte{1, 0}
	if f.Result != nil {
		result = cat([]byte{0}, ref(d, f.Result))
	}
	return d.define(cat([]byte{0x40}, vec(params...), result))
}

func primitive(kind string) (byte, bool) {
	for i, k := range []string{"string", "char", "f64", "f32", "u64", "s64", "u32", "s32", "u16", "s16", "u8", "s8", "bool"} {
		if k == kind {
			return byte(0x73 + i), true
		}
	}
	return 0, false
}

// ref is a reference to t; what has no name is defined on the way.
func ref(d definer, t *Type) []byte {
	if code, ok := primitive(t.Kind); ok {
		return []byte{code}
	}
	i, ok := d.known(t)
	if !ok {
		i = d.define(definition(d, t))
		d.remember(t, i)
	}
	return sleb(int64(i))
}

func optional(d definer, t *Type) []byte {
	if t == nil {
		return []byte{0}
	}
	return cat([]byte{1}, ref(d, t))
}

func definition(d definer, t *Type) []byte {
	var items [][]byte
	for i, x := range t.Types {
		switch t.Kind {
		case "record":
			items = append(items, cat(str(t.Names[i]), ref(d, x)))
		case "variant":
			items = append(items, cat(str(t.Names[i]), optional(d, x), []byte{0}))
		case "tuple":
			items = append(items, ref(d, x))
		}
	}
	if t.Types == nil {
		for _, n := range t.Names {
			items = append(items, str(n))
		}
	}
	switch t.Kind {
	case "record":
		return cat([]byte{0x72}, vec(items...))
	case "variant":
		return cat([]byte{0x71}, vec(items...))
	case "list":
		return cat([]byte{0x70}, ref(d, t.Elem))
	case "tuple":
		return cat([]byte{0x6f}, vec(items...))
	case "flags":
		return cat([]byte{0x6e}, vec(items...))
	case "enum":
		return cat([]byte{0x6d}, vec(items...))
	case "option":
		return cat([]byte{0x6b}, ref(d, t.Elem))
	case "result":
		return cat([]byte{0x6a}, optional(d, t.Elem), optional(d, t.Err))
	case "own":
		return cat([]byte{0x69}, index(d, t.Elem))
	}
	return cat([]byte{0x68}, index(d, t.Elem)) // borrow
}

// index is the plain index of a named type.
func index(d definer, t *Type) []byte {
	i, _ := d.known(t)
	return num(i)
}

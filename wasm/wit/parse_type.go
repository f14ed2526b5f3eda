package wit

import "greentic.dev/wasm/binary"

// maxDepth is how deep types may nest in one expression or chain of definitions.
const maxDepth = 64

// typeStarts reports whether a type definition comes next.
func (p *parser) typeStarts() bool {
	for _, s := range []string{"type", "record", "variant", "enum", "flags", "resource"} {
		if p.is(s) {
			return true
		}
	}
	return false
}

func (p *parser) typeDecl(h header) *typeDecl {
	d := &typeDecl{header: h}
	what := p.tok.text
	p.next()
	d.name = p.name()
	switch what {
	case "type":
		p.expect('=')
		d.alias = p.typ(0)
		p.expect(';')
		return d
	case "resource":
		d.kind = binary.Own
		p.resource(d)
		return d
	case "record":
		d.kind = binary.Record
	case "variant":
		d.kind = binary.Variant
	case "enum":
		d.kind = binary.Enum
	case "flags":
		d.kind = binary.Flags
	}
	p.list('{', '}', func() {
		m := member{docs: p.tok.docs}
		m.name = p.name()
		switch {
		case d.kind == binary.Record:
			p.expect(':')
			m.typ = p.typ(0)
		case d.kind == binary.Variant && p.tok.kind == '(':
			p.next()
			m.typ = p.typ(0)
			p.expect(')')
		}
		d.members = append(d.members, m)
	})
	if len(d.members) == 0 {
		p.failAt(d.name.at, "give it at least one member", "%s %q is empty", what, d.name.text)
	}
	if d.kind == binary.Flags && len(d.members) > 32 {
		p.failAt(d.name.at, "split it", "flags %q has %d names, at most 32 are possible", d.name.text, len(d.members))
	}
	return d
}

// resource reads the functions of a resource, which may have none.
func (p *parser) resource(d *typeDecl) {
	if p.tok.kind == ';' {
		p.next()
		return
	}
	p.expect('{')
	for p.tok.kind != '}' && p.tok.kind != eof {
		f := &funcDecl{header: p.header()}
		f.name = name{d.name.text, p.tok.at}
		if p.take("constructor") {
			f.kind = "constructor"
			p.signature(f)
			p.expect(';')
		} else {
			f.kind = "method"
			f.name = p.name()
			f.name.text = d.name.text + "." + f.name.text
			p.expect(':')
			if p.take("static") {
				f.kind = "static"
			}
			p.funcType(f)
		}
		f.name.text = "[" + f.kind + "]" + f.name.text
		d.funcs = append(d.funcs, f)
	}
	p.expect('}')
}

// function reads what follows "name:".
func (p *parser) function(h header) *funcDecl {
	f := &funcDecl{header: h}
	p.funcType(f)
	return f
}

func (p *parser) funcType(f *funcDecl) {
	if p.is("async") {
		p.unsupported(p.tok.at, "make the function synchronous", "async functions are not supported")
	}
	if p.is("get") || p.is("set") {
		p.unsupported(p.tok.at, "make it a function", "accessors (%s) are not supported", p.tok.text)
	}
	if !p.take("func") {
		p.unexpected("func")
	}
	p.signature(f)
	p.expect(';')
}

func (p *parser) signature(f *funcDecl) {
	p.list('(', ')', func() {
		m := member{name: p.name()}
		p.expect(':')
		m.typ = p.typ(0)
		f.params = append(f.params, m)
	})
	if p.tok.kind == arrow {
		p.next()
		f.result = p.typ(0)
	}
}

// typ reads a type expression.
func (p *parser) typ(depth int) *typeExpr {
	t := &typeExpr{at: p.tok.at}
	if depth > maxDepth {
		p.failAt(t.at, "", "types are nested deeper than %d", maxDepth)
		return t
	}
	if p.tok.kind != word || p.tok.escaped {
		t.name = p.name()
		return t
	}
	if t.kind = primitive(p.tok.text); t.kind != 0 {
		p.next()
		return t
	}
	switch what := p.tok.text; what {
	case "list":
		t.kind = binary.List
		p.args(t, depth, 1)
	case "option":
		t.kind = binary.Option
		p.args(t, depth, 1)
	case "tuple":
		t.kind = binary.Tuple
		p.args(t, depth, maxSource)
	case "result":
		t.kind = binary.Result
		p.result(t, depth)
	case "own", "borrow":
		t.kind = binary.Own
		if what == "borrow" {
			t.kind = binary.Borrow
		}
		p.next()
		p.expect('<')
		t.name = p.name()
		p.expect('>')
	case "future", "stream", "map":
		p.unsupported(t.at, "", "%s types are not supported", what)
	default:
		t.name = p.name()
	}
	return t
}

// args reads between 1 and limit type arguments.
func (p *parser) args(t *typeExpr, depth, limit int) {
	p.next()
	p.list('<', '>', func() {
		if p.tok.kind == number && t.kind == binary.List {
			p.unsupported(p.tok.at, "use a tuple", "lists of fixed length are not supported")
			return
		}
		t.args = append(t.args, p.typ(depth+1))
	})
	if n := len(t.args); n == 0 || n > limit && t.kind != binary.Tuple {
		p.failAt(t.at, "", "wrong number of type arguments")
	}
}

// result reads "result", "result<t>", "result<_, e>" or "result<t, e>".
func (p *parser) result(t *typeExpr, depth int) {
	p.next()
	t.args = make([]*typeExpr, 2)
	if p.tok.kind != '<' {
		return
	}
	p.next()
	if p.tok.kind == '_' {
		p.next()
		p.expect(',')
		t.args[1] = p.typ(depth + 1)
	} else {
		t.args[0] = p.typ(depth + 1)
		if p.tok.kind == ',' {
			p.next()
			t.args[1] = p.typ(depth + 1)
		}
	}
	p.expect('>')
}

// primitives is the WIT names of the types without parts, by kind.
var primitives = [binary.String + 1]string{
	binary.Bool: "bool", binary.S8: "s8", binary.U8: "u8", binary.S16: "s16", binary.U16: "u16",
	binary.S32: "s32", binary.U32: "u32", binary.S64: "s64", binary.U64: "u64",
	binary.F32: "f32", binary.F64: "f64", binary.Char: "char", binary.String: "string",
}

func primitive(s string) binary.Kind {
	for k := binary.Bool; k <= binary.String; k++ {
		if primitives[k] == s {
			return k
		}
	}
	return 0
}

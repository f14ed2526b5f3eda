package quickjs

import (
	"encoding/json"
	"fmt"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/encode"
	"greentic.dev/wasm/wit"
)

// binder writes JavaScript that moves values between the engine's memory and JavaScript, with
// names and shapes as jco and componentize-js have them.
type binder struct {
	out   strings.Builder
	known map[*binary.Type]int
	probe bool
	err   error
}

func quoted(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func (b *binder) line(format string, args ...any) { fmt.Fprintf(&b.out, format+"\n", args...) }

func (b *binder) unsupported(what string) string {
	if b.err == nil {
		b.err = fault.New(fault.Unsupported, "quickjs bindings", what+" is not supported")
	}
	return "undefined"
}

// element is the place of a number in memory: an element of a typed array of the kernel.
func element(k binary.Kind, a string) string {
	view := map[binary.Kind]string{binary.S8: "s8", binary.U8: "u8", binary.S16: "s16", binary.U16: "u16", binary.S32: "s32", binary.U32: "u32",
		binary.S64: "s64", binary.U64: "u64", binary.F32: "f32", binary.F64: "f64"}[k]
	if view == "" {
		return ""
	}
	shift := map[byte]int{'8': 0, '6': 1, '2': 2, '4': 3}[view[len(view)-1]]
	if shift == 0 {
		return fmt.Sprintf("%s[%s - BASE]", view, a)
	}
	return fmt.Sprintf("%s[(%s - BASE) >>> %d]", view, a, shift)
}

// typ makes sure that functions to get and put a type are there, and gives their number.
func (b *binder) typ(t *binary.Type) int {
	if n, ok := b.known[t]; ok {
		return n
	}
	get, put := b.compound(t)
	n := len(b.known)
	b.known[t] = n
	b.line("const get%d = (a) => %s;", n, get)
	b.line("function put%d(a, v) {\n%s\n}", n, put)
	return n
}

// get is an expression for the value at the address a, which is an expression too.
func (b *binder) get(t *binary.Type, a string) string {
	switch t.Kind {
	case binary.Bool:
		return "u8[" + a + " - BASE] !== 0"
	case binary.Char:
		return "String.fromCodePoint(get32(" + a + "))"
	case binary.String:
		return "str(" + a + ")"
	}
	if e := element(t.Kind, a); e != "" {
		return e
	}
	if isBytes(t) {
		return "bytes(" + a + ")"
	}
	return fmt.Sprintf("get%d(%s)", b.typ(t), a)
}

// put is a statement that puts the value v to the address a.
func (b *binder) put(t *binary.Type, a, v string) string {
	switch t.Kind {
	case binary.Bool:
		return "u8[" + a + " - BASE] = " + v + " ? 1 : 0;"
	case binary.Char:
		return "set32(" + a + ", " + v + ".codePointAt(0));"
	case binary.String:
		return "putStr(" + a + ", " + a + " + 4, " + v + ");"
	case binary.S64, binary.U64:
		return element(t.Kind, a) + " = BigInt(" + v + ");"
	}
	if e := element(t.Kind, a); e != "" {
		return e + " = " + v + ";"
	}
	if isBytes(t) {
		return "putBytes(" + a + ", " + a + " + 4, " + v + ");"
	}
	return fmt.Sprintf("put%d(%s, %s);", b.typ(t), a, v)
}

func isBytes(t *binary.Type) bool { return t.Kind == binary.List && t.Elem.Kind == binary.U8 }

func at(a string, offset int) string {
	if offset == 0 {
		return a
	}
	return fmt.Sprintf("%s + %d", a, offset)
}

// compound is how a type with parts is read at a, and how v is written there.
func (b *binder) compound(t *binary.Type) (get, put string) {
	s := canon.ShapeOf(t)
	var gets, puts []string
	switch t.Kind {
	case binary.Record, binary.Tuple:
		for i, f := range t.Fields {
			place, name := at("a", s.Offsets[i]), encode.Camel(f.Name)
			if t.Kind == binary.Tuple {
				gets, puts = append(gets, b.get(f.Type, place)), append(puts, b.put(f.Type, place, fmt.Sprintf("v[%d]", i)))
			} else {
				gets, puts = append(gets, name+": "+b.get(f.Type, place)), append(puts, b.put(f.Type, place, "v."+name))
			}
		}
		if t.Kind == binary.Tuple {
			return "[" + strings.Join(gets, ", ") + "]", strings.Join(puts, "\n")
		}
		return "({ " + strings.Join(gets, ", ") + " })", strings.Join(puts, "\n")
	case binary.List:
		size := canon.ShapeOf(t.Elem).Size
		return fmt.Sprintf("getList(get32(a), get32(a + 4), %d, (a) => %s)", size, b.get(t.Elem, "a")),
			fmt.Sprintf("putList(a, a + 4, v, %d, (a, v) => { %s });", size, b.put(t.Elem, "a", "v"))
	case binary.Option:
		place := at("a", s.Payload)
		return "u8[a - BASE] === 0 ? undefined : " + b.get(t.Elem, place),
			"if (v === undefined || v === null) u8[a - BASE] = 0;\nelse { u8[a - BASE] = 1; " + b.put(t.Elem, place, "v") + " }"
	case binary.Enum:
		return fmt.Sprintf("%s[u8[a - BASE]]", quoted(t.Names)), fmt.Sprintf("u8[a - BASE] = choice(%s, v);", quoted(t.Names))
	case binary.Variant, binary.Result:
		return b.variant(t, s)
	}
	name := t.Name
	if name == "" {
		name = "a resource or flags"
	}
	return b.unsupported(name), ""
}

func (b *binder) variant(t *binary.Type, s canon.Shape) (get, put string) {
	cases := t.Cases
	if t.Kind == binary.Result {
		cases = []binary.Case{{Name: "ok", Type: t.Elem}, {Name: "err", Type: t.Err}}
	}
	names := make([]string, len(cases))
	var gets, puts []string
	for i, c := range cases {
		names[i] = c.Name
		if c.Type == nil {
			gets = append(gets, fmt.Sprintf("() => ({ tag: %s })", quoted(c.Name)))
			continue
		}
		gets = append(gets, fmt.Sprintf("() => ({ tag: %s, val: %s })", quoted(c.Name), b.get(c.Type, at("a", s.Payload))))
		puts = append(puts, fmt.Sprintf("if (u8[a - BASE] === %d) { %s }", i, b.put(c.Type, at("a", s.Payload), "v.val")))
	}
	return "[" + strings.Join(gets, ", ") + "][u8[a - BASE]]()",
		fmt.Sprintf("u8[a - BASE] = choice(%s, v.tag);\n%s", quoted(names), strings.Join(puts, "\n"))
}

// flat moves a value through slots. Those of scalars, strings, lists, records and options lie as
// their parts do; the rest is refused.
func (b *binder) flat(t *binary.Type, slot *int, v string) (get, put string) {
	a := at("slots", 8**slot)
	switch t.Kind {
	case binary.String, binary.List:
		next := at("slots", 8**slot+8)
		*slot += 2
		if t.Kind == binary.String {
			return fmt.Sprintf("text(get32(%s), get32(%s))", a, next), fmt.Sprintf("putStr(%s, %s, %s);", a, next, v)
		}
		if isBytes(t) {
			return fmt.Sprintf("u8.slice(get32(%s) - BASE, get32(%s) - BASE + get32(%s))", a, a, next), fmt.Sprintf("putBytes(%s, %s, %s);", a, next, v)
		}
		size := canon.ShapeOf(t.Elem).Size
		return fmt.Sprintf("getList(get32(%s), get32(%s), %d, (a) => %s)", a, next, size, b.get(t.Elem, "a")),
			fmt.Sprintf("putList(%s, %s, %s, %d, (a, v) => { %s });", a, next, v, size, b.put(t.Elem, "a", "v"))
	case binary.Bool, binary.S8, binary.U8, binary.S16, binary.U16, binary.Enum:
		*slot++
		if t.Kind == binary.Bool {
			return "get32(" + a + ") !== 0", "set32(" + a + ", " + v + " ? 1 : 0);"
		}
		if t.Kind == binary.Enum {
			return fmt.Sprintf("%s[get32(%s)]", quoted(t.Names), a), fmt.Sprintf("set32(%s, choice(%s, %s));", a, quoted(t.Names), v)
		}
		return b.get(t, a), "set32(" + a + ", " + v + ");"
	case binary.Record:
		var gets, puts []string
		for _, f := range t.Fields {
			g, p := b.flat(f.Type, slot, v+"."+encode.Camel(f.Name))
			gets, puts = append(gets, encode.Camel(f.Name)+": "+g), append(puts, p)
		}
		return "{ " + strings.Join(gets, ", ") + " }", strings.Join(puts, "\n")
	}
	if element(t.Kind, a) == "" && t.Kind != binary.Char {
		return b.unsupported("a variant, option, tuple or resource as a parameter among few"), ""
	}
	*slot++
	return b.get(t, a), b.put(t, a, v)
}

// imported writes the object of an interface that the modules may import; op is the number of
// its first function.
func (b *binder) imported(i *wit.Interface, op int) {
	var members []string
	for n, f := range i.Funcs {
		spillParams, spillResult := canon.Compile(f.Type).Spills()
		names, body := make([]string, len(f.Type.Params)), []string{}
		for p := range names {
			names[p] = fmt.Sprintf("p%d", p)
		}
		slot := 0
		if spillParams {
			shape := canon.TupleOf(f.Type.Params)
			body = append(body, fmt.Sprintf("const m = alloc(%d);", shape.Size))
			for p, param := range f.Type.Params {
				body = append(body, b.put(param.Type, at("m", shape.Offsets[p]), names[p]))
			}
			body = append(body, "set32(slots, m);")
			slot = 1
		} else {
			for p, param := range f.Type.Params {
				_, put := b.flat(param.Type, &slot, names[p])
				body = append(body, put)
			}
		}
		if spillResult {
			body = append(body, fmt.Sprintf("const r = alloc(%d);\nset32(%s, r);", canon.ShapeOf(f.Type.Result).Size, at("slots", 8*slot)))
		}
		body = append(body, fmt.Sprintf("prim(%d);", op+n))
		if f.Type.Result != nil {
			value := "undefined"
			if spillResult {
				value = b.get(f.Type.Result, "r")
			} else {
				zero := 0
				value, _ = b.flat(f.Type.Result, &zero, "")
			}
			if f.Type.Result.Kind == binary.Result {
				value = fmt.Sprintf("unwrap(%s, %s)", quoted(i.Name+"."+f.Name), value)
			}
			body = append(body, "return "+value+";")
		}
		members = append(members, fmt.Sprintf("%s: (%s) => {\n%s\n}", quoted(encode.Camel(f.Name)), strings.Join(names, ", "), strings.Join(body, "\n")))
	}
	b.line("offered[%s] = { %s };", quoted(i.FullName()), strings.Join(members, ",\n"))
}

// exported writes the calls of an interface's functions.
func (b *binder) exported(i *wit.Interface) {
	for _, f := range i.Funcs {
		spillParams, spillResult := canon.Compile(f.Type).Spills()
		var args []string
		if spillParams {
			shape := canon.TupleOf(f.Type.Params)
			for p, param := range f.Type.Params {
				args = append(args, b.get(param.Type, at("m", shape.Offsets[p])))
			}
		} else {
			slot := 0
			for _, param := range f.Type.Params {
				get, _ := b.flat(param.Type, &slot, "")
				args = append(args, get)
			}
		}
		end := b.conclusion(f.Type, spillResult)
		b.line("calls.push(() => {\nconst m = get32(slots);\nreturn run(() => target(%s, %s)(%s), (ok, v) => {\n%s\n});\n});",
			quoted(encode.Camel(i.Name)), quoted(encode.Camel(f.Name)), strings.Join(args, ", "), strings.Join(end, "\n"))
	}
}

// conclusion puts the result v of an exported function, or what it threw, where the glue finds it.
func (b *binder) conclusion(f *binary.Func, spilled bool) (body []string) {
	if f.Result == nil || f.Result.Kind != binary.Result {
		if b.probe {
			body = append(body, "if (!ok || missing.length > 0) v = JSON.stringify({ failure: ok ? undefined : said(v), missing });")
		} else {
			body = append(body, "if (!ok) throw v;")
		}
	} else {
		body = append(body, `v = ok ? { tag: "ok", val: v } : { tag: "err", val: payload(v) };`)
	}
	if f.Result == nil {
		return append(body, "return 1;")
	}
	if spilled {
		return append(body, fmt.Sprintf("const r = alloc(%d);", canon.ShapeOf(f.Result).Size), b.put(f.Result, "r", "v"), "return r;")
	}
	slot := 0
	_, put := b.flat(f.Result, &slot, "v")
	return append(body, put, "return 1;")
}

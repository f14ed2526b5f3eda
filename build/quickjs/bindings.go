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
	views map[*binary.Type]int
	probe bool

	dispatch strings.Builder // the cases of the exported functions
	calls    int             // how many they are
	names    [][]any         // number, interface and function of each, in JavaScript
	err      error
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
	b.line("const read%d = (a) => %s;", n, get)
	b.line("function write%d(a, v) {\n%s\n}", n, put)
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
	return fmt.Sprintf("read%d(%s)", b.typ(t), a)
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
	return fmt.Sprintf("write%d(%s, %s);", b.typ(t), a, v)
}

func isBytes(t *binary.Type) bool { return t.Kind == binary.List && t.Elem.Kind == binary.U8 }

// slot is the lower half of a slot, which is all of it but for 64 bits.
func slot(n int) string { return fmt.Sprintf("u32[S + %d]", 2*n) }

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
func (b *binder) flat(t *binary.Type, next *int, v string) (get, put string) {
	a, here := at("slots", 8**next), slot(*next)
	switch t.Kind {
	case binary.String, binary.List:
		n, second := slot(*next+1), at("slots", 8**next+8)
		*next += 2
		if t.Kind == binary.String {
			return fmt.Sprintf("text(%s, %s)", here, n), fmt.Sprintf("putStr(%s, %s, %s);", a, second, v)
		}
		if isBytes(t) {
			return fmt.Sprintf("u8.slice(%s - BASE, %s - BASE + %s)", here, here, n), fmt.Sprintf("putBytes(%s, %s, %s);", a, second, v)
		}
		size := canon.ShapeOf(t.Elem).Size
		return fmt.Sprintf("getList(%s, %s, %d, (a) => %s)", here, n, size, b.get(t.Elem, "a")),
			fmt.Sprintf("putList(%s, %s, %s, %d, (a, v) => { %s });", a, second, v, size, b.put(t.Elem, "a", "v"))
	case binary.Bool, binary.S8, binary.U8, binary.S16, binary.U16, binary.Enum:
		*next++
		if t.Kind == binary.Bool {
			return here + " !== 0", here + " = " + v + " ? 1 : 0;"
		}
		if t.Kind == binary.Enum {
			return fmt.Sprintf("%s[%s]", quoted(t.Names), here), fmt.Sprintf("%s = choice(%s, %s);", here, quoted(t.Names), v)
		}
		return b.get(t, a), here + " = " + v + ";"
	case binary.Record:
		var gets, puts []string
		for _, f := range t.Fields {
			g, p := b.flat(f.Type, next, v+"."+encode.Camel(f.Name))
			gets, puts = append(gets, encode.Camel(f.Name)+": "+g), append(puts, p)
		}
		return "{ " + strings.Join(gets, ", ") + " }", strings.Join(puts, "\n")
	}
	if element(t.Kind, a) == "" && t.Kind != binary.Char {
		return b.unsupported("a variant, option, tuple or resource as a parameter among few"), ""
	}
	*next++
	return b.get(t, a), b.put(t, a, v)
}

// imported writes the object of an interface that the modules may import; first is the number of
// its first function among all.
func (b *binder) imported(i *wit.Interface, first int) {
	var members []string
	for n, f := range i.Funcs {
		spillParams, spillResult := canon.Compile(f.Type).Spills()
		names, body := make([]string, len(f.Type.Params)), []string{}
		for p := range names {
			names[p] = fmt.Sprintf("p%d", p)
		}
		next := 0
		if spillParams {
			shape := canon.TupleOf(f.Type.Params)
			body = append(body, fmt.Sprintf("const m = alloc(%d);", shape.Size))
			for p, param := range f.Type.Params {
				body = append(body, b.put(param.Type, at("m", shape.Offsets[p]), names[p]))
			}
			body = append(body, slot(0)+" = m;")
			next = 1
		} else {
			for p, param := range f.Type.Params {
				_, put := b.flat(param.Type, &next, names[p])
				body = append(body, put)
			}
		}
		if spillResult {
			body = append(body, fmt.Sprintf("const r = alloc(%d);\n%s = r;", canon.ShapeOf(f.Type.Result).Size, slot(next)))
		}
		body = append(body, fmt.Sprintf("host[%d]();", first+n))
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

// view is an expression for an argument at a: records are objects that read a field when it is
// asked for, for most are never; byte lists are where they lie. Both last as long as the call.
func (b *binder) view(t *binary.Type, a string) string {
	if isBytes(t) {
		return fmt.Sprintf("lent(%s)", a)
	}
	if t.Kind != binary.Record {
		return b.get(t, a)
	}
	n, ok := b.views[t]
	if !ok {
		var getters []string
		for i, offset := range canon.ShapeOf(t).Offsets {
			getters = append(getters, fmt.Sprintf("get %s() { return %s; }", encode.Camel(t.Fields[i].Name), b.view(t.Fields[i].Type, at("this[PLACE]", offset))))
		}
		n = len(b.views)
		b.views[t] = n
		b.line("function View%d(a) { this[PLACE] = a; }\nView%d.prototype = { %s };", n, n, strings.Join(getters, ", "))
	}
	return fmt.Sprintf("new View%d(%s)", n, a)
}

// exported writes the calls of an interface's functions.
func (b *binder) exported(i *wit.Interface) {
	for _, f := range i.Funcs {
		spillParams, spillResult := canon.Compile(f.Type).Spills()
		var args []string
		if spillParams {
			shape := canon.TupleOf(f.Type.Params)
			for p, param := range f.Type.Params {
				args = append(args, b.view(param.Type, at("m", shape.Offsets[p])))
			}
		} else {
			next := 0
			for _, param := range f.Type.Params {
				get, _ := b.flat(param.Type, &next, "")
				args = append(args, get)
			}
		}
		// Few functions: each that JavaScript enters takes kilobytes of the host's stack.
		m := ""
		if spillParams {
			m = "const m = " + slot(0) + ";\n"
		}
		n := b.calls
		b.line("function end%d(ok, v) {\n%s\n}", n, strings.Join(b.conclusion(f.Type, spillResult), "\n"))
		fmt.Fprintf(&b.dispatch, "case %d: {\nlet ok = true, v;\ntry {\n%sv = (funcs[%d] ?? find(%d, %s, %s))(%s);\n} catch (e) {\nok = false;\nv = e;\n}\n"+
			"if (ok && v !== null && typeof v === \"object\" && typeof v.then === \"function\") return wait(v, end%d);\nreturn end%d(ok, v);\n}\n",
			firstExport+n, m, n, n, quoted(encode.Camel(i.Name)), quoted(encode.Camel(f.Name)), strings.Join(args, ", "), n, n)
		b.names = append(b.names, []any{n, encode.Camel(i.Name), encode.Camel(f.Name)})
		b.calls++
	}
}

// conclusion puts the result v of an exported function, or what it threw, where the glue finds it.
func (b *binder) conclusion(f *binary.Func, spilled bool) (body []string) {
	switch {
	case b.probe:
		body = append(body, "if (!ok || missing.length > 0) v = JSON.stringify({ failure: ok ? undefined : said(v), missing });")
	case f.Result == nil || f.Result.Kind != binary.Result:
		body = append(body, "if (!ok) throw v;")
	case spilled:
		return b.outcome(f.Result)
	}
	if f.Result == nil {
		return append(body, "return 1;")
	}
	if spilled {
		return append(body, fmt.Sprintf("const r = alloc(%d);", canon.ShapeOf(f.Result).Size), b.put(f.Result, "r", "v"), "return r;")
	}
	next := 0
	_, put := b.flat(f.Result, &next, "v")
	return append(body, put, "return 1;")
}

// outcome puts a result: v when the function returned, else the payload of what it threw.
func (b *binder) outcome(t *binary.Type) []string {
	s := canon.ShapeOf(t)
	arm := func(t *binary.Type, v string) string {
		if t == nil {
			return ""
		}
		return b.put(t, at("r", s.Payload), v)
	}
	return []string{fmt.Sprintf("const r = alloc(%d);\nu8[r - BASE] = ok ? 0 : 1;\nif (ok) {\n%s\n} else {\nv = payload(v);\n%s\n}\nreturn r;", s.Size, arm(t.Elem, "v"), arm(t.Err, "v"))}
}

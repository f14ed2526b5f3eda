package expr

import (
	"regexp"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
)

const (
	maxCondition = 8 << 10 // bytes
	maxDepth     = 64      // nesting
	maxSteps     = 100_000 // evaluation or rendering steps
)

// Condition is the compiled condition of a route: a closed subset of CEL with the ecosystem's
// meaning of `path == literal` (formats digest 1.4, decision 22). It is immutable.
type Condition struct {
	src  string
	root operand
}

// CompileCondition compiles a condition. Operators are || && ! == != < <= > >= in + - * / % and
// ?:, calls are size, has, int, double, string and the methods startsWith, endsWith, contains,
// matches and size. A single bare word beside == or != is a text. Anything else is fault.Invalid
// with the column, or fault.Unsupported when it is CEL outside the subset.
func CompileCondition(src string) (*Condition, error) {
	if len(src) > maxCondition {
		return nil, fault.Newf(fault.Invalid, "condition", "longer than %d bytes", maxCondition)
	}
	tokens, err := tokenize(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	root := p.ternary()
	if t := p.peek(); p.err == nil && t.kind != tokEnd {
		p.fail(t, "unexpected "+t.text)
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Condition{src: src, root: root}, nil
}

// String is the source of the condition.
func (c *Condition) String() string { return c.src }

// Eval evaluates the condition on the roots of scope, which it does not change. A missing path
// is null; null is false where a boolean is needed, and orders against nothing. The error is
// fault.Invalid for operands of the wrong sort, fault.Exhausted over 100 000 steps.
func (c *Condition) Eval(scope map[string]any) (bool, error) {
	e := &evaluation{src: c.src, scope: scope}
	v, err := e.run(c.root)
	if err != nil {
		return false, err
	}
	return e.truth(c.root, v)
}

// operand is one node of a parsed condition.
type operand struct {
	op   string // literal, word, root, member, index, call, method, list, ecosystem eq/ne, or the operator
	col  int
	name string
	lit  any
	args []operand
	re   *regexp.Regexp
}

// isPath says whether o is a plain way into the scope.
func (o operand) isPath() bool {
	switch o.op {
	case "root":
		return true
	case "member", "group":
		return o.args[0].isPath()
	case "index":
		return o.args[0].isPath() && o.args[1].op == "literal"
	}
	return false
}

type parser struct {
	src    string
	tokens []token
	at     int
	depth  int
	err    error
}

func (p *parser) peek() token { return p.tokens[min(p.at, len(p.tokens)-1)] }

func (p *parser) next() token {
	t := p.peek()
	p.at++
	return t
}

func (p *parser) fail(t token, msg string) operand {
	if p.err == nil {
		if t.kind == tokEnd {
			msg = "the condition ends too early"
		}
		p.err = wrong(p.src, t.col, msg)
	}
	p.at = len(p.tokens) - 1
	return operand{op: "literal"}
}

// sign takes the next token if it is one of texts.
func (p *parser) sign(texts ...string) (token, bool) {
	t := p.peek()
	if (t.kind == tokSign || t.kind == tokName && t.text == "in") && slices.Contains(texts, t.text) {
		p.at++
		return t, true
	}
	return t, false
}

func (p *parser) expect(text string) {
	if t, ok := p.sign(text); !ok {
		p.fail(t, "expected "+text)
	}
}

func (p *parser) ternary() operand {
	if p.depth++; p.depth > maxDepth {
		return p.fail(p.peek(), "nested too deep")
	}
	defer func() { p.depth-- }()
	cond := p.binary(0)
	if t, ok := p.sign("?"); ok {
		yes := p.ternary()
		p.expect(":")
		return operand{op: "?", col: t.col, args: []operand{cond, yes, p.ternary()}}
	}
	return cond
}

// precedence lists the binary operators, weakest first.
func precedence(level int) []string {
	switch level {
	case 0:
		return []string{"||"}
	case 1:
		return []string{"&&"}
	case 2:
		return []string{"==", "!=", "<", "<=", ">", ">=", "in"}
	case 3:
		return []string{"+", "-"}
	case 4:
		return []string{"*", "/", "%"}
	}
	return nil
}

func (p *parser) binary(level int) operand {
	ops := precedence(level)
	if ops == nil {
		return p.unary()
	}
	left := p.binary(level + 1)
	for {
		t, ok := p.sign(ops...)
		if !ok {
			return left
		}
		left = comparison(operand{op: t.text, col: t.col, args: []operand{left, p.binary(level + 1)}})
	}
}

// comparison gives path == literal and path != literal their ecosystem meaning. null is no
// literal in this sense: it asks whether the path is missing.
func comparison(o operand) operand {
	if o.op != "==" && o.op != "!=" {
		return o
	}
	l, r := o.args[0], o.args[1]
	if r.op == "root" && l.isPath() {
		r = operand{op: "literal", col: r.col, lit: r.name}
	}
	if l.op == "literal" {
		l, r = r, l
	}
	if l.isPath() && r.op == "literal" && r.lit != nil {
		o.op, o.args = "text"+o.op, []operand{l, r}
	}
	return o
}

func (p *parser) unary() operand {
	if p.depth++; p.depth > maxDepth {
		return p.fail(p.peek(), "nested too deep")
	}
	defer func() { p.depth-- }()
	if t, ok := p.sign("!"); ok {
		return operand{op: "!", col: t.col, args: []operand{p.unary()}}
	}
	if t, ok := p.sign("-"); ok {
		o := p.unary()
		if n, ok := number(o.lit); ok && o.op == "literal" {
			n.i, n.f = -n.i, -n.f
			return operand{op: "literal", col: t.col, lit: n.value()}
		}
		return operand{op: "-", col: t.col, args: []operand{{op: "literal", lit: int64(0)}, o}}
	}
	return p.postfix(p.primary())
}

func (p *parser) primary() operand {
	t := p.next()
	switch {
	case t.kind == tokString:
		return operand{op: "literal", col: t.col, lit: t.text}
	case t.kind == tokNumber:
		return operand{op: "literal", col: t.col, lit: t.value}
	case t.kind == tokName && (t.text == "true" || t.text == "false"):
		return operand{op: "literal", col: t.col, lit: t.text == "true"}
	case t.kind == tokName && t.text == "null":
		return operand{op: "literal", col: t.col}
	case t.kind == tokName:
		if _, ok := p.sign("("); ok {
			return p.call(operand{op: "call", col: t.col, name: t.text}, p.arguments(")"))
		}
		return operand{op: "root", col: t.col, name: t.text}
	case t.text == "(":
		o := p.ternary()
		p.expect(")")
		return operand{op: "group", col: t.col, args: []operand{o}}
	case t.text == "[":
		return operand{op: "list", col: t.col, args: p.arguments("]")}
	}
	return p.fail(t, "unexpected "+t.text)
}

func (p *parser) arguments(end string) []operand {
	var args []operand
	for {
		if _, ok := p.sign(end); ok || p.err != nil {
			return args
		}
		if len(args) > 0 {
			p.expect(",")
		}
		args = append(args, p.ternary())
	}
}

func (p *parser) postfix(o operand) operand {
	for depth := 0; p.err == nil; depth++ {
		t, ok := p.sign(".", "[")
		if !ok {
			return o
		}
		if depth > maxPath {
			return p.fail(t, "the path is too long")
		}
		if t.text == "[" {
			index := p.ternary()
			p.expect("]")
			o = operand{op: "index", col: t.col, args: []operand{o, index}}
			continue
		}
		name := p.next()
		if name.kind != tokName && name.kind != tokNumber || strings.Contains(name.text, ".") {
			return p.fail(name, "a name is missing after the dot")
		}
		if _, ok := p.sign("("); ok {
			o = p.call(operand{op: "method", col: name.col, name: name.text}, append([]operand{o}, p.arguments(")")...))
			continue
		}
		o = operand{op: "member", col: name.col, name: name.text, args: []operand{o}}
	}
	return o
}

// call checks a call against the closed list.
func (p *parser) call(o operand, args []operand) operand {
	o.args = args
	want := map[string]int{
		"call size": 1, "call has": 1, "call int": 1, "call double": 1, "call string": 1, "method size": 1,
		"method startsWith": 2, "method endsWith": 2, "method contains": 2, "method matches": 2,
	}[o.op+" "+o.name]
	if p.err != nil {
		return o
	}
	if want == 0 {
		p.err = fault.Newf(fault.Unsupported, "condition", "there is no function %s", o.name).
			At(fault.Position{Line: 1, Col: o.col, Excerpt: p.src}).
			WithFix("use size, has, int, double, string, startsWith, endsWith, contains or matches")
		return o
	}
	at := token{kind: tokName, col: o.col}
	switch {
	case len(args) != want:
		return p.fail(at, o.name+" has the wrong number of arguments")
	case o.name == "has" && !args[0].isPath():
		return p.fail(at, "has needs a path")
	case o.name == "matches":
		s, ok := args[1].lit.(string)
		if !ok {
			return p.fail(at, "matches needs a pattern in quotes")
		}
		var err error
		if o.re, err = regexp.Compile(s); err != nil {
			return p.fail(at, "the pattern is wrong: "+s)
		}
	}
	return o
}

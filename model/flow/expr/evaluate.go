package expr

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
)

// evaluation is one evaluation of a condition.
type evaluation struct {
	src   string
	scope map[string]any
	steps int
}

func (e *evaluation) wrong(o operand, format string, args ...any) error {
	return wrong(e.src, o.col, fmt.Sprintf(format, args...))
}

func (e *evaluation) run(o operand) (any, error) {
	if e.steps++; e.steps > maxSteps {
		return nil, fault.Newf(fault.Exhausted, "condition", "more than %d steps", maxSteps)
	}
	switch o.op {
	case "literal":
		return o.lit, nil
	case "root":
		return e.scope[o.name], nil
	case "&&", "||":
		return e.logic(o)
	case "?":
		c, err := e.run(o.args[0])
		if err != nil {
			return nil, err
		}
		yes, err := e.truth(o, c)
		if err != nil {
			return nil, err
		}
		if yes {
			return e.run(o.args[1])
		}
		return e.run(o.args[2])
	}
	args := make([]any, len(o.args))
	for i, a := range o.args {
		var err error
		if args[i], err = e.run(a); err != nil {
			return nil, err
		}
	}
	return e.apply(o, args)
}

func (e *evaluation) truth(o operand, v any) (bool, error) {
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	}
	return false, e.wrong(o, "a %s is neither true nor false", sort(v))
}

// logic is && and ||: like CEL, an operand that decides wins over the error of the other.
func (e *evaluation) logic(o operand) (any, error) {
	decides := o.op == "||"
	var failed error
	for _, a := range o.args {
		v, err := e.run(a)
		b := false
		if err == nil {
			b, err = e.truth(a, v)
		}
		if err == nil && b == decides {
			return decides, nil
		}
		if failed == nil {
			failed = err
		}
	}
	return !decides, failed
}

func (e *evaluation) apply(o operand, args []any) (any, error) {
	switch o.op {
	case "group":
		return args[0], nil
	case "list":
		return args, nil
	case "member":
		v, _ := member(args[0], o.name)
		return v, nil
	case "index":
		key, ok := args[1].(string)
		if n, isNum := number(args[1]); isNum {
			key, ok = n.String(), true
		}
		if !ok {
			return nil, e.wrong(o, "an index is a number or a text, not a %s", sort(args[1]))
		}
		v, _ := member(args[0], key)
		return v, nil
	case "!":
		b, err := e.truth(o, args[0])
		return !b, err
	case "text==", "text!=":
		return sameText(args[0], args[1]) == (o.op == "text=="), nil
	case "==", "!=":
		return equal(args[0], args[1]) == (o.op == "=="), nil
	case "<", "<=", ">", ">=":
		return e.order(o, args)
	case "in":
		return e.within(o, args)
	case "call", "method":
		return e.call(o, args)
	}
	return e.arithmetic(o, args)
}

// sameText is the ecosystem's equality: case-insensitive texts; what is missing never equals.
func sameText(v, literal any) bool {
	switch v.(type) {
	case nil, map[string]any, []any:
		return false
	}
	return strings.EqualFold(text(v), text(literal))
}

func equal(a, b any) bool {
	n, ok := number(a)
	if m, both := number(b); ok && both {
		return n.compare(m) == 0
	}
	return reflect.DeepEqual(a, b)
}

func (e *evaluation) order(o operand, args []any) (any, error) {
	if args[0] == nil || args[1] == nil {
		return false, nil
	}
	var c int
	n, isNum := number(args[0])
	m, bothNum := number(args[1])
	s, isText := args[0].(string)
	t, bothText := args[1].(string)
	switch {
	case isNum && bothNum:
		c = n.compare(m)
	case isText && bothText:
		c = strings.Compare(s, t)
	default:
		return nil, e.wrong(o, "a %s and a %s have no order", sort(args[0]), sort(args[1]))
	}
	switch o.op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	}
	return c >= 0, nil
}

func (e *evaluation) within(o operand, args []any) (any, error) {
	switch in := args[1].(type) {
	case nil:
		return false, nil
	case []any:
		if e.steps += len(in); e.steps > maxSteps {
			return nil, fault.Newf(fault.Exhausted, "condition", "more than %d steps", maxSteps)
		}
		for _, item := range in {
			if equal(args[0], item) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		key, _ := args[0].(string)
		_, ok := in[key]
		return ok, nil
	}
	return nil, e.wrong(o, "in needs a list or a map, not a %s", sort(args[1]))
}

func (e *evaluation) call(o operand, args []any) (any, error) {
	if o.name == "has" {
		return args[0] != nil, nil
	}
	if args[0] == nil && o.op == "method" && o.name != "size" {
		return false, nil
	}
	switch o.name {
	case "size":
		switch v := args[0].(type) {
		case nil:
			return int64(0), nil
		case string:
			return int64(utf8.RuneCountInString(v)), nil
		case []any:
			return int64(len(v)), nil
		case map[string]any:
			return int64(len(v)), nil
		}
		return nil, e.wrong(o, "a %s has no size", sort(args[0]))
	case "string":
		return text(args[0]), nil
	case "int", "double":
		return e.convert(o, args[0])
	}
	s, ok := args[0].(string)
	part, both := args[1].(string)
	if !ok || !both {
		return nil, e.wrong(o, "%s needs texts, not a %s and a %s", o.name, sort(args[0]), sort(args[1]))
	}
	switch o.name {
	case "startsWith":
		return strings.HasPrefix(s, part), nil
	case "endsWith":
		return strings.HasSuffix(s, part), nil
	case "contains":
		return strings.Contains(s, part), nil
	}
	return o.re.MatchString(s), nil
}

func (e *evaluation) convert(o operand, v any) (any, error) {
	if s, ok := v.(string); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return nil, e.wrong(o, "%s of a text that is no number", o.name)
		}
		v = f
	}
	n, ok := number(v)
	switch {
	case !ok:
		return nil, e.wrong(o, "%s of a %s", o.name, sort(v))
	case o.name == "double":
		return n.f, nil
	case n.isInt:
		return n.i, nil
	case !(math.Abs(n.f) < 1<<63):
		return nil, e.wrong(o, "the number is too big for int")
	}
	return int64(n.f), nil
}

func (e *evaluation) arithmetic(o operand, args []any) (any, error) {
	if s, ok := args[0].(string); ok && o.op == "+" {
		if t, ok := args[1].(string); ok {
			if len(s)+len(t) > maxOutput {
				return nil, fault.New(fault.Exhausted, "condition", "the text is too long")
			}
			return s + t, nil
		}
	}
	a, ok := number(args[0])
	b, both := number(args[1])
	if !ok || !both {
		return nil, e.wrong(o, "%s needs numbers, not a %s and a %s", o.op, sort(args[0]), sort(args[1]))
	}
	if !a.isInt || !b.isInt {
		return floats(o.op, a.f, b.f), nil
	}
	if b.i == 0 && (o.op == "/" || o.op == "%") {
		return nil, e.wrong(o, "division by zero")
	}
	var i int64
	switch o.op {
	case "+":
		i = a.i + b.i
	case "-":
		i = a.i - b.i
	case "*":
		i = a.i * b.i
	case "/":
		i = a.i / b.i
	default:
		i = a.i % b.i
	}
	if f := floats(o.op, a.f, b.f); o.op != "%" && o.op != "/" && math.Abs(f) >= 1<<63 {
		return nil, e.wrong(o, "integer overflow")
	}
	return i, nil
}

func floats(op string, a, b float64) float64 {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	}
	return math.Mod(a, b)
}

// sort names what a value is, for messages.
func sort(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "text"
	case []any:
		return "list"
	case map[string]any, Scope:
		return "map"
	}
	if _, ok := number(v); ok {
		return "number"
	}
	return fmt.Sprintf("%T", v)
}

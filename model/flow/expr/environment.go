//go:build !wasip1

package expr

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"
)

// newEnvironment is CEL with the functions of decision 22; building it takes about a millisecond.
func newEnvironment() (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.StdLib(), cel.ClearMacros(), cel.Macros(macros()...), cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(2 * maxCondition), cel.EnableHiddenAccumulatorName(true),
		cel.CustomTypeAdapter(adapter{}),
		binary(fnSame, cel.BoolType, func(a, b ref.Val) ref.Val { return types.Bool(sameText(a, b)) }),
		binary(fnDiffers, cel.BoolType, func(a, b ref.Val) ref.Val { return types.Bool(!sameText(a, b)) }),
		binary(fnAt, cel.DynType, at),
		binary("@"+operators.In, cel.BoolType, within),
		unary(fnTruth, cel.BoolType, truth),
		unary(fnItems, cel.DynType, items),
		binary(fnMatches, cel.BoolType, func(s, pattern ref.Val) ref.Val { return types.NewErr("matches needs a pattern in quotes") }),
	}
	for i := range maxPath {
		options = append(options, cel.Variable("@"+strconv.Itoa(i), cel.DynType))
	}
	for operator, holds := range map[string]func(int) bool{
		operators.Less: func(c int) bool { return c < 0 }, operators.LessEquals: func(c int) bool { return c <= 0 },
		operators.Greater: func(c int) bool { return c > 0 }, operators.GreaterEquals: func(c int) bool { return c >= 0 },
	} {
		options = append(options, binary("@"+operator, cel.BoolType, func(a, b ref.Val) ref.Val { return order(a, b, holds) }))
	}
	for _, operator := range []string{operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo} {
		options = append(options, binary("@"+operator, cel.DynType, func(a, b ref.Val) ref.Val { return arithmetic(operator, a, b) }))
	}
	for _, method := range []string{"startsWith", "endsWith", "contains"} {
		options = append(options, cel.Function(method, cel.MemberOverload("null_"+method, []*cel.Type{cel.NullType, cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(ref.Val, ref.Val) ref.Val { return types.False }))))
	}
	return cel.NewCustomEnv(options...)
}

func unary(name string, result *cel.Type, f func(ref.Val) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType}, result, cel.UnaryBinding(f)))
}

func binary(name string, result *cel.Type, f func(a, b ref.Val) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(name, []*cel.Type{cel.DynType, cel.DynType}, result, cel.BinaryBinding(f)))
}

// patterns compiles the pattern of @matches, a literal, once. A missing text matches nothing.
func patterns() *interpreter.RegexOptimization {
	compile := func(call interpreter.InterpretableCall, pattern string) (interpreter.InterpretableCall, error) {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, err
		}
		return interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(args ...ref.Val) ref.Val {
			switch s := args[0].(type) {
			case types.String:
				return types.Bool(re.MatchString(string(s)))
			case types.Null:
				return types.False
			}
			return types.NewErr("matches needs a text, not a %s", sort(args[0]))
		}), nil
	}
	return &interpreter.RegexOptimization{Function: fnMatches, RegexIndex: 1, Factory: compile}
}

// macros are the standard ones; has takes every path, for missing is null.
func macros() []cel.Macro {
	out := []cel.Macro{cel.GlobalMacro(operators.Has, 1, func(eh parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		switch e := args[0]; {
		case e.Kind() == ast.SelectKind:
			return eh.NewPresenceTest(e.AsSelect().Operand(), e.AsSelect().FieldName()), nil
		case e.Kind() == ast.IdentKind, e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index:
			return eh.NewCall(operators.NotEquals, e, eh.NewLiteral(types.NullValue)), nil
		}
		return nil, eh.NewError(args[0].ID(), "has needs a path")
	})}
	for _, m := range cel.StandardMacros {
		if m.Function() != operators.Has {
			out = append(out, m)
		}
	}
	return out
}

// adapter shows JSON-like values to CEL without copying them.
type adapter struct{}

func (a adapter) NativeToValue(v any) ref.Val {
	switch v := v.(type) {
	case map[string]any:
		return types.NewStringInterfaceMap(a, v)
	case Scope:
		return types.NewStringInterfaceMap(a, v)
	case []any:
		return types.NewDynamicList(a, v)
	case string:
		return types.String(v)
	case bool:
		return types.Bool(v)
	case nil:
		return types.NullValue
	}
	if n, ok := number(v); ok {
		if n.isInt {
			return types.Int(n.i)
		}
		return types.Double(n.f)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// costs counts the functions whose work grows with their arguments, as CEL counts its own.
type costs struct{}

func (costs) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	cost := uint64(1)
	switch function {
	case "@" + operators.In:
		if l, ok := args[1].(traits.Lister); ok {
			cost += uint64(l.Size().(types.Int))
		}
	case fnMatches:
		text, _ := args[0].(types.String)
		pattern, _ := args[1].(types.String)
		cost += (uint64(len(text))/10 + 1) * (uint64(len(pattern))/4 + 1)
	case "@" + operators.Add:
		if s, ok := result.(types.String); ok {
			cost += uint64(len(s)) / 10
		}
	case fnSame, fnDiffers:
		if s, ok := args[0].(types.String); ok {
			cost += uint64(len(s)) / 10
		}
	default:
		return nil
	}
	return &cost
}

// sameText is the ecosystem's equality: case-insensitive texts; what is missing never equals.
func sameText(v, literal ref.Val) bool {
	want, _ := literal.(types.String)
	switch v := v.(type) {
	case types.String:
		return strings.EqualFold(string(v), string(want))
	case types.Bool, types.Int, types.Uint, types.Double:
		return strings.EqualFold(text(v.Value()), string(want))
	}
	return false
}

// at is a member of a map or an item of a list, null when missing.
func at(v, key ref.Val) ref.Val {
	var found ref.Val
	switch v := v.(type) {
	case traits.Mapper:
		if s, ok := key.(types.String); ok {
			found, _ = v.Find(s)
		} else if found, _ = v.Find(key); found == nil {
			found, _ = v.Find(types.String(text(key.Value())))
		}
	case traits.Lister:
		n, ok := number(key.Value())
		if s, isText := key.(types.String); isText {
			i, err := strconv.ParseInt(string(s), 10, 64)
			n, ok = integer(i), err == nil
		}
		if ok && n.f >= 0 && n.f < float64(v.Size().(types.Int)) && n.f == math.Trunc(n.f) {
			found = v.Get(types.Int(n.f))
		}
	}
	if found == nil {
		return types.NullValue
	}
	return found
}

func truth(v ref.Val) ref.Val {
	switch v.(type) {
	case types.Bool:
		return v
	case types.Null:
		return types.False
	}
	return types.NewErr("a %s is neither true nor false", sort(v))
}

func items(v ref.Val) ref.Val {
	if v == types.NullValue {
		return types.NewDynamicList(adapter{}, []any{})
	}
	return v
}

func within(v, in ref.Val) ref.Val {
	switch in := in.(type) {
	case types.Null:
		return types.False
	case traits.Container:
		return in.Contains(v)
	}
	return types.NewErr("in needs a list or a map, not a %s", sort(in))
}

func order(a, b ref.Val, holds func(int) bool) ref.Val {
	if a == types.NullValue || b == types.NullValue {
		return types.False
	}
	if c, ok := a.(traits.Comparer); ok {
		if n, ok := c.Compare(b).(types.Int); ok {
			return types.Bool(holds(int(n)))
		}
	}
	if isNaN(a) || isNaN(b) {
		return types.False
	}
	return types.NewErr("a %s and a %s have no order", sort(a), sort(b))
}

func isNaN(v ref.Val) bool {
	d, ok := v.(types.Double)
	return ok && math.IsNaN(float64(d))
}

// arithmetic is CEL's; numbers of different sorts, which JSON does not tell apart, meet as doubles.
func arithmetic(operator string, a, b ref.Val) ref.Val {
	if a.Type() != b.Type() {
		n, ok := number(a.Value())
		m, both := number(b.Value())
		if ok && both {
			a, b = types.Double(n.f), types.Double(m.f)
		}
	}
	if x, ok := a.(types.Double); ok && operator == operators.Modulo {
		if y, ok := b.(types.Double); ok {
			return types.Double(math.Mod(float64(x), float64(y)))
		}
	}
	var out ref.Val
	switch operator {
	case operators.Add:
		if x, ok := a.(traits.Adder); ok {
			out = x.Add(b)
		}
	case operators.Subtract:
		if x, ok := a.(traits.Subtractor); ok {
			out = x.Subtract(b)
		}
	case operators.Multiply:
		if x, ok := a.(traits.Multiplier); ok {
			out = x.Multiply(b)
		}
	case operators.Divide:
		if x, ok := a.(traits.Divider); ok {
			out = x.Divide(b)
		}
	case operators.Modulo:
		if x, ok := a.(traits.Modder); ok {
			out = x.Modulo(b)
		}
	}
	if out == nil || types.IsError(out) && strings.HasPrefix(out.(*types.Err).Error(), "no such overload") {
		return types.NewErr("%s does not take a %s and a %s", strings.Trim(operator, "_"), sort(a), sort(b))
	}
	return out
}

// sort names what a value is, for messages.
func sort(v ref.Val) string {
	switch v.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return "boolean"
	case types.String:
		return "text"
	case types.Int, types.Uint, types.Double:
		return "number"
	case traits.Lister:
		return "list"
	case traits.Mapper:
		return "map"
	}
	return v.Type().TypeName()
}

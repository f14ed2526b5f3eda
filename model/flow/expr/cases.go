//go:build !wasip1

package expr

import (
	"regexp"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/debug"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// maxCases bounds the ways in which a condition is told to hold; one with more is a single question.
const maxCases = 64

// Fact is one thing that a condition asks: whether a path is a literal, or any other question.
type Fact struct {
	Ask string // the path, or the question as a whole
	Is  string // the literal in lower case; nothing for a question
	Cmp bool   // it compares Ask with Is
	Not bool   // and wants it not to hold
}

// Cases are the ways in which the condition can hold: any one of the lists, with all facts in it.
// No list means never, an empty one always. What the condition compares in ways unknown here is a
// question of its own, so that two conditions with equal facts hold together.
func (c *Condition) Cases() [][]Fact {
	cases, ok := c.cases(c.ast.NativeRep().Expr(), false)
	if !ok {
		return [][]Fact{{{Ask: c.src.user}}}
	}
	return cases
}

func (c *Condition) cases(e ast.Expr, not bool) (out [][]Fact, ok bool) {
	if e.Kind() == ast.LiteralKind {
		if e.AsLiteral() == types.Bool(!not) {
			return [][]Fact{{}}, true
		}
		return nil, e.AsLiteral().Type() == types.BoolType
	}
	if e.Kind() != ast.CallKind {
		return c.question(e, not), true
	}
	call := e.AsCall()
	args := call.Args()
	name := call.FunctionName()
	switch {
	case name == fnTruth:
		return c.cases(args[0], not)
	case name == operators.LogicalNot:
		return c.cases(args[0], !not)
	case name == operators.LogicalAnd && !not, name == operators.LogicalOr && not:
		return c.all(args[0], args[1], not)
	case name == operators.LogicalAnd, name == operators.LogicalOr:
		left, ok := c.cases(args[0], not)
		right, ok2 := c.cases(args[1], not)
		return append(left, right...), ok && ok2 && len(left)+len(right) <= maxCases
	case name == fnSame, name == fnDiffers:
		if args[1].Kind() == ast.LiteralKind {
			if s, ok := args[1].AsLiteral().(types.String); ok {
				return [][]Fact{{{Ask: c.told(args[0]), Is: strings.ToLower(string(s)), Cmp: true, Not: not != (name == fnDiffers)}}}, true
			}
		}
	}
	return c.question(e, not), true
}

// all is each case of left together with each of right.
func (c *Condition) all(a, b ast.Expr, not bool) (out [][]Fact, ok bool) {
	left, ok := c.cases(a, not)
	right, ok2 := c.cases(b, not)
	if !ok || !ok2 || len(left)*len(right) > maxCases {
		return nil, false
	}
	for _, l := range left {
		for _, r := range right {
			out = append(out, append(append([]Fact{}, l...), r...))
		}
	}
	return out, true
}

func (c *Condition) question(e ast.Expr, not bool) [][]Fact {
	return [][]Fact{{{Ask: c.told(e), Not: not}}}
}

var variableName = regexp.MustCompile(`@\d+`)

// told is an expression with its paths in place of their numbers.
func (c *Condition) told(e ast.Expr) string {
	return variableName.ReplaceAllStringFunc(debug.ToDebugString(e), func(v string) string {
		i, err := strconv.Atoi(v[1:])
		if err != nil || i >= len(c.paths) {
			return v
		}
		return strings.Join(c.paths[i], ".")
	})
}

// References are the paths of the condition.
func (c *Condition) References() []Reference {
	return located(c.src.user, nil, func(add func(path, bool)) {
		for _, p := range c.paths {
			add(p, false)
		}
	})
}

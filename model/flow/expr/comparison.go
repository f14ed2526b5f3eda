//go:build !wasip1

package expr

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Comparison is a path of a condition beside a literal, or asked as a text.
type Comparison struct {
	Path    []string
	At      int    // bytes before it in the source
	Op      string // ==, !=, <, <=, >, >=, startsWith, endsWith, contains or matches
	Literal any    // string, int64, uint64, float64 or bool; of == and != its text, see decision 22
}

var ordering = map[string]string{"@" + operators.Less: "<", "@" + operators.LessEquals: "<=", "@" + operators.Greater: ">", "@" + operators.GreaterEquals: ">="}

// Comparisons are what the condition compares in ways that only some sorts of values answer to.
func (c *Condition) Comparisons() (all []Comparison) {
	root := ast.NavigateAST(c.ast.NativeRep())
	for _, e := range ast.MatchDescendants(root, ast.KindMatcher(ast.CallKind)) {
		call := e.AsCall()
		name, args := call.FunctionName(), call.Args()
		if call.IsMemberFunction() {
			args = append([]ast.Expr{call.Target()}, args...)
		}
		if len(args) != 2 {
			continue
		}
		switch {
		case name == fnSame:
			all = c.compared(all, "==", args[0], args[1])
		case name == fnDiffers:
			all = c.compared(all, "!=", args[0], args[1])
		case ordering[name] != "":
			all = c.compared(c.compared(all, ordering[name], args[0], args[1]), ordering[name], args[1], args[0])
		case name == fnMatches, name == "startsWith", name == "endsWith", name == "contains":
			all = c.compared(all, strings.TrimPrefix(name, "@"), args[0], args[1])
		}
	}
	return all
}

// compared adds left and right, if they are a path and a literal.
func (c *Condition) compared(all []Comparison, op string, left, right ast.Expr) []Comparison {
	if left.Kind() != ast.IdentKind || right.Kind() != ast.LiteralKind {
		return all
	}
	i, err := strconv.Atoi(strings.TrimPrefix(left.AsIdent(), "@"))
	if err != nil || i >= len(c.paths) || right.AsLiteral() == types.NullValue {
		return all
	}
	at := c.src.offset(c.ast.NativeRep().SourceInfo().GetStartLocation(left.ID()))
	return append(all, Comparison{Path: c.paths[i], At: at, Op: op, Literal: right.AsLiteral().Value()})
}

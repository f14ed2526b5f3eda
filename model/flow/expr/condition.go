//go:build !wasip1

package expr

import (
	"errors"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"

	"greentic.dev/greentic/fault"
)

const maxCondition = 8 << 10 // bytes

// Condition is the compiled condition of a route: CEL in which `path == literal` and
// `path != literal` have the ecosystem's meaning (formats digest 1.4, decision 22) and a missing
// path is null. It is immutable and safe for concurrent use.
type Condition struct {
	src     source
	ast     *cel.Ast
	program cel.Program
	paths   []path
	roots   Roots
}

// Language compiles conditions. The zero value is ready; the first condition costs about a
// millisecond more than the next. It is for one goroutine, its conditions for all.
type Language struct {
	env   *cel.Env
	known map[string]*Condition
}

// CompileCondition compiles one condition with a [Language] of its own.
func CompileCondition(src string) (*Condition, error) { return new(Language).Condition(src) }

// Condition compiles a condition. It is CEL with the standard functions and macros; node ids with
// hyphens and the root in are names too, a single bare word beside == or != is a text, and a
// pattern of matches is a literal. The error is fault.Invalid with the column, or
// fault.Unsupported for a function that does not exist.
func (l *Language) Condition(src string) (*Condition, error) {
	if c := l.known[src]; c != nil {
		return c, nil
	}
	if len(src) > maxCondition {
		return nil, fault.Newf(fault.Invalid, "condition", "longer than %d bytes", maxCondition)
	}
	if l.env == nil {
		env, err := newEnvironment()
		if err != nil {
			return nil, fault.Wrap("condition", err)
		}
		l.env, l.known = env, map[string]*Condition{}
	}
	c, err := compileCondition(l.env, src)
	if err == nil {
		l.known[src] = c
	}
	return c, err
}

func compileCondition(env *cel.Env, src string) (*Condition, error) {
	c := &Condition{src: readNames(src)}
	ast, found := env.Parse(c.src.cel)
	if err := c.issue(found); err != nil {
		return nil, err
	}
	r := rewriter{src: &c.src, info: ast.NativeRep().SourceInfo(), next: 1 << 32, bound: map[string]int{}}
	r.root(ast.NativeRep().Expr())
	if r.err != nil {
		return nil, r.err
	}
	c.paths = r.paths
	for _, p := range c.paths {
		c.roots.add(p)
	}
	if c.ast, found = env.Check(ast); found.Err() != nil {
		return nil, c.issue(found)
	}
	var err error
	if c.program, err = env.Program(c.ast, cel.CostLimit(maxSteps), cel.CostTracking(costs{}), cel.OptimizeRegex(patterns())); err != nil {
		return nil, c.src.wrong(0, err.Error())
	}
	return c, nil
}

// issue is the first thing CEL finds wrong with a source.
func (c *Condition) issue(found *cel.Issues) error {
	if found.Err() == nil {
		return nil
	}
	first := found.Errors()[0]
	at := c.src.offset(first.Location)
	msg := strings.TrimPrefix(first.Message, "Syntax error: ")
	msg, _, _ = strings.Cut(strings.Replace(msg, "token recognition error at:", "unexpected", 1), " expecting {")
	msg = strings.TrimSpace(msg)
	switch {
	case strings.Contains(msg, "'<EOF>'") && at >= len(c.src.user):
		msg = "the condition ends too early"
	case strings.HasPrefix(msg, "undeclared reference to"):
		return fault.Newf(fault.Unsupported, "condition", "there is no function %s", c.src.names(strings.TrimPrefix(msg, "undeclared reference to "))).
			At(c.src.position(at)).WithFix("use a function or macro of CEL, such as size, has, startsWith, matches or exists")
	}
	return c.src.wrong(at, c.src.names(msg))
}

// String is the source of the condition.
func (c *Condition) String() string { return c.src.user }

// Eval evaluates the condition on the roots of scope, which it does not change. A missing path
// is null; null is false where a boolean is needed, and orders against nothing. The error is
// fault.Invalid with the column for operands of the wrong sort, fault.Exhausted over a cost of
// 100 000.
func (c *Condition) Eval(scope map[string]any) (bool, error) {
	out, _, err := c.program.Eval(&roots{c.paths, scope})
	var cancelled interpreter.EvalCancelledError
	var failed *types.Err
	switch {
	case errors.As(err, &cancelled):
		return false, fault.Newf(fault.Exhausted, "condition", "a cost of more than %d", maxSteps).At(c.src.position(0))
	case errors.As(err, &failed):
		return false, c.src.wrong(c.src.offset(c.ast.NativeRep().SourceInfo().GetStartLocation(failed.NodeID())), failed.Error())
	case err != nil:
		return false, c.src.wrong(0, err.Error())
	}
	return out == types.True, nil
}

// Roots are what the condition looks at.
func (c *Condition) Roots() Roots { return c.roots }

// roots gives CEL the paths of a condition: the variable @7 is the value at the seventh path.
type roots struct {
	paths []path
	scope map[string]any
}

func (r *roots) ResolveName(name string) (any, bool) {
	if name == "" || name[0] != '@' {
		return nil, false
	}
	i := 0
	for _, digit := range []byte(name[1:]) {
		i = 10*i + int(digit-'0')
	}
	if i < 0 || i >= len(r.paths) {
		return nil, false
	}
	v, _ := r.paths[i].lookup(r.scope)
	return v, true
}

func (*roots) Parent() interpreter.Activation { return nil }

//go:build !wasip1

package expr

import (
	"regexp"
	"strconv"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// The functions a condition is rewritten to; CEL cannot name them, for they begin with @.
const (
	fnSame, fnDiffers = "@same", "@differs" // the ecosystem's == and !=
	fnAt              = "@at"               // member or index; null when missing
	fnTruth           = "@truth"            // null is false
	fnItems           = "@items"            // null is an empty list
	fnMatches         = "@matches"          // null matches nothing
)

// rewriter gives a parsed condition the meaning of decision 22: paths become variables that are
// null when missing, `path == literal` becomes @same, operators become ones that take null.
type rewriter struct {
	src   *source
	info  *ast.SourceInfo
	next  int64 // id of the next new expression
	bound map[string]int
	paths []path
	err   error
}

func (r *rewriter) make() ast.ExprFactory { return ast.NewExprFactory() }

// fresh is a new id that stands where old stands.
func (r *rewriter) fresh(old ast.Expr) int64 {
	r.next++
	if at, ok := r.info.GetOffsetRange(old.ID()); ok {
		r.info.SetOffsetRange(r.next, at)
	}
	return r.next
}

func (r *rewriter) fail(e ast.Expr, msg string) {
	if r.err == nil {
		r.err = r.src.wrong(r.src.offset(r.info.GetStartLocation(e.ID())), msg)
	}
}

func (r *rewriter) text(at ast.Expr, s string) ast.Expr {
	return r.make().NewLiteral(r.fresh(at), types.String(s))
}

// call makes e a call.
func (r *rewriter) call(e ast.Expr, function string, args ...ast.Expr) {
	e.SetKindCase(r.make().NewCall(e.ID(), function, args...))
}

// wrap puts a function around e in place.
func (r *rewriter) wrap(e ast.Expr, function string) {
	inner := r.make().NewUnspecifiedExpr(r.fresh(e))
	inner.SetKindCase(e)
	r.call(e, function, inner)
}

func (r *rewriter) root(e ast.Expr) {
	r.walk(e)
	if e.Kind() == ast.CallKind {
		switch e.AsCall().FunctionName() {
		case fnSame, fnDiffers, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
			return // true or false
		}
	}
	r.wrap(e, fnTruth)
}

// way reads a plain path: a name, members and literal indexes. free says that it begins in the scope.
func (r *rewriter) way(e ast.Expr) (p path, free bool) {
	switch e.Kind() {
	case ast.IdentKind:
		id := e.AsIdent()
		return path{r.src.name(id)}, r.bound[id] == 0
	case ast.SelectKind:
		if p, free = r.way(e.AsSelect().Operand()); p != nil {
			p = append(p, r.src.name(e.AsSelect().FieldName()))
		}
	case ast.CallKind:
		c := e.AsCall()
		if c.FunctionName() != operators.Index || c.Args()[1].Kind() != ast.LiteralKind {
			return nil, false
		}
		if p, free = r.way(c.Args()[0]); p == nil {
			return nil, false
		}
		switch key := c.Args()[1].AsLiteral().(type) {
		case types.String:
			p = append(p, string(key))
		case types.Int:
			p = append(p, strconv.FormatInt(int64(key), 10))
		default:
			return nil, false
		}
	}
	return p, free
}

func (r *rewriter) variable(e ast.Expr, p path) {
	if len(p) > maxPath || len(r.paths) == maxPath {
		r.fail(e, "more than "+strconv.Itoa(maxPath)+" paths, or names in one")
		return
	}
	start := e
	for start.Kind() != ast.IdentKind {
		if start.Kind() == ast.SelectKind {
			start = start.AsSelect().Operand()
		} else {
			start = start.AsCall().Args()[0]
		}
	}
	if at, ok := r.info.GetOffsetRange(start.ID()); ok {
		r.info.SetOffsetRange(e.ID(), at)
	}
	e.SetKindCase(r.make().NewIdent(e.ID(), "@"+strconv.Itoa(len(r.paths))))
	r.paths = append(r.paths, p)
}

func (r *rewriter) walk(e ast.Expr) {
	if p, free := r.way(e); free && r.err == nil {
		asked := e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly()
		if r.variable(e, p); asked {
			r.present(e)
		}
		return
	}
	switch e.Kind() {
	case ast.SelectKind:
		s := e.AsSelect()
		r.walk(s.Operand())
		r.call(e, fnAt, s.Operand(), r.text(e, r.src.name(s.FieldName())))
		if s.IsTestOnly() {
			r.present(e)
		}
	case ast.CallKind:
		r.callee(e, e.AsCall())
	case ast.ComprehensionKind:
		r.comprehension(e.AsComprehension())
	case ast.ListKind:
		for _, item := range e.AsList().Elements() {
			r.walk(item)
		}
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			r.walk(entry.AsMapEntry().Key())
			r.walk(entry.AsMapEntry().Value())
		}
	case ast.StructKind:
		r.fail(e, "there are no messages here, only maps")
	}
}

// present makes e the question whether it is not null.
func (r *rewriter) present(e ast.Expr) {
	inner := r.make().NewUnspecifiedExpr(r.fresh(e))
	inner.SetKindCase(e)
	r.call(e, operators.NotEquals, inner, r.make().NewLiteral(r.fresh(e), types.NullValue))
}

func (r *rewriter) comprehension(c ast.ComprehensionExpr) {
	r.walk(c.IterRange())
	r.wrap(c.IterRange(), fnItems)
	r.walk(c.AccuInit())
	names := []string{c.AccuVar(), c.IterVar(), c.IterVar2()}
	for _, name := range names {
		r.bound[name]++
	}
	for _, e := range []ast.Expr{c.LoopCondition(), c.LoopStep(), c.Result()} {
		r.walk(e)
	}
	for _, name := range names {
		r.bound[name]--
	}
}

func (r *rewriter) callee(e ast.Expr, c ast.CallExpr) {
	name, args := c.FunctionName(), c.Args()
	if (name == operators.Equals || name == operators.NotEquals) && r.comparison(e, name, args[0], args[1]) {
		return
	}
	if c.IsMemberFunction() {
		r.walk(c.Target())
	}
	for _, arg := range args {
		r.walk(arg)
	}
	switch name {
	case operators.Index:
		r.call(e, fnAt, args...)
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		for _, arg := range args {
			r.truth(arg)
		}
	case operators.Conditional:
		r.truth(args[0])
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In,
		operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo:
		if !r.generated(args[0]) {
			r.call(e, "@"+name, args...)
		}
	case "size":
		if c.IsMemberFunction() {
			r.wrap(c.Target(), fnItems)
		} else if len(args) == 1 {
			r.wrap(args[0], fnItems)
		}
	case "matches":
		if c.IsMemberFunction() {
			args = append([]ast.Expr{c.Target()}, args...)
		}
		r.matches(e, args)
	}
}

func (r *rewriter) matches(e ast.Expr, args []ast.Expr) {
	if len(args) != 2 || args[1].Kind() != ast.LiteralKind || args[1].AsLiteral().Type() != types.StringType {
		r.fail(e, "matches needs a pattern in quotes")
		return
	}
	pattern := string(args[1].AsLiteral().(types.String))
	if _, err := regexp.Compile(pattern); err != nil {
		r.fail(e, "the pattern is wrong: "+pattern)
	}
	r.call(e, fnMatches, args...)
}

// generated says whether e is the accumulator of a macro, which the user did not write.
func (r *rewriter) generated(e ast.Expr) bool {
	return e.Kind() == ast.IdentKind && e.AsIdent()[0] == '@' && r.bound[e.AsIdent()] > 0
}

// truth makes null false, where e may be null.
func (r *rewriter) truth(e ast.Expr) {
	isIdent := e.Kind() == ast.IdentKind && !r.generated(e)
	if isIdent || e.Kind() == ast.CallKind && (e.AsCall().FunctionName() == fnAt || e.AsCall().FunctionName() == operators.Conditional) {
		r.wrap(e, fnTruth)
	}
}

// comparison gives path == literal and path != literal their ecosystem meaning. null is no
// literal in this sense: it asks whether the path is missing.
func (r *rewriter) comparison(e ast.Expr, operator string, left, right ast.Expr) bool {
	if left.Kind() == ast.CallKind && left.AsCall().FunctionName() == "type" && right.Kind() == ast.IdentKind {
		r.walk(left)
		return true
	}
	if left.Kind() == ast.LiteralKind {
		left, right = right, left
	}
	p, free := r.way(left)
	if p == nil || r.generated(left) {
		return false
	}
	var literal string
	switch right.Kind() {
	case ast.LiteralKind:
		switch v := right.AsLiteral().Value().(type) {
		case string, bool, int64, uint64, float64:
			literal = text(v)
		default:
			return false
		}
	case ast.IdentKind:
		if r.bound[right.AsIdent()] > 0 {
			return false
		}
		literal = r.src.name(right.AsIdent())
	default:
		return false
	}
	if r.walk(left); free && r.err != nil {
		return true
	}
	function := fnSame
	if operator == operators.NotEquals {
		function = fnDiffers
	}
	r.call(e, function, left, r.text(right, literal))
	return true
}

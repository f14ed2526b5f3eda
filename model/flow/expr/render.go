package expr

import (
	"maps"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
)

const maxValueDepth = 1000

// rendering is one rendering of a mapping.
type rendering struct {
	scope              Scope
	lenient            bool
	steps, size, depth int
	partials           int
}

// spend counts one step and n bytes.
func (r *rendering) spend(n int) error {
	r.size += n
	if r.steps++; r.steps > maxSteps {
		return fault.Newf(fault.Exhausted, "mapping", "more than %d steps", maxSteps)
	}
	if r.size > maxOutput {
		return fault.Newf(fault.Exhausted, "mapping", "more than %d bytes of output", maxOutput)
	}
	return nil
}

func (r *rendering) value(m *mapped) (any, error) {
	switch m.kind {
	case isMap:
		out := make(map[string]any, len(m.keys))
		for i, key := range m.keys {
			v, err := r.value(&m.items[i])
			if err == nil {
				err = r.spend(len(key))
			}
			if err != nil {
				return nil, err
			}
			out[key] = v
		}
		return out, r.spend(2)
	case isList:
		out := make([]any, len(m.items))
		for i := range m.items {
			var err error
			if out[i], err = r.value(&m.items[i]); err != nil {
				return nil, err
			}
		}
		return out, r.spend(2)
	case isPath, isPointer:
		v, ok := m.path.lookup(r.scope)
		if !ok && !r.lenient {
			return nil, fault.Newf(fault.Invalid, "mapping", "there is no value at %s", m.name)
		}
		return r.copy(v)
	case isText:
		var b strings.Builder
		err := r.pieces(&b, m.pieces, []any{r.scope})
		return b.String(), err
	case isDefault:
		return r.copy(r.orDefault(m.pieces[0], []any{r.scope}))
	}
	return r.copy(m.lit)
}

// copy copies a value, so that nobody changes the state of a run through an output.
func (r *rendering) copy(v any) (any, error) {
	switch s := v.(type) {
	case Scope, map[string]any, []any:
	case string:
		return v, r.spend(len(s))
	default:
		return v, r.spend(4)
	}
	if r.depth++; r.depth > maxValueDepth {
		return nil, fault.Newf(fault.Exhausted, "mapping", "a value is nested deeper than %d", maxValueDepth)
	}
	defer func() { r.depth-- }()
	var err error
	if items, ok := v.([]any); ok {
		out := make([]any, len(items))
		for i, item := range items {
			if out[i], err = r.copy(item); err != nil {
				return nil, err
			}
		}
		return out, r.spend(2)
	}
	fields, ok := v.(map[string]any)
	if !ok {
		fields = v.(Scope)
	}
	out := make(map[string]any, len(fields))
	for key, field := range fields {
		if out[key], err = r.copy(field); err == nil {
			err = r.spend(len(key))
		}
		if err != nil {
			return nil, err
		}
	}
	return out, r.spend(2)
}

// loop is a context inside each or with: what @index and @key mean, and the names as |item index|
// gave.
type loop struct {
	this        any
	index       int
	key         any
	first, last bool
	names       []string
}

// pieces renders a template; the last of contexts is the innermost.
func (r *rendering) pieces(b *strings.Builder, pieces []piece, contexts []any) error {
	for _, p := range pieces {
		s := p.text
		switch p.op {
		case "text":
		case "var":
			s = text(r.find(p.args[0], contexts))
		case "default":
			s = text(r.orDefault(p, contexts))
		case "json":
			v, err := r.copy(r.find(p.args[0], contexts)) // within the limits
			if err != nil {
				return err
			}
			if s, err = asJSON(v); err != nil {
				return fault.As(fault.Invalid, "template", err)
			}
		case "partial":
			if err := r.include(b, p, contexts); err != nil {
				return err
			}
		default:
			if err := r.block(b, p, contexts); err != nil {
				return err
			}
		}
		if err := r.spend(len(s)); err != nil {
			return err
		}
		b.WriteString(s)
	}
	return nil
}

// orDefault is the value of a path, or the default when it is missing, null or an empty text.
func (r *rendering) orDefault(p piece, contexts []any) any {
	if v := r.find(p.args[0], contexts); v != nil && v != "" {
		return v
	}
	return r.find(p.args[1], contexts)
}

// include renders a partial, with what it is given as its innermost context.
func (r *rendering) include(b *strings.Builder, p piece, contexts []any) error {
	if r.partials++; r.partials > maxDepth {
		return fault.Newf(fault.Exhausted, "template", "partials include each other more than %d deep", maxDepth)
	}
	defer func() { r.partials-- }()
	if len(p.args) > 0 {
		contexts = append(slices.Clip(contexts), r.find(p.args[0], contexts))
	}
	return r.pieces(b, p.partial.pieces, contexts)
}

// find looks an argument up: in the innermost context, or further out with ../, then in the scope.
// The names of a block are seen in all blocks within it.
func (r *rendering) find(a arg, contexts []any) any {
	if a.is {
		return a.lit
	}
	top := len(contexts) - 1 - a.up
	if a.root || top < 0 {
		top = 0
	}
	p := a.path
	for i := top; i >= 0; i-- {
		c := contexts[i]
		l, isLoop := c.(*loop)
		if isLoop {
			c = l.this
		}
		if len(p) == 0 {
			return c
		}
		if isLoop {
			if v, ok := l.special(p, i == top); ok {
				return v
			}
		}
		if i > 0 && i < top {
			continue
		}
		if _, ok := member(c, p[0]); ok {
			v, _ := p.lookup(c)
			return v
		}
	}
	return nil
}

// special is what the names of a block mean, and in it, if it is near, @index and the like.
func (l *loop) special(p path, near bool) (any, bool) {
	for i, name := range l.names {
		if p[0] == name {
			if i == 1 {
				return l.key, true
			}
			v, _ := p[1:].lookup(l.this)
			return v, true
		}
	}
	if !near || l.index < 0 { // -1: of with
		return nil, false
	}
	switch p[0] {
	case "@index":
		return l.index, true
	case "@key":
		return l.key, true
	case "@first":
		return l.first, true
	case "@last":
		return l.last, true
	}
	return nil, false
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	n, ok := number(v)
	return !ok || n.f != 0
}

func (r *rendering) block(b *strings.Builder, p piece, contexts []any) error {
	v := r.find(p.args[0], contexts)
	items, isItems := v.([]any)
	fields, isFields := v.(map[string]any)
	holds := truthy(v)
	switch p.op {
	case "ifEq":
		holds = same(v, r.find(p.args[1], contexts))
	case "unless", "inverted":
		holds = !holds
	case "each":
		holds = len(items)+len(fields) > 0
	}
	switch {
	case !holds:
		return r.pieces(b, p.els, contexts)
	case p.op == "if", p.op == "unless", p.op == "inverted", p.op == "ifEq":
		return r.pieces(b, p.then, contexts)
	}
	l := &loop{names: p.names}
	within := append(slices.Clip(contexts), l) // one context for all of them: each ends before the next
	inside := func(this any, key any, i, n int) error {
		l.this, l.key, l.index, l.first, l.last = this, key, i, i == 0, i == n-1
		if err := r.spend(0); err != nil {
			return err
		}
		return r.pieces(b, p.then, within)
	}
	switch {
	case isItems && p.op != "with":
		for i, item := range items {
			if err := inside(item, i, i, len(items)); err != nil {
				return err
			}
		}
	case isFields && p.op == "each":
		keys := slices.Sorted(maps.Keys(fields))
		for i, key := range keys {
			if err := inside(fields[key], key, i, len(keys)); err != nil {
				return err
			}
		}
	default:
		return inside(v, nil, -1, 0)
	}
	return nil
}

// same compares as conditions do: texts without case, numbers by value.
func same(a, b any) bool {
	x, isNumber := number(a)
	y, both := number(b)
	if isNumber && both {
		return x.f == y.f
	}
	return a != nil && b != nil && strings.EqualFold(text(a), text(b))
}

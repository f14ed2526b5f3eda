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

func (r *rendering) value(m mapped) (any, error) {
	switch m.kind {
	case isMap:
		return object(r, m.fields, r.value)
	case isList:
		return list(r, m.items, r.value)
	case isPath:
		v, ok := m.path.lookup(r.scope)
		if !ok && !r.lenient {
			return nil, fault.Newf(fault.Invalid, "mapping", "there is no value at %s", m.name)
		}
		return r.copy(v)
	case isText:
		var b strings.Builder
		err := r.pieces(&b, m.pieces, []any{r.scope})
		return b.String(), err
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
		return nil, fault.New(fault.Exhausted, "mapping", "a value is nested too deep")
	}
	defer func() { r.depth-- }()
	switch v := v.(type) {
	case Scope:
		return object(r, v, r.copy)
	case map[string]any:
		return object(r, v, r.copy)
	}
	return list(r, v.([]any), r.copy)
}

func object[T any](r *rendering, fields map[string]T, each func(T) (any, error)) (any, error) {
	out := make(map[string]any, len(fields))
	for key, field := range fields {
		v, err := each(field)
		if err != nil {
			return nil, err
		}
		if err := r.spend(len(key)); err != nil {
			return nil, err
		}
		out[key] = v
	}
	return out, r.spend(2)
}

func list[T any](r *rendering, items []T, each func(T) (any, error)) (any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		var err error
		if out[i], err = each(item); err != nil {
			return nil, err
		}
	}
	return out, r.spend(2)
}

// loop is a context inside each: what @index and @key mean.
type loop struct {
	this        any
	index       int
	key         string
	first, last bool
}

// pieces renders a template; the last of contexts is the innermost.
func (r *rendering) pieces(b *strings.Builder, pieces []piece, contexts []any) error {
	for _, p := range pieces {
		s := p.text
		switch p.op {
		case "text":
		case "var":
			s = text(r.find(p.path, contexts))
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

// find looks a path up in the innermost context, then in the ones around it.
func (r *rendering) find(p path, contexts []any) any {
	for i := len(contexts) - 1; i >= 0; i-- {
		c := contexts[i]
		l, isLoop := c.(loop)
		if isLoop {
			c = l.this
		}
		switch {
		case len(p) == 0:
			return c
		case isLoop && p[0] == "@index":
			return l.index
		case isLoop && p[0] == "@key":
			return l.key
		case isLoop && p[0] == "@first":
			return l.first
		case isLoop && p[0] == "@last":
			return l.last
		}
		if _, ok := member(c, p[0]); ok {
			v, _ := p.lookup(c)
			return v
		}
	}
	return nil
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
	v := r.find(p.path, contexts)
	items, isItems := v.([]any)
	fields, isFields := v.(map[string]any)
	inside := func(c any) error {
		if err := r.spend(0); err != nil {
			return err
		}
		return r.pieces(b, p.then, append(slices.Clip(contexts), c))
	}
	switch {
	case p.op == "unless" && !truthy(v), p.op == "if" && truthy(v):
		return r.pieces(b, p.then, contexts)
	case p.op == "unless", !truthy(v), p.op == "each" && len(items)+len(fields) == 0:
		return r.pieces(b, p.els, contexts)
	case isItems && p.op != "with":
		for i, item := range items {
			if err := inside(loop{item, i, integer(int64(i)).String(), i == 0, i == len(items)-1}); err != nil {
				return err
			}
		}
		return nil
	case isFields && p.op == "each":
		keys := slices.Sorted(maps.Keys(fields))
		for i, key := range keys {
			if err := inside(loop{fields[key], i, key, i == 0, i == len(keys)-1}); err != nil {
				return err
			}
		}
		return nil
	}
	return inside(v)
}

package expr

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
)

const (
	maxDepth  = 64      // nesting
	maxSteps  = 100_000 // rendering steps, or units of CEL cost
	maxOutput = 1 << 20 // bytes of a rendered mapping, counted as text
)

var bareParameter = regexp.MustCompile(`^parameters(\.\w+)+$`)

// Scope holds the roots that paths begin with: entry, in, input, prev, node, state, parameters,
// response and every node id. Values are JSON-like; rendering never changes them.
type Scope map[string]any

// Mapping is a compiled mapping: a JSON-like value whose strings may be templates. Keys are not.
// It is immutable and safe for concurrent use.
type Mapping struct {
	root  mapped
	roots Roots
}

type mappedKind uint8

const (
	isLiteral mappedKind = iota
	isPath               // a whole-string {{path}}
	isText               // mixed text
	isMap
	isList
)

// mapped is a compiled value.
type mapped struct {
	kind   mappedKind
	lit    any
	path   path
	name   string // of the path as written
	pieces []piece
	fields map[string]mapped
	items  []mapped
}

// Compile compiles the strings of v, formats digest 1.5. The error is fault.Invalid with line and
// column inside the string at fault, and the JSON pointer of that string in its text.
func Compile(v any) (*Mapping, error) {
	root, err := compile(v, "", 0)
	if err != nil {
		return nil, err
	}
	m := &Mapping{root: root}
	m.roots.mapped(root)
	return m, nil
}

func compile(v any, at string, depth int) (mapped, error) {
	if depth > 2*maxDepth {
		return mapped{}, fault.New(fault.Invalid, "mapping", "nested too deep")
	}
	switch v := v.(type) {
	case map[string]any:
		m := mapped{kind: isMap, fields: make(map[string]mapped, len(v))}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			if m.fields[key], err = compile(v[key], at+"/"+escape(key), depth+1); err != nil {
				return m, err
			}
		}
		return m, nil
	case []any:
		m := mapped{kind: isList, items: make([]mapped, len(v))}
		for i := range v {
			var err error
			if m.items[i], err = compile(v[i], at+"/"+integer(int64(i)).String(), depth+1); err != nil {
				return m, err
			}
		}
		return m, nil
	case string:
		m, err := compileText(v)
		if at != "" {
			err = fault.Wrap("mapping "+at, err)
		}
		return m, err
	}
	return mapped{lit: v}, nil
}

func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func compileText(s string) (mapped, error) {
	name, ok := whole(s)
	if bareParameter.MatchString(s) {
		name, ok = s, true
	}
	if ok {
		way, err := parsePath(name)
		return mapped{kind: isPath, path: way, name: name}, err
	}
	if !strings.Contains(s, "{{") {
		return mapped{lit: s}, nil
	}
	pieces, err := parseTemplate(s)
	return mapped{kind: isText, pieces: pieces}, err
}

// Render fills the mapping from s and returns a value that shares nothing with s. A whole-string
// path that is missing is nil when lenient and fault.Invalid naming it otherwise; in a text it is
// empty. Over 1 MiB of output or 100 000 steps the error is fault.Exhausted.
func (m *Mapping) Render(s Scope, lenient bool) (any, error) {
	r := &rendering{scope: s, lenient: lenient}
	return r.value(m.root)
}

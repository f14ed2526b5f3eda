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
	isPointer            // a JSON Pointer
	isDefault            // a whole-string {{default path value}}
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
	keys   []string // of a map, sorted
	items  []mapped // of a list, or of a map by its keys
}

// Options says what the strings of a mapping may be. The zero value is {{templates}} alone.
type Options struct {
	Partials map[string]string // what {{> name}} includes
	Pointers bool              // a string that is a JSON Pointer inserts the value it points to, as in provider.invoke
}

// Compile compiles the strings of v, formats digest 1.5. The error is fault.Invalid with line and
// column inside the string at fault, and the JSON pointer of that string in its text.
func Compile(v any) (*Mapping, error) { return CompileWith(v, Options{}) }

// CompileWith is Compile with options.
func CompileWith(v any, o Options) (*Mapping, error) {
	c := compilation{partials: &partials{o.Partials, map[string]*partial{}}, pointers: o.Pointers}
	root, err := c.value(v, "", 0)
	if err != nil {
		return nil, err
	}
	m := &Mapping{root: root}
	m.roots.mapped(root)
	return m, nil
}

// compilation compiles one mapping.
type compilation struct {
	partials *partials
	pointers bool
}

func (c *compilation) value(v any, at string, depth int) (mapped, error) {
	if depth > 2*maxDepth {
		return mapped{}, fault.Newf(fault.Invalid, "mapping", "nested deeper than %d", 2*maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		m := mapped{kind: isMap, keys: slices.Sorted(maps.Keys(v)), items: make([]mapped, len(v))}
		for i, key := range m.keys {
			var err error
			if m.items[i], err = c.value(v[key], at+"/"+escape(key), depth+1); err != nil {
				return m, err
			}
		}
		return m, nil
	case []any:
		m := mapped{kind: isList, items: make([]mapped, len(v))}
		for i := range v {
			var err error
			if m.items[i], err = c.value(v[i], at+"/"+integer(int64(i)).String(), depth+1); err != nil {
				return m, err
			}
		}
		return m, nil
	case string:
		m, err := c.text(v)
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

func (c *compilation) text(s string) (mapped, error) {
	name, ok := whole(s)
	if bareParameter.MatchString(s) {
		name, ok = s, true
	}
	switch {
	case ok:
		way, err := parsePath(name)
		return mapped{kind: isPath, path: way, name: name}, err
	case c.pointers && len(s) > 1 && s[0] == '/' && !strings.Contains(s, "{{"):
		way := path(strings.Split(s[1:], "/"))
		if len(way) > maxPath {
			return mapped{}, fault.Newf(fault.Invalid, "pointer", "more than %d names", maxPath)
		}
		for i := range way {
			way[i] = strings.ReplaceAll(strings.ReplaceAll(way[i], "~1", "/"), "~0", "~")
		}
		return mapped{kind: isPointer, path: way, name: s}, nil
	case !strings.Contains(s, "{{"):
		return mapped{lit: s}, nil
	}
	pieces, err := parseTemplate(s, c.partials)
	if len(pieces) == 1 && pieces[0].op == "default" {
		return mapped{kind: isDefault, pieces: pieces}, err
	}
	return mapped{kind: isText, pieces: pieces}, err
}

// Render fills the mapping from s and returns a value that shares nothing with s. A whole-string
// path that is missing is nil when lenient and fault.Invalid naming it otherwise; in a text it is
// empty. Over 1 MiB of output or 100 000 steps the error is fault.Exhausted.
func (m *Mapping) Render(s Scope, lenient bool) (any, error) {
	r := &rendering{scope: s, lenient: lenient}
	return r.value(&m.root)
}

// Lookup is the value a mapping that is nothing but a path names, as it stands in s: it is not
// copied and must not be changed. ok is false for any other mapping.
func (m *Mapping) Lookup(s Scope) (v any, ok bool) {
	if m.root.kind != isPath {
		return nil, false
	}
	v, _ = m.root.path.lookup(s)
	return v, true
}

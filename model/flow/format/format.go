package format

import (
	"bytes"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/parser"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/source"
)

// Source is the canonical form of the source of a flow; name is its file, for messages. Formatting
// twice changes nothing more. The error is fault.Invalid with position and fix for what is not the
// YAML of flows; it need not be a flow that compiles.
func Source(name string, src []byte) ([]byte, error) {
	src = bytes.ReplaceAll(bytes.TrimPrefix(src, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	src = bytes.ReplaceAll(src, []byte("\r"), []byte("\n"))
	before, found := source.Read(src)
	if len(found) > 0 {
		first := found[0]
		pos := fault.Position{File: name, Line: first.Pos.Line, Col: first.Pos.Col}
		if lines := strings.Split(string(src), "\n"); pos.Line > 0 && pos.Line <= len(lines) {
			pos.Excerpt = lines[pos.Line-1]
		}
		return nil, fault.New(fault.Invalid, "flow fmt", first.Message).WithCode("Yaml").WithFix(first.Fix).At(pos)
	}
	out, err := arrange(src)
	if err != nil {
		return nil, fault.Wrap("flow fmt "+name, err)
	}
	after, found := source.Read(out)
	if len(found) > 0 || !reflect.DeepEqual(before.Plain, after.Plain) || !slices.Equal(before.Field("nodes").Keys(), after.Field("nodes").Keys()) {
		return nil, fault.New(fault.Internal, "flow fmt "+name, "the flow would not mean the same, so it is left as it is").
			WithFix("report it, with the file")
	}
	return out, nil
}

// arrange formats a document that source.Read has accepted.
func arrange(src []byte) ([]byte, error) {
	file, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, fault.As(fault.Invalid, "yaml", err)
	}
	f := &formatter{lines: strings.Split(strings.TrimSuffix(string(src), "\n"), "\n")}
	out := f.lines
	for _, d := range file.Docs {
		if entries := mapping(d.Body); entries != nil && f.inBlock(entries) {
			out = f.document(entries)
		}
	}
	return []byte(strings.Join(out, "\n") + "\n"), nil
}

// shape says how the maps at a place of a flow are ordered, and what lies below them.
type shape struct {
	order []string          // keys; "" is where those go that are not listed; without it they follow
	last  string            // the key that comes after all others
	below map[string]*shape // by key; "" for every other one
	items *shape            // of lists
}

var (
	anything = &shape{}
	route    = &shape{order: []string{"condition", "status", "to", "next", "out", "reply"}}
	routes   = &shape{items: route}
	node     = &shape{
		order: []string{"component", "component.exec", "", "operation", "payload", "in_map", "out_map", "output", "err_map", "error_output",
			"when", "retry", "timeout", "telemetry", "annotations", "meta", "routes"},
		last:  "routing",
		below: map[string]*shape{"routing": routes, "routes": routes},
	}
	document = &shape{
		order: []string{"id", "type", "kind", "title", "description", "tags", "schema_version", "start", "entrypoints", "parameters", "slot_schema", "meta"},
		last:  "nodes",
		below: map[string]*shape{"nodes": {below: map[string]*shape{"": node}}},
	}
)

func (s *shape) at(key string) *shape {
	if below := s.below[key]; below != nil {
		return below
	}
	if below := s.below[""]; below != nil {
		return below
	}
	return anything
}

// rank is the place of a key among its neighbours.
func (s *shape) rank(key string) int {
	if len(s.order) == 0 {
		return 0
	}
	if key == s.last {
		return len(s.order) + 1
	}
	if i := slices.Index(s.order, key); key != "" && i >= 0 {
		return i
	}
	if i := slices.Index(s.order, ""); i >= 0 {
		return i
	}
	return len(s.order)
}

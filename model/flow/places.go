package flow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/source"
)

// Places says where the values of a source stand; those of a source that is not YAML are unknown.
type Places struct {
	c     *compiler
	nodes map[string]*source.Value
}

// Analyse is Check for whoever looks further: the flow is there even when findings are errors, as
// far as it could be read, and nil only when its YAML could not. Such a flow must not run.
func Analyse(name string, src []byte) (*Flow, Places, Diagnostics) {
	c := check(name, src)
	if c.flow != nil && c.doc == nil {
		c.flow = nil
	}
	p := Places{c, map[string]*source.Value{}}
	for _, f := range fieldsOf(c.doc.Field("nodes")) {
		p.nodes[f.Key] = f.Value
	}
	return c.flow, p, c.found
}

// Finding is a diagnostic about the value, or the nearest one above it, that a JSON pointer names,
// or about its key. offset is how many bytes into a text the finding is; it counts for texts that
// stand on one line without escapes.
func (p Places) Finding(severity, class, pointer string, key bool, offset int, fix, format string, args ...any) Diagnostic {
	pos := p.at(pointer, key, offset)
	return Diagnostic{Class: class, Message: fmt.Sprintf(format, args...), File: p.c.name, Line: pos.Line, Col: pos.Col,
		Pointer: pointer, Fix: fix, Severity: severity, Excerpt: p.c.excerpt(pos.Line)}
}

func (p Places) at(pointer string, key bool, offset int) Pos {
	v, place := p.c.doc, Pos{}
	if v == nil {
		return place
	}
	whole := true
	names := steps(pointer)
	if len(names) > 1 && names[0] == "nodes" && p.nodes[names[1]] != nil { // without looking through all of them
		v, names = p.nodes[names[1]], names[2:]
		place = p.c.flow.byID[strings.Split(pointer, "/")[2]].Pos
	}
	for _, name := range names {
		if i := slices.IndexFunc(v.Fields, func(f source.Field) bool { return f.Key == name }); i >= 0 {
			place, v = v.Fields[i].Pos, v.Fields[i].Value
			continue
		}
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v.Items) {
			v = v.Items[i]
			place = v.Pos
			continue
		}
		whole = false
		break
	}
	switch s, isText := v.Plain.(string); {
	case key && place != (Pos{}) || !whole && place != (Pos{}):
		return place
	case isText && offset > 0:
		return inside(v, s, offset, p.c)
	}
	return v.Pos
}

// inside is the place of a byte of a text, if the text stands on one line as it is.
func inside(v *source.Value, s string, offset int, c *compiler) Pos {
	line := c.excerpt(v.Pos.Line)
	begin := v.Pos.Col - 1
	if v.Quoted {
		begin++
	}
	runes := []rune(line)
	if begin < 0 || begin > len(runes) || offset > len(s) || !strings.HasPrefix(string(runes[begin:]), s) {
		return v.Pos
	}
	return Pos{Line: v.Pos.Line, Col: begin + 1 + len([]rune(s[:offset]))}
}

func fieldsOf(v *source.Value) []source.Field {
	if v == nil {
		return nil
	}
	return v.Fields
}

// steps are the names of a JSON pointer.
func steps(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, s := range list {
		list[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	return list
}

// Mappings are the JSON pointers of what a node is given and of its output and error mappings, each
// empty when the node has none.
func (p Places) Mappings(node string) (input, output, errs string) {
	v := p.nodes[node]
	base := "/nodes/" + node
	for _, f := range fieldsOf(v) {
		at := base + "/" + strings.ReplaceAll(strings.ReplaceAll(f.Key, "~", "~0"), "/", "~1")
		switch {
		case f.Key == "in_map":
			input = at
		case f.Key == "output" || f.Key == "out_map":
			output = at
		case f.Key == "err_map" || f.Key == "error_output":
			errs = at
		case f.Key == "routes" || f.Key == "component" || slices.Contains(reserved, f.Key):
		case v.Field("in_map") == nil && (input == "" || f.Key == "component.exec"):
			input = at
		}
	}
	return input, output, errs
}

// Condition is the compiled condition of a route of RouteCustom, or nil.
func (n *Node) Condition(route int) *expr.Condition { return n.conditions[route] }

// Guard is the compiled condition under which the node runs, or nil.
func (n *Node) Guard() *expr.Condition { return n.when }

// Builtin is the builtin that the node means, or empty when it calls a component.
func (n *Node) Builtin() string { return n.calls }

// Roots are the names that templates and conditions may begin with beside node ids.
func Roots() []string { return slices.Clone(fixed) }

// Routes are the routes of a node as they stand in the source, also those that the routing of the
// compiled node has no place for; what cannot be read is left out of each.
func (p Places) Routes(node string) []Route {
	var out []Route
	for _, item := range p.routing(node) {
		r := Route{Pos: item.Pos}
		m, _ := item.Plain.(map[string]any)
		r.To, _ = m["to"].(string)
		if next, ok := m["next"].(string); ok {
			r.To = next
		}
		r.Status, _ = m["status"].(string)
		r.Condition, _ = m["condition"].(string)
		r.Out, _ = m["out"].(bool)
		r.Reply, _ = m["reply"].(bool)
		out = append(out, r)
	}
	return out
}

// Route is the JSON pointer of a route of a node.
func (p Places) Route(node string, i int) string {
	if list := p.routing(node); i >= 0 && i < len(list) {
		return list[i].At
	}
	return "/nodes/" + node
}

func (p Places) routing(node string) []*source.Value {
	n := p.nodes[node]
	if v := n.Field("routes"); v != nil {
		return v.Items
	}
	if v := n.Field("routing"); v != nil {
		return v.Items
	}
	return nil
}

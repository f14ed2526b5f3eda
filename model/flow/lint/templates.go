package lint

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/internal/nearest"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/expr"
)

// mappings looks at the templates and conditions of a node.
func (c *checker) mappings(n *flow.Node) {
	input, output, errs := c.Places.Mappings(n.ID)
	c.texts(n, n.Input, input, nil)
	c.texts(n, n.Output, output, []string{"result", "error", "input"})
	c.texts(n, n.ErrMap, errs, []string{"result", "error", "input"})
	if n.ForEach != nil {
		c.texts(n, n.ForEach.Items, node(n.ID).pointer+"/meta/greentic/for_each/items", nil)
	}
	for i, r := range n.Routing.Routes {
		if condition := n.Condition(i); condition != nil && r.Condition != "" {
			where := at{pointer: c.Places.Route(n.ID, i) + "/condition"}
			c.paths(n, condition.References(), where, nil, false)
			c.comparisons(n, n, condition, where)
		}
	}
	if n.Guard() != nil {
		where := at{pointer: node(n.ID).pointer + "/when/condition"}
		c.paths(n, n.Guard().References(), where, nil, false)
		c.comparisons(n, nil, n.Guard(), where)
	}
}

// texts looks at the templates of a mapping that stands at a pointer; more are names it knows beside
// the usual ones.
func (c *checker) texts(n *flow.Node, v any, pointer string, more []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			c.texts(n, v[key], pointer+"/"+escape(key), more)
		}
	case []any:
		for i, item := range v {
			c.texts(n, item, pointer+"/"+strconv.Itoa(i), more)
		}
	case string:
		if refs, err := expr.References(v); err == nil { // the compiler tells of the others
			c.paths(n, refs, at{pointer: pointer}, more, true)
		}
		c.translations(v, pointer)
	}
}

// paths looks at what templates and conditions look up. In a condition any first name may be a field
// of what the node put out, so only those below a node, the parameters and the state are judged.
func (c *checker) paths(n *flow.Node, refs []expr.Reference, where at, more []string, template bool) {
	for _, r := range refs {
		where.offset = r.At
		root := r.Path[0]
		switch {
		case r.Inside || strings.HasPrefix(root, "@"):
		case slices.Contains(more, root):
		case root == "node" && len(r.Path) > 1:
			c.output(n, r.Path[1], r.Path[2:], where)
		case root == "state" && len(r.Path) > 2 && r.Path[1] == "nodes":
			c.output(n, r.Path[2], nil, where)
		case root == "state" && c.Flow.Kind != flow.ComponentConfig && !c.asks() && len(r.Path) > 1 && !slices.Contains([]string{"entry", "input", "nodes"}, r.Path[1]):
			c.add(TemplateName, where, hint(r.Path[1], []string{"entry", "input", "nodes"}, "use state.entry, state.input or state.nodes"),
				"node %s: state has no %s", n.ID, r.Path[1])
		case root == "parameters":
			c.parameter(n, r.Path[1:], where)
		case slices.Contains(c.names, root):
			if template && c.Flow.Node(root) != nil && !slices.Contains(flow.Roots(), root) {
				c.output(n, root, r.Path[1:], where)
			}
		case template:
			c.add(TemplateName, where, hint(root, c.names, "begin with entry, in, input, prev, node, state, parameters, response or a node"),
				"node %s: {{%s}} names nothing: there is no %s", n.ID, strings.Join(r.Path, "."), root)
		}
	}
}

func hint(word string, known []string, otherwise string) string {
	if near := nearest.Word(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise
}

// parameter follows a path into the parameters of the flow, which are all known.
func (c *checker) parameter(n *flow.Node, path []string, where at) {
	var v any = c.Flow.Parameters
	for i, name := range path {
		m, ok := v.(map[string]any)
		if !ok && c.Flow.Parameters != nil {
			return // a list, or a value that has no fields
		}
		if v, ok = m[name]; !ok {
			c.add(TemplateName, where, hint(name, slices.Sorted(maps.Keys(m)), "add it to parameters"),
				"node %s: there is no parameters.%s", n.ID, strings.Join(path[:i+1], "."))
			return
		}
	}
}

// output looks at a path into what another node puts out.
func (c *checker) output(n *flow.Node, id string, path []string, where at) {
	other := c.Flow.Node(id)
	if other == nil {
		var ids []string
		for _, one := range c.Flow.Nodes {
			ids = append(ids, one.ID)
		}
		c.add(TemplateName, where, hint(id, ids, "name a node of this flow"), "node %s: there is no node %s", n.ID, id)
		return
	}
	if other == n && strings.HasPrefix(where.pointer, node(id).pointer+"/rout") {
		return // it has run when it routes
	}
	if c.after[id] == nil {
		c.after[id] = c.reachable([]string{id}, false)
	}
	if !c.after[id][n.ID] && !c.undo[n.ID] && !c.loose {
		c.add(TemplateOrder, where, "name a node that runs before", "node %s: node %s never runs before it", n.ID, id)
		return
	}
	c.outputField(n, other, path, where)
}

// answer is the schema of what a node puts out, where that is what its component answers.
func (c *checker) answer(n *flow.Node) any {
	if c.Pack == nil || n.Output != nil || n.ErrMap != nil || n.ForEach != nil || n.Parallel != nil {
		return nil
	}
	call := c.called(n)
	for _, op := range c.Pack.Components[call.Component].Operations {
		if op.Name == call.Operation {
			return op.OutputSchema
		}
	}
	return nil
}

// outputField compares a path with what a component says it answers, where that is all it answers.
func (c *checker) outputField(n, other *flow.Node, path []string, where at) {
	schema := c.answer(other)
	for i, name := range path {
		m, _ := schema.(map[string]any)
		fields, _ := m["properties"].(map[string]any)
		if m["type"] != "object" || m["additionalProperties"] != false || m["$ref"] != nil || m["patternProperties"] != nil {
			return
		}
		next, ok := fields[name]
		if !ok && name != "ok" && name != "error" {
			c.add(TemplateName, where, hint(name, slices.Sorted(maps.Keys(fields)), "use one of "+strings.Join(slices.Sorted(maps.Keys(fields)), ", ")),
				"node %s: %s does not answer with %s", n.ID, c.called(other).Component, strings.Join(path[:i+1], "."))
			return
		}
		schema = next
	}
}

// translations looks at the keys of {{i18n:KEY}}.
func (c *checker) translations(s, pointer string) {
	if c.Pack == nil || c.Pack.Texts == nil {
		return
	}
	const open = "{{i18n:"
	for from := 0; ; {
		i := strings.Index(s[from:], open)
		if i < 0 {
			return
		}
		from += i
		key, _, ok := strings.Cut(s[from+len(open):], "}}")
		if key = strings.TrimSpace(key); ok && !c.Pack.Texts[key] {
			c.add(Translation, at{pointer: pointer, offset: from}, hint(key, slices.Sorted(maps.Keys(c.Pack.Texts)), "add it to assets/i18n/en.json"),
				"there is no text %s", key)
		}
		from += len(open)
	}
}

// asks says whether the flow has questions, whose answers stand in state.
func (c *checker) asks() bool {
	return slices.ContainsFunc(c.Flow.Nodes, func(n *flow.Node) bool { return n.Builtin() == "questions" })
}

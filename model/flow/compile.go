package flow

import (
	"maps"
	"regexp"
	"slices"
	"strconv"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/source"
)

var (
	flowID = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	nodeID = regexp.MustCompile(`^[a-zA-Z_][\w-]*$`)
	opKey  = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)
)

const slotKey = "greentic.slot_schema" // in metadata.extra

// kindOf reads the kind of a flow with its aliases.
func kindOf(s string) (Kind, bool) {
	switch s {
	case "event", "events":
		return Event, true
	case "component-config", "component_config":
		return ComponentConfig, true
	case "messaging", "job", "http":
		return Kind(s), true
	}
	return "", false
}

func (c *compiler) compile(doc *source.Value) {
	if !doc.IsMap() {
		c.report(doc.Pos, "", "Schema", "begin with id: and nodes:", "a flow is a map")
		return
	}
	c.doc, c.flow = doc, &Flow{Entrypoints: map[string]string{}, Extra: map[string]any{}, byID: map[string]*Node{}}
	f := c.flow
	f.ID, f.Title, f.Description = c.text(doc, "id"), c.text(doc, "title"), c.text(doc, "description")
	switch v := doc.Field("id"); {
	case v == nil || f.ID == "":
		c.report(doc.Pos, "/id", "Schema", "add id: my_flow", "the flow has no id")
	case !flowID.MatchString(f.ID):
		c.report(v.Pos, v.At, "InvalidIdentifier", "use letters, digits, ., _ and -", "flow id %q", f.ID)
	}
	c.kind()
	c.tags()
	if v := doc.Field("parameters"); v != nil && v.Plain != nil {
		if f.Parameters, _ = v.Plain.(map[string]any); f.Parameters == nil {
			c.report(v.Pos, v.At, "Schema", "", "parameters must be a map")
		}
		maps.Copy(f.Extra, f.Parameters)
	}
	if v := doc.Field("schema_version"); v != nil {
		n, ok := v.Plain.(int64)
		if !ok || n < 1 {
			c.report(v.Pos, v.At, "Schema", "remove it or write 2", "schema_version must be a whole number from 1")
		}
		c.old = n == 1
	}
	c.slots()
	c.nodes()
	c.entrypoints()
	f.prepare(&c.conditions)
	c.templates()
}

// text is a text field of v, empty when absent.
func (c *compiler) text(v *source.Value, key string) string {
	f := v.Field(key)
	if f == nil || f.Plain == nil {
		return ""
	}
	s, ok := f.Plain.(string)
	if !ok {
		c.report(f.Pos, f.At, "Schema", "put it in quotes", "%s must be a text", key)
	}
	return s
}

func (c *compiler) kind() {
	key := "type"
	if c.doc.Field(key) == nil {
		key = "kind"
	}
	v := c.doc.Field(key)
	if v == nil {
		c.report(c.doc.Pos, "/type", "Schema", "add type: messaging", "the flow has no type")
		return
	}
	var ok bool
	if c.flow.Kind, ok = kindOf(c.text(c.doc, key)); !ok {
		c.report(v.Pos, v.At, "UnknownFlowType", "use messaging, event, component-config, job or http", "unknown flow type %v", v.Plain)
	}
}

func (c *compiler) tags() {
	v := c.doc.Field("tags")
	if v == nil || v.Plain == nil {
		return
	}
	if _, ok := v.Plain.([]any); !ok {
		c.report(v.Pos, v.At, "Schema", "write [a, b]", "tags must be a list of texts")
	}
	for _, item := range v.Items {
		s, ok := item.Plain.(string)
		if !ok {
			c.report(item.Pos, item.At, "Schema", "put it in quotes", "a tag must be a text")
		}
		c.flow.Tags = append(c.flow.Tags, s)
	}
	slices.Sort(c.flow.Tags)
	c.flow.Tags = slices.Compact(c.flow.Tags)
}

// slots checks slot_schema and keeps it.
func (c *compiler) slots() {
	v := c.doc.Field("slot_schema")
	if v == nil || v.Plain == nil {
		return
	}
	seen := map[string]bool{}
	for _, s := range v.Items {
		m, _ := s.Plain.(map[string]any)
		name, _ := m["name"].(string)
		pattern, _ := m["pattern"].(string)
		values, _ := m["enum_values"].([]any)
		_, bad := regexp.Compile(pattern)
		switch kind := m["slot_type"]; {
		case name == "" || seen[name]:
			c.report(s.Pos, s.At, "Schema", "", "a slot needs a name of its own")
		case kind == "string" && pattern == "", kind == "enum" && len(values) == 0:
			c.report(s.Pos, s.At, "Schema", "", "slot %s needs pattern (string) or enum_values (enum)", name)
		case kind != "string" && kind != "enum" && kind != "number" && kind != "date" && kind != "boolean":
			c.report(s.Pos, s.At, "Schema", "use string, enum, number, date or boolean", "slot %s has an unknown slot_type", name)
		case bad != nil:
			c.report(s.Pos, s.At, "Schema", "", "slot %s: the pattern is no regular expression", name)
		}
		seen[name] = true
	}
	if _, ok := v.Plain.([]any); !ok {
		c.report(v.Pos, v.At, "Schema", "", "slot_schema must be a list")
	}
	c.flow.Extra[slotKey] = v.Plain
}

func (c *compiler) entrypoints() {
	f := c.flow
	point := func(name string, v *source.Value) {
		id, ok := v.Plain.(string)
		if !ok {
			c.report(v.Pos, v.At, "Schema", "", "entrypoint %s must name a node", name)
			return
		}
		c.target(id, v, "entrypoint "+name)
		f.Entrypoints[name] = id
	}
	if v := c.doc.Field("entrypoints"); v != nil && v.Plain != nil {
		if !v.IsMap() {
			c.report(v.Pos, v.At, "Schema", "", "entrypoints must be a map")
		}
		for _, e := range v.Fields {
			point(e.Key, e.Value)
		}
	}
	start := c.doc.Field("start")
	if start != nil && f.Entrypoints["default"] == "" {
		point("default", start)
	}
	if f.Entrypoints["default"] == "" && len(f.Nodes) > 0 {
		f.Entrypoints["default"] = f.Nodes[0].ID
		if f.byID["in"] != nil {
			f.Entrypoints["default"] = "in"
		}
	}
}

// templates reports what does not compile in mappings: warnings, decision 27.
func (c *compiler) templates() {
	for _, n := range c.flow.Nodes {
		if n.templateErr != nil {
			_, fix, _ := fault.Detail(n.templateErr)
			c.add(severityWarning, n.Pos, "/nodes/"+n.ID, "Template", fix, "node %s: %v", n.ID, n.templateErr)
		}
	}
}

// prepare compiles mappings and conditions; what fails is kept for the step that needs it.
func (f *Flow) prepare(conditions *expr.Language) {
	f.byID = map[string]*Node{}
	for _, n := range f.Nodes {
		f.byID[n.ID] = n
		n.calls, n.where = n.builtin(), "node "+n.ID
		if n.Pos.Line > 0 {
			n.where += " (line " + strconv.Itoa(n.Pos.Line) + ")"
		}
		mapping := func(v any) *expr.Mapping {
			m, err := expr.Compile(v)
			if err != nil && n.templateErr == nil {
				n.templateErr = err
			}
			return m
		}
		n.input = mapping(n.Input)
		if !empty(n.Output) {
			n.output = mapping(n.Output)
		}
		if !empty(n.ErrMap) {
			n.errMap = mapping(n.ErrMap)
		}
		if n.When != "" {
			var err error
			if n.when, err = conditions.Condition(n.When); err != nil && n.policyErr == nil {
				n.policyErr = err
			}
		}
		n.conditions = make([]*expr.Condition, len(n.Routing.Routes))
		for i, r := range n.Routing.Routes {
			if r.Condition != "" {
				var err error
				if n.conditions[i], err = conditions.Condition(r.Condition); err != nil && n.conditionErr == nil {
					n.conditionErr = err
				}
			}
		}
	}
}

// empty says whether a mapping maps nothing.
func empty(v any) bool {
	m, isMap := v.(map[string]any)
	return v == nil || isMap && len(m) == 0
}

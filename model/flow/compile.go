package flow

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/policy"
	"greentic.dev/model/flow/slot"
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
	c.own()
	c.nodes()
	c.entrypoints()
	f.prepare(&c.conditions)
	c.templates()
}

// own reads meta.greentic of the flow: what is ours and travels with it.
func (c *compiler) own() {
	if ours := c.doc.Field("meta").Field("greentic"); ours != nil {
		c.flow.Extra["greentic"] = policy.Own(ours.Plain, c.aside(ours.Pos, ours, "Schema"))
	}
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
	slot.Read(v.Plain, func(i int, fix, format string, args ...any) {
		at := v
		if i >= 0 {
			at = v.Items[i]
		}
		c.report(at.Pos, at.At, "Schema", fix, format, args...)
	})
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
			c.add(source.Warning, n.Pos, "/nodes/"+n.ID, "Template", fix, "node %s: %v", n.ID, n.templateErr)
		}
	}
}

// prepare compiles mappings and conditions; what fails is kept for the step that needs it.
func (f *Flow) prepare(conditions *expr.Language) {
	f.byID = map[string]*Node{}
	f.slots = slot.Read(f.Extra[slotKey], func(int, string, string, ...any) {})
	for _, n := range f.Nodes {
		f.byID[n.ID] = n
		n.calls, n.where = n.builtin(), "node "+n.ID
		if n.Pos.Line > 0 {
			n.where += " (line " + strconv.Itoa(n.Pos.Line) + ")"
		}
		f.prepareMappings(n)
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

// prepareMappings compiles the mappings of a node.
func (f *Flow) prepareMappings(n *Node) {
	partials := policy.Partials(f.Extra["greentic"])
	mapping := func(v any, o expr.Options) *expr.Mapping {
		m, err := expr.CompileWith(v, o)
		if err != nil && n.templateErr == nil {
			n.templateErr = err
		}
		return m
	}
	plain := expr.Options{Partials: partials}
	if !empty(n.Output) {
		n.output = mapping(n.Output, plain)
	}
	if !empty(n.ErrMap) {
		n.errMap = mapping(n.ErrMap, plain)
	}
	input := n.Input
	if s, ok := input.(string); ok && n.calls == "template" && f.Kind == ComponentConfig {
		var v map[string]any
		if json.Unmarshal([]byte(s), &v) == nil { // JSON before it is rendered: "{{state.key}}" is the typed value
			input = v
		}
	}
	if n.ForEach != nil {
		n.items = mapping(n.ForEach.Items, plain)
	}
	n.texts = namesTexts(input)
	if n.calls == "provider.invoke" {
		n.input = n.prepareProvider(mapping, partials)
		return
	}
	n.input = mapping(input, plain)
}

// namesTexts says whether a mapping has {{i18n:KEY}} in it.
func namesTexts(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "i18n:") && strings.Contains(v, "{{")
	case map[string]any:
		for _, one := range v {
			if namesTexts(one) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, namesTexts)
	}
	return false
}

// empty says whether a mapping maps nothing.
func empty(v any) bool {
	m, isMap := v.(map[string]any)
	return v == nil || isMap && len(m) == 0
}

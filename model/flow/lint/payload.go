package lint

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/internal/nearest"
	"greentic.dev/model/component"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/expr"
	"greentic.dev/model/schema"
)

// called is the component and operation that a node calls, as far as that is known.
func (c *checker) called(n *flow.Node) Call {
	if call, ok := c.Pack.Calls[n.ID]; ok {
		if call.Operation == "" {
			call.Operation = named(n.Input, "operation", "op")
		}
		return call
	}
	call := Call{n.Component, n.Operation}
	if call.Component == "component.exec" {
		call.Component = named(n.Input, "component", "component_ref")
	}
	if call.Operation == "" || call.Operation == "component.exec" {
		call.Operation = named(n.Input, "operation", "op")
	}
	return call
}

func named(v any, keys ...string) string {
	m, _ := v.(map[string]any)
	for _, key := range keys {
		if s, ok := m[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// call looks at what a node calls and what it gives to it.
func (c *checker) call(n *flow.Node) {
	switch n.Builtin() {
	case "":
	case "flow.call", "flow.goto":
		c.flows(n)
		return
	default:
		return
	}
	call := c.called(n)
	known, ok := c.Pack.Components[call.Component]
	if !ok {
		return // the pack builder tells of it
	}
	c.capabilities(n, call.Component, known)
	pointer, _, _ := c.Places.Mappings(n.ID)
	c.reads(n, known, n.Input, pointer)
	if len(known.Operations) == 0 || call.Operation == "" {
		return
	}
	i := slices.IndexFunc(known.Operations, func(op component.Operation) bool { return op.Name == call.Operation })
	if i < 0 {
		var names []string
		for _, op := range known.Operations {
			names = append(names, op.Name)
		}
		fix := "use " + strings.Join(names, ", ")
		if near := nearest.Word(call.Operation, names); near != "" && len(names) > 1 {
			fix = "did you mean " + near + "?"
		}
		c.add(Operation, node(n.ID), fix, "node %s: component %s does not declare the operation %s", n.ID, call.Component, call.Operation)
		return
	}
	c.payload(n, call, known.Operations[i].InputSchema, pointer)
}

// flows looks at the flow that a node goes on with.
func (c *checker) flows(n *flow.Node) {
	pointer, _, _ := c.Places.Mappings(n.ID)
	m, _ := n.Input.(map[string]any)
	for _, key := range []string{"flow_id", "flow"} {
		id, _ := m[key].(string)
		if id == "" || id == c.Flow.ID || strings.Contains(id, "{{") || c.Pack.Flows == nil || slices.Contains(c.Pack.Flows, id) {
			continue
		}
		c.add(MissingFlow, at{pointer: pointer + "/" + key}, hint(id, c.Pack.Flows, "add the flow to pack.yaml"), "node %s: the pack has no flow %s", n.ID, id)
	}
}

// payload compares what a node gives to a component with the schema of its operation.
func (c *checker) payload(n *flow.Node, call Call, input any, pointer string) {
	s, err := schema.Compile(input)
	if err != nil {
		if key := call.Component + " " + call.Operation; !c.told[key] {
			c.told[key] = true
			c.add(ComponentSchema, node(n.ID), "", "node %s: the input schema of %s %s is not used: %v", n.ID, call.Component, call.Operation, err)
		}
		return
	}
	given, config := n.Input, any(nil)
	if fields, ok := given.(map[string]any); ok {
		if inner, ok := fields["input"]; ok && enveloped(fields) {
			given, config, pointer = inner, fields["config"], pointer+"/input"
		}
	}
	value := c.known(given)
	fields, isMap := value.(map[string]any)
	if isMap && config != nil && fields["config"] == nil { // where the host puts it
		fields["config"] = schema.Unknown{}
	}
	for _, p := range s.Check(value) {
		place := pointer + p.Pointer
		word := p.Key && strings.Count(p.Pointer, "/") == 1 && slices.Contains(callWords, p.Pointer[1:])
		switch {
		case p.Rule == "required" && isMap && lifted(p.Message, config), word && enveloped(fields):
			continue
		case word:
			p.Fix = "put what the component is given under input"
		}
		what := strings.TrimPrefix(p.Pointer, "/")
		if what == "" {
			what = "the input"
		}
		c.add(Payload, at{pointer: place, key: p.Key || p.Rule == "required"}, p.Fix, "node %s: %s of %s %s: %s", n.ID, what, call.Component, call.Operation, p.Message)
	}
}

// callWords are the keys of a call that are not input by themselves.
var callWords = []string{"input", "config", "operation", "op", "component", "component_ref"}

// enveloped says whether a mapping is input beside nothing but the words of a call.
func enveloped(m map[string]any) bool {
	for key := range m {
		if !slices.Contains(callWords, key) {
			return false
		}
	}
	return true
}

// lifted says whether the host takes a missing field from the configuration (formats digest 6.3).
func lifted(message string, config any) bool {
	settings, ok := config.(map[string]any)
	if !ok || !strings.HasSuffix(message, " card_source") && !strings.HasSuffix(message, " card_spec") {
		return false
	}
	return settings["default_card_asset"] != nil || settings["default_card_inline"] != nil || settings["default_source"] != nil
}

// known is a value with what templates will fill replaced by what is known of it: a parameter of the
// flow, or nothing.
func (c *checker) known(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, one := range v {
			out[key] = c.known(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = c.known(one)
		}
		return out
	case string:
		refs, err := expr.References(v)
		if len(refs) == 1 && refs[0].Path[0] == "parameters" && (strings.Trim(v, "{} ") == strings.Join(refs[0].Path, ".")) {
			if value, ok := c.parameterValue(refs[0].Path[1:]); ok {
				return value
			}
		}
		if err != nil || len(refs) > 0 || strings.Contains(v, "{{") {
			return schema.Unknown{}
		}
	}
	return v
}

func (c *checker) parameterValue(path []string) (any, bool) {
	var v any = c.Flow.Parameters
	for _, name := range path {
		m, _ := v.(map[string]any)
		var ok bool
		if v, ok = m[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

// capabilities compares what a component uses with what it and its pack declare, once for each.
func (c *checker) capabilities(n *flow.Node, id string, known Component) {
	if c.told[id] {
		return
	}
	c.told[id] = true
	if known.Declared != nil {
		host := known.Declared.Host
		for _, one := range []struct {
			name, say string
			declared  bool
		}{
			{"host:http", "sends HTTP requests", host.HTTP != nil && host.HTTP.Client},
			{"host:secrets", "reads secrets", host.Secrets != nil},
			{"host:state", "uses the state store", host.State != nil},
		} {
			if slices.Contains(known.Uses, one.name) && !one.declared {
				c.add(Capability, node(n.ID), "declare it under capabilities.host of its component.manifest.json",
					"node %s: component %s %s, which its manifest does not declare", n.ID, id, one.say)
			}
		}
	}
	if c.sends(known) && len(c.Pack.Hosts) == 0 {
		c.add(Host, node(n.ID), `add extensions: { greentic.egress.v1: { version: "1", inline: { hosts: [{ host: api.example.com }] } } } to pack.yaml`,
			"node %s: component %s sends HTTP requests, and the pack declares no host", n.ID, id)
	}
}

func (c *checker) sends(known Component) bool {
	return known.Declared != nil && known.Declared.Host.HTTP != nil && known.Declared.Host.HTTP.Client || slices.Contains(known.Uses, "host:http")
}

// reads finds in a payload the hosts and secrets that it names and nobody declares.
func (c *checker) reads(n *flow.Node, known Component, v any, pointer string) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			place := pointer + "/" + escape(key)
			if s, ok := v[key].(string); ok && (key == "secret" || strings.HasSuffix(key, "_secret") || key == "secret_key" || key == "secret_name") {
				c.secret(n, known, s, place)
			}
			c.reads(n, known, v[key], place)
		}
	case []any:
		for i, item := range v {
			c.reads(n, known, item, pointer+"/"+strconv.Itoa(i))
		}
	case string:
		c.host(n, known, v, pointer)
	}
}

func (c *checker) host(n *flow.Node, known Component, s, pointer string) {
	if !c.sends(known) || len(c.Pack.Hosts) == 0 || !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return
	}
	address, _, _ := strings.Cut(s, "{{")
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || address != s && !strings.Contains(address[len(u.Scheme)+3:], "/") {
		return // the host itself comes from a template
	}
	if name := strings.ToLower(u.Hostname()); !slices.Contains(c.Pack.Hosts, name) {
		c.add(Host, at{pointer: pointer}, hint(name, c.Pack.Hosts, "add it to the extension greentic.egress.v1 of pack.yaml"),
			"node %s: the pack does not declare the host %s", n.ID, name)
	}
}

// secret finds a secret by its key; how a key is spelt does not matter.
func (c *checker) secret(n *flow.Node, known Component, key, pointer string) {
	if known.Declared == nil || strings.Contains(key, "{{") || component.CheckSecretKey(key) != nil {
		return
	}
	plain := strings.NewReplacer("-", "_", ".", "_", "/", "_")
	var declared []string
	if s := known.Declared.Host.Secrets; s != nil {
		for _, r := range s.Required {
			if strings.EqualFold(plain.Replace(r.Key), plain.Replace(key)) {
				return
			}
			declared = append(declared, r.Key)
		}
	}
	c.add(Secret, at{pointer: pointer}, hint(key, declared, "add it to secret_requirements of its component.manifest.json"),
		"node %s: the component does not declare the secret %s", n.ID, key)
}

package host

import (
	"context"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/cbor"
	"greentic.dev/wasm"
)

// Description is what a component says about itself.
type Description struct {
	Interface  string      `json:"interface"` // where it came from
	Name       string      `json:"name,omitempty"`
	Version    string      `json:"version,omitempty"`
	Summary    string      `json:"summary,omitempty"`
	Operations []Operation `json:"operations"`
	Document   any         `json:"document,omitempty"` // the whole self-description, as it was
}

// Operation is one thing a component can do. Schemas are JSON-like, in the component's own
// dialect; nil when it has none.
type Operation struct {
	Name    string `json:"name"`
	Summary string `json:"summary,omitempty"`
	Input   any    `json:"input,omitempty"`
	Output  any    `json:"output,omitempty"`
}

// Describe asks the component to describe itself (formats digest 2.7), without granting it
// anything. A component that has no self-description gives fault.NotFound, an MCP router
// fault.Unsupported; otherwise errors are those of Invoke.
func (c *Component) Describe(ctx context.Context) (Description, error) {
	op := "describe component " + c.name
	inv := &invocation{host: c.host, tenant: greentic.DefaultTenant(), request: &Request{Component: c.name}, component: c.name}
	for _, source := range []struct {
		iface, name string
		read        func(any, texts) (Description, error)
	}{
		{interfaces.Node, "describe", describeNode},
		{interfaces.ComponentDescriptor, "describe", describeCBOR},
		{interfaces.SchemaCore, "describe", describeJSON},
		{interfaces.Descriptor, "describe", describeCBOR},
		{interfaces.Node05, "get-manifest", describeManifest},
		{interfaces.Node04, "get-manifest", describeManifest},
	} {
		if _, ok := c.code.Func(source.iface, source.name); !ok {
			continue
		}
		value, _, err := c.call(ctx, inv, source.iface, source.name, nil)
		if err != nil {
			return Description{}, inv.clean(op, err)
		}
		d, err := source.read(value, c.texts(ctx, inv))
		if err != nil {
			return Description{}, fault.Wrap(op, err)
		}
		d.Interface = source.iface
		return d, nil
	}
	if c.abi == ABIRouter {
		return Description{}, fault.New(fault.Unsupported, op, routerText)
	}
	return Description{}, fault.New(fault.NotFound, op, "it exports no describe function")
}

// texts is what a component says in English, by key; it may be nil.
type texts map[string]any

// texts asks for the English bundle of a component that has one.
func (c *Component) texts(ctx context.Context, inv *invocation) texts {
	if _, ok := c.code.Func(interfaces.I18n, "i18n-bundle"); !ok {
		return nil
	}
	value, _, err := c.call(ctx, inv, interfaces.I18n, "i18n-bundle", []any{"en"})
	if err != nil {
		return nil // a description without texts is still one
	}
	b, _ := value.([]byte)
	doc, _ := cbor.Unmarshal(b)
	bundle, _ := doc.(map[string]any)
	messages, _ := bundle["messages"].(map[string]any)
	return messages
}

// phrase is a text, or what a translatable text {key, fallback?} says.
func (t texts) phrase(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return text(v)
	}
	key := text(m["key"])
	return text(first(t[key], m["fallback"], key))
}

// describeNode reads node.describe: a component-descriptor record.
func describeNode(value any, _ texts) (Description, error) {
	rec, _ := value.(wasm.Record)
	d := Description{Name: text(rec.Get("name")), Version: text(rec.Get("version")), Summary: text(someOf(rec.Get("summary"))), Operations: []Operation{}}
	ops, _ := rec.Get("ops").([]any)
	for _, item := range ops {
		op, _ := item.(wasm.Record)
		d.Operations = append(d.Operations, Operation{Name: text(op.Get("name")), Summary: text(someOf(op.Get("summary"))),
			Input: schemaOf(op.Get("input")), Output: schemaOf(op.Get("output"))})
	}
	d.Document = plainValue(value)
	return d, nil
}

// schemaOf is the schema of an io-schema: the document if it is inline, else where it is.
func schemaOf(v any) any {
	io, _ := v.(wasm.Record)
	source, _ := io.Get("schema").(wasm.Variant)
	if b, ok := source.Value.([]byte); ok {
		if doc, err := cbor.Unmarshal(b); err == nil {
			return doc
		}
	}
	if ref, ok := source.Value.(string); ok && ref != "" {
		return map[string]any{"$ref": ref}
	}
	return nil
}

func describeJSON(value any, t texts) (Description, error) {
	b, _ := value.([]byte)
	doc, err := cbor.FromJSON(b)
	if err != nil {
		return Description{}, err
	}
	return describeDocument(doc, t), nil
}

func describeCBOR(value any, t texts) (Description, error) {
	b, _ := value.([]byte)
	doc, err := cbor.Unmarshal(b)
	if err != nil {
		return Description{}, err
	}
	return describeDocument(doc, t), nil
}

// describeDocument reads both document forms: {info, operations: [{id, input: {schema}}]} and
// {provider, operations: [{name}], input_schema}.
func describeDocument(doc any, t texts) Description {
	d := Description{Operations: []Operation{}, Document: doc}
	fields, _ := doc.(map[string]any)
	info, _ := fields["info"].(map[string]any)
	d.Name, d.Version = text(first(info["id"], fields["provider"], fields["name"])), text(first(info["version"], fields["version"]))
	d.Summary = t.phrase(info["display_name"])
	ops, _ := fields["operations"].([]any)
	for _, item := range ops {
		op, _ := item.(map[string]any)
		o := Operation{Name: text(first(op["id"], op["name"])), Summary: t.phrase(first(op["description"], op["display_name"], op["title"]))}
		if o.Name == "" {
			continue
		}
		o.Input, o.Output = first(schemaIn(op["input"]), fields["input_schema"]), first(schemaIn(op["output"]), fields["output_schema"])
		d.Operations = append(d.Operations, o)
	}
	return d
}

func schemaIn(v any) any {
	m, _ := v.(map[string]any)
	return m["schema"]
}

func first(values ...any) any {
	for _, v := range values {
		if v != nil && v != "" {
			return v
		}
	}
	return nil
}

func someOf(v any) any {
	o, _ := v.(wasm.Option)
	return o.Value
}

// plainValue is a component value in JSON-like form; bytes that are CBOR are opened.
func plainValue(v any) any {
	switch v := v.(type) {
	case wasm.Record:
		m := make(map[string]any, len(v))
		for _, f := range v {
			m[f.Name] = plainValue(f.Value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = plainValue(item)
		}
		return list
	case wasm.Option:
		return plainValue(v.Value)
	case wasm.Variant:
		if v.Value == nil {
			return v.Case
		}
		return map[string]any{v.Case: plainValue(v.Value)}
	case []byte:
		if doc, err := cbor.Unmarshal(v); err == nil {
			return doc
		}
		return v
	}
	return v
}

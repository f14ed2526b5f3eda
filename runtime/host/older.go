package host

import (
	"context"
	"maps"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
)

// routerText says what is the matter with an MCP router.
const routerText = "it is an MCP router (" + interfaces.Router + "): its tools are called through the MCP host, which is not here yet"

// older says whether a is one of the lines before 0.6 (formats digest 2.5): the context of the
// call is a record of its own, input and output are JSON text.
func (a ABI) older() bool { return a == ABINode05 || a == ABINode04 }

// isOlderInvoke says whether f is the invoke of an older line. Three records are in use as
// context under one version, so any record will do: it is filled by field name.
func isOlderInvoke(f *wasm.FuncType) bool {
	r := f.Result
	return len(f.Params) == 3 && isRecord(f.Params[0].Type) && isString(f.Params[1].Type) && isString(f.Params[2].Type) &&
		r != nil && r.Kind == binary.Variant && len(r.Cases) == 2 &&
		r.Cases[0].Name == "ok" && isString(r.Cases[0].Type) && r.Cases[1].Name == "err" && isRecord(r.Cases[1].Type)
}

// olderArguments builds exec-ctx, op and input.
func (c *Component) olderArguments(ctx context.Context, tenant greentic.TenantCtx, r Request, input any) ([]any, error) {
	f, _ := c.code.Func(string(c.abi), c.abi.entry())
	fields := tenantFields(ctx, tenant, r)
	where := maps.Clone(fields)
	where["tenant"] = fields // exec-ctx has the tenant's record under the name that record has for its id
	exec, err := shape(f.Params[0].Type, where)
	if err != nil {
		return nil, err
	}
	if r.Envelope {
		if input, err = wrapped(fields, r, input); err != nil {
			return nil, err
		}
	}
	b, err := encodeJSON(input)
	return []any{exec, r.Operation, string(b)}, err
}

// wrapped is input in the invocation envelope (formats digest 2.6, 5.4): payload and metadata
// are JSON documents as lists of bytes.
func wrapped(fields map[string]any, r Request, input any) (any, error) {
	payload, err := encodeJSON(input)
	if err != nil {
		return nil, err
	}
	envelope := map[string]any{"ctx": tenantDocument(fields), "flow_id": r.Flow, "op": r.Operation, "payload": numbers(payload), "metadata": numbers([]byte("null"))}
	if r.Node != "" {
		envelope["node_id"] = r.Node
	}
	return envelope, nil
}

// numbers is b as JSON knows bytes.
func numbers(b []byte) []uint16 {
	list := make([]uint16, len(b))
	for i, n := range b {
		list[i] = uint16(n)
	}
	return list
}

// tenantDocument is a tenant context as JSON (formats digest 5.1).
func tenantDocument(fields map[string]any) map[string]any {
	doc := map[string]any{"attributes": map[string]any{}}
	for name, v := range fields {
		switch {
		case v == nil, name == "env-id", name == "deadline-unix-ms":
		case name == "deadline-ms":
			doc["deadline"] = map[string]any{"unix_millis": v}
		default:
			doc[strings.ReplaceAll(name, "-", "_")] = v
		}
	}
	return doc
}

// readOlder takes an invoke-result.
func (resp *Response) readOlder(v wasm.Variant) error {
	if rec, ok := v.Value.(wasm.Record); ok {
		resp.setNodeError(rec)
		return nil
	}
	s, _ := v.Value.(string)
	resp.setOutput(fromText(s))
	return nil
}

// describeManifest reads get-manifest of an older line: a component manifest (formats digest
// 2.1), or only {component: {name, version, …}}. A text that is no JSON is the whole document.
func describeManifest(value any, _ texts) (Description, error) {
	s, _ := value.(string)
	d := Description{Operations: []Operation{}, Document: fromText(s)}
	fields, _ := d.Document.(map[string]any)
	if short, ok := fields["component"].(map[string]any); ok {
		fields = short
	}
	d.Name, d.Version = text(first(fields["id"], fields["name"])), text(fields["version"])
	if fields["id"] != nil {
		d.Summary = text(fields["name"])
	}
	ops, _ := fields["operations"].([]any)
	for _, item := range ops {
		op, _ := item.(map[string]any)
		if name := text(op["name"]); name != "" {
			d.Operations = append(d.Operations, Operation{Name: name, Input: op["input_schema"], Output: op["output_schema"]})
		}
	}
	return d, nil
}

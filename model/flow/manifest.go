package flow

import (
	"fmt"
	"maps"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/policy"
	"greentic.dev/model/flow/routing"
)

// Manifest is the flow-v1 document of f, with node ids as text. The caller owns the maps and
// lists of the document itself; the values inside mappings are shared with f and must not change.
func (f *Flow) Manifest() map[string]any {
	points := map[string]any{}
	for name, id := range f.Entrypoints {
		points[name] = id
	}
	nodes := []any{}
	for _, n := range f.Nodes {
		nodes = append(nodes, n.manifest())
	}
	tags := []any{}
	for _, t := range f.Tags {
		tags = append(tags, t)
	}
	extra := map[string]any{}
	maps.Copy(extra, f.Extra)
	if f.File != "" {
		ours, _ := extra["greentic"].(map[string]any)
		about := map[string]any{"file": f.File}
		maps.Copy(about, ours)
		extra["greentic"] = about
	}
	meta := map[string]any{"tags": tags, "extra": extra}
	if f.Title != "" {
		meta["title"] = f.Title
	}
	if f.Description != "" {
		meta["description"] = f.Description
	}
	return map[string]any{
		"schema_version": "flow-v1", "id": f.ID, "kind": string(f.Kind), "entrypoints": points, "nodes": nodes, "metadata": meta,
	}
}

func (n *Node) manifest() map[string]any {
	orNil := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	output := n.Output
	if output == nil {
		output = map[string]any{}
	}
	telemetry := map[string]any{"attributes": map[string]any{}}
	maps.Copy(telemetry, n.Telemetry)
	doc := map[string]any{
		"id": n.ID, "component": map[string]any{"id": n.Component, "pack_alias": orNil(n.Alias), "operation": orNil(n.Operation)},
		"input": map[string]any{"mapping": n.Input}, "output": map[string]any{"mapping": output},
		"routing": n.Routing.Document(), "telemetry": telemetry,
	}
	if n.ErrMap != nil {
		doc["err_map"] = map[string]any{"mapping": n.ErrMap}
	}
	return doc
}

// FromManifest reads a flow-v1 document with node ids as text: routing variants in PascalCase or
// snake_case, the JSON aliases of mappings, any Go integers. The error is fault.Invalid; wrong
// templates and conditions fail the step that needs them, so that a pack still opens.
func FromManifest(doc map[string]any) (*Flow, error) {
	f := &Flow{Entrypoints: map[string]string{}}
	f.ID, _ = doc["id"].(string)
	wrong := func(format string, args ...any) (*Flow, error) {
		return nil, fault.Newf(fault.Invalid, "flow "+f.ID, format, args...)
	}
	if f.ID == "" {
		return wrong("the flow has no id")
	}
	kind, _ := doc["kind"].(string)
	var ok bool
	if f.Kind, ok = kindOf(kind); !ok {
		return wrong("unknown flow kind %q", kind)
	}
	f.readMetadata(doc["metadata"])
	points, _ := doc["entrypoints"].(map[string]any)
	for name, v := range points {
		if id, ok := v.(string); ok {
			f.Entrypoints[name] = id
		}
	}
	list, ok := doc["nodes"].([]any)
	if !ok && doc["nodes"] != nil {
		return wrong("nodes is %T, not a list", doc["nodes"])
	}
	seen := map[string]bool{}
	for i, item := range list {
		n, err := readNode(item)
		if err != nil {
			return wrong("node %d: %v", i, err)
		}
		if seen[n.ID] {
			return wrong("two nodes are called %s", n.ID)
		}
		seen[n.ID] = true
		f.Nodes = append(f.Nodes, n)
	}
	f.restore()
	f.prepare(new(expr.Language))
	return f, nil
}

func (f *Flow) readMetadata(v any) {
	meta, _ := v.(map[string]any)
	f.Title, _ = meta["title"].(string)
	f.Description, _ = meta["description"].(string)
	tags, _ := meta["tags"].([]any)
	for _, t := range tags {
		if s, ok := t.(string); ok {
			f.Tags = append(f.Tags, s)
		}
	}
	slices.Sort(f.Tags)
	f.Tags = slices.Compact(f.Tags)
	f.Extra = map[string]any{}
	if extra, ok := meta["extra"].(map[string]any); ok {
		maps.Copy(f.Extra, extra)
		f.Parameters = maps.Clone(extra)
		delete(f.Parameters, "greentic")
		delete(f.Parameters, slotKey)
	}
}

// restore reads the policies and source positions our compiler leaves in metadata.extra.greentic.
// A wrong policy fails the step that needs it.
func (f *Flow) restore() {
	ours, _ := f.Extra["greentic"].(map[string]any)
	f.File, _ = ours["file"].(string)
	nodes, _ := ours["nodes"].(map[string]any)
	for _, n := range f.Nodes {
		about, _ := nodes[n.ID].(map[string]any)
		n.Pos = Pos{Line: whole(about["line"]), Col: whole(about["col"])}
		n.Routing.RestorePlaces(about["routes"])
		n.Policies = policy.Read(n.ID, about, func(_ []string, _, format string, args ...any) {
			if n.policyErr == nil {
				n.policyErr = fault.Newf(fault.Invalid, "policy", format, args...)
			}
		})
	}
}

func whole(v any) int {
	n, _ := policy.Number(v)
	return int(n)
}

func readNode(v any) (*Node, error) {
	doc, ok := v.(map[string]any)
	n := &Node{}
	if n.ID, _ = doc["id"].(string); !ok || n.ID == "" {
		return nil, fmt.Errorf("the node has no id")
	}
	switch ref := doc["component"].(type) {
	case string:
		n.Component = ref
	case map[string]any:
		n.Component, _ = ref["id"].(string)
		n.Alias, _ = ref["pack_alias"].(string)
		n.Operation, _ = ref["operation"].(string)
	}
	if n.Component == "" {
		return nil, fmt.Errorf("%s has no component", n.ID)
	}
	mapping := func(keys ...string) any {
		for _, key := range keys {
			if m, ok := doc[key].(map[string]any); ok {
				if inner, ok := m["mapping"]; ok {
					return inner
				}
				return m
			}
		}
		return nil
	}
	n.Input, n.Output, n.ErrMap = mapping("input", "in_map"), mapping("output", "out_map"), mapping("err_map", "error_output")
	if n.Input == nil {
		n.Input = map[string]any{}
	}
	n.Telemetry, _ = doc["telemetry"].(map[string]any)
	var err error
	if n.Routing, err = routing.Read(doc["routing"]); err != nil {
		return nil, fmt.Errorf("%s: routing: %w", n.ID, err)
	}
	return n, nil
}

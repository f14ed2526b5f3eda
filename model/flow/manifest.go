package flow

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/expr"
	"greentic.dev/model/flow/policy"
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
		"routing": n.Routing.manifest(), "telemetry": telemetry,
	}
	if n.ErrMap != nil {
		doc["err_map"] = map[string]any{"mapping": n.ErrMap}
	}
	return doc
}

func (r Routing) manifest() any {
	switch r.Form {
	case RouteReply:
		return "Reply"
	case RouteNext:
		return map[string]any{"Next": map[string]any{"node_id": r.To}}
	case RouteBranch:
		status := map[string]any{}
		for s, id := range r.Status {
			status[s] = id
		}
		var other any
		if r.Default != "" {
			other = r.Default
		}
		return map[string]any{"Branch": map[string]any{"on_status": status, "default": other}}
	case RouteCustom:
		var raw any
		_ = json.Unmarshal(r.Raw, &raw) // written by us
		return map[string]any{"Custom": raw}
	}
	return "End"
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
		n.Routing.restorePlaces(about["routes"])
		n.Policies = policy.Read(n.ID, about, func(_ []string, _, format string, args ...any) {
			if n.policyErr == nil {
				n.policyErr = fault.Newf(fault.Invalid, "policy", format, args...)
			}
		})
	}
}

// savePlaces is where the routes stand: a list for a RouteCustom, else a map by status; nil for none.
func (r Routing) savePlaces() any {
	pair := func(p Pos) any { return []any{int64(p.Line), int64(p.Col)} }
	if r.Form == RouteCustom {
		list := make([]any, len(r.Routes))
		for i, route := range r.Routes {
			list[i] = pair(route.Pos)
		}
		return list
	}
	if len(r.places) == 0 {
		return nil
	}
	byStatus := map[string]any{}
	for status, p := range r.places {
		byStatus[status] = pair(p)
	}
	return byStatus
}

func (r *Routing) restorePlaces(v any) {
	pos := func(v any) (p Pos) {
		if pair, ok := v.([]any); ok && len(pair) == 2 {
			p = Pos{Line: whole(pair[0]), Col: whole(pair[1])}
		}
		return p
	}
	switch v := v.(type) {
	case []any:
		for i := range min(len(v), len(r.Routes)) {
			r.Routes[i].Pos = pos(v[i])
		}
	case map[string]any:
		r.places = map[string]Pos{}
		for status, pair := range v {
			r.places[status] = pos(pair)
		}
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
	if n.Routing, err = readRouting(doc["routing"]); err != nil {
		return nil, fmt.Errorf("%s: routing: %w", n.ID, err)
	}
	return n, nil
}

func readRouting(v any) (Routing, error) {
	switch v := v.(type) {
	case nil:
		return Routing{}, nil
	case string:
		switch v {
		case "End", "end", "out":
			return Routing{}, nil
		case "Reply", "reply":
			return Routing{Form: RouteReply}, nil
		}
		return Routing{}, fmt.Errorf("unknown variant %q", v)
	case []any:
		return customRouting(v), nil
	case map[string]any:
		for key, inner := range v {
			m, _ := inner.(map[string]any)
			switch key {
			case "Next", "next":
				if id, ok := m["node_id"].(string); ok {
					return Routing{Form: RouteNext, To: id}, nil
				}
			case "Branch", "branch":
				return readBranch(m), nil
			case "Custom", "custom":
				return customRouting(inner), nil
			}
		}
	}
	return Routing{}, fmt.Errorf("unknown form %.100v", v)
}

func readBranch(m map[string]any) Routing {
	r := Routing{Form: RouteBranch, Status: map[string]string{}}
	status, _ := m["on_status"].(map[string]any)
	for s, id := range status {
		r.Status[s], _ = id.(string)
	}
	r.Default, _ = m["default"].(string)
	return r
}

// customRouting reads a raw route array; next is an alias of to.
func customRouting(raw any) Routing {
	r := Routing{Form: RouteCustom}
	r.Raw, _ = json.Marshal(raw)
	list, ok := raw.([]any)
	if !ok {
		list = []any{raw}
	}
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		var route Route
		if route.To, _ = m["to"].(string); route.To == "" {
			route.To, _ = m["next"].(string)
		}
		if route.To == "out" {
			route.To, route.Out = "", true
		}
		route.Status, _ = m["status"].(string)
		route.Condition, _ = m["condition"].(string)
		if b, ok := m["out"].(bool); ok {
			route.Out = b
		}
		route.Reply, _ = m["reply"].(bool)
		r.Routes = append(r.Routes, route)
	}
	return r
}

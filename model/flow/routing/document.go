package routing

import (
	"encoding/json"
	"fmt"

	"greentic.dev/model/flow/policy"
)

// Document is the routing as flow-v1 documents write it.
func (r Routing) Document() any {
	switch r.Form {
	case Reply:
		return "Reply"
	case Next:
		return map[string]any{"Next": map[string]any{"node_id": r.To}}
	case Branch:
		status := map[string]any{}
		for s, id := range r.Status {
			status[s] = id
		}
		var other any
		if r.Default != "" {
			other = r.Default
		}
		return map[string]any{"Branch": map[string]any{"on_status": status, "default": other}}
	case Custom:
		var raw any
		_ = json.Unmarshal(r.Raw, &raw) // written by us
		return map[string]any{"Custom": raw}
	}
	return "End"
}

// SavePlaces is where the routes stand: a list for a Custom, else a map by status; nil for none.
func (r Routing) SavePlaces() any {
	pair := func(p Pos) any { return []any{int64(p.Line), int64(p.Col)} }
	if r.Form == Custom {
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

// RestorePlaces takes what SavePlaces gave, also after it was in a pack.
func (r *Routing) RestorePlaces(v any) {
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

// Read reads a routing of a flow-v1 document, in PascalCase or snake_case, or a raw route array.
func Read(v any) (Routing, error) {
	switch v := v.(type) {
	case nil:
		return Routing{}, nil
	case string:
		switch v {
		case "End", "end", "out":
			return Routing{}, nil
		case "Reply", "reply":
			return Routing{Form: Reply}, nil
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
					return Routing{Form: Next, To: id}, nil
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
	r := Routing{Form: Branch, Status: map[string]string{}}
	status, _ := m["on_status"].(map[string]any)
	for s, id := range status {
		r.Status[s], _ = id.(string)
	}
	r.Default, _ = m["default"].(string)
	return r
}

// customRouting reads a raw route array; next is an alias of to.
func customRouting(raw any) Routing {
	r := Routing{Form: Custom}
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

func whole(v any) int {
	n, _ := policy.Number(v)
	return int(n)
}

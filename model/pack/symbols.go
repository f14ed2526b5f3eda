package pack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
)

// symbols are the four tables a manifest's indexes refer to: sorted and unique.
type symbols struct {
	components, nodes, capabilities, packs []string
}

func (s symbols) doc() map[string]any {
	return map[string]any{
		"component_ids": s.components, "node_ids": s.nodes,
		"capability_names": s.capabilities, "pack_ids": s.packs,
	}
}

// lookup is the text an index of table stands for; text (older manifests) stands for itself.
func lookup(table []string, what string, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		if v >= 0 && v < int64(len(table)) {
			return table[v], nil
		}
	}
	return "", fmt.Errorf("%v is no index into the %d %s", v, len(table), what)
}

// indexOf is the index of id, which must be in the sorted table.
func indexOf(table []string, id string) (int64, error) {
	i, ok := slices.BinarySearch(table, id)
	if !ok {
		return 0, fmt.Errorf("%q is missing from the symbol table", id)
	}
	return int64(i), nil
}

// mapFlowIDs returns a copy of a flow document with every node and component id replaced.
func mapFlowIDs(doc map[string]any, node, comp func(any) (any, error)) (map[string]any, error) {
	if doc == nil {
		return nil, errors.New("the flow itself is missing")
	}
	list, ok := doc["nodes"].([]any)
	if !ok && doc["nodes"] != nil {
		return nil, fmt.Errorf("nodes is %T, not a list", doc["nodes"])
	}
	out := maps.Clone(doc)
	nodes := make([]any, len(list))
	for i, item := range list {
		n, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("node %d is %T, not a map", i, item)
		}
		n = maps.Clone(n)
		var err error
		if n["id"], err = node(n["id"]); err != nil {
			return nil, fmt.Errorf("node %d: id: %w", i, err)
		}
		if c, ok := n["component"].(map[string]any); ok {
			c = maps.Clone(c)
			if c["id"], err = comp(c["id"]); err != nil {
				return nil, fmt.Errorf("node %d: component: %w", i, err)
			}
			n["component"] = c
		}
		if n["routing"], err = mapRouting(n["routing"], node); err != nil {
			return nil, fmt.Errorf("node %d: routing: %w", i, err)
		}
		nodes[i] = n
	}
	out["nodes"] = nodes
	return out, nil
}

// mapRouting replaces the node ids of Next and Branch; Custom holds names already.
func mapRouting(routing any, node func(any) (any, error)) (any, error) {
	r, ok := routing.(map[string]any)
	if !ok {
		return routing, nil
	}
	r = maps.Clone(r)
	for _, key := range []string{"Next", "next"} {
		next, ok := r[key].(map[string]any)
		if !ok {
			continue
		}
		next = maps.Clone(next)
		var err error
		if next["node_id"], err = node(next["node_id"]); err != nil {
			return nil, err
		}
		r[key] = next
	}
	for _, key := range []string{"Branch", "branch"} {
		branch, ok := r[key].(map[string]any)
		if !ok {
			continue
		}
		branch = maps.Clone(branch)
		var err error
		if status, ok := branch["on_status"].(map[string]any); ok {
			status = maps.Clone(status)
			for _, name := range slices.Sorted(maps.Keys(status)) {
				if status[name], err = node(status[name]); err != nil {
					return nil, err
				}
			}
			branch["on_status"] = status
		}
		if branch["default"] != nil {
			if branch["default"], err = node(branch["default"]); err != nil {
				return nil, err
			}
		}
		r[key] = branch
	}
	return r, nil
}

// collect makes the symbol tables of m.
func (m *Manifest) collect() (symbols, error) {
	sets := [4]map[string]bool{{}, {}, {}, {}}
	sets[3][m.ID] = true
	for _, c := range m.Components {
		sets[0][c.ID] = true
	}
	for _, d := range m.Dependencies {
		sets[3][d.PackID] = true
		for _, c := range d.RequiredCapabilities {
			sets[2][c] = true
		}
	}
	for _, c := range m.Capabilities {
		sets[2][c.Name] = true
	}
	note := func(set map[string]bool) func(any) (any, error) {
		return func(v any) (any, error) {
			id, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("id %v is %T, not text", v, v)
			}
			set[id] = true
			return id, nil
		}
	}
	for _, f := range m.Flows {
		if _, err := mapFlowIDs(f.Doc, note(sets[1]), note(sets[0])); err != nil {
			return symbols{}, fmt.Errorf("flow %s: %w", f.ID, err)
		}
	}
	var tables [4][]string
	for i, set := range sets {
		tables[i] = slices.AppendSeq([]string{}, maps.Keys(set))
		sort.Strings(tables[i])
	}
	return symbols{components: tables[0], nodes: tables[1], capabilities: tables[2], packs: tables[3]}, nil
}

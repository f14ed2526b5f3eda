package flowcheck

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"greentic.dev/build"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/lint"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm/binary"
)

// builtFolder is a pack folder as building it went.
type builtFolder struct {
	files map[string]bool // of the pack
	found flow.Diagnostics
	told  bool

	components map[string]lint.Component
	operations map[string]string                // name -> the one component that declares it
	calls      map[string]map[string]build.Call // by flow and node
	ids        []string                         // of the flows
	hosts      []string
	texts      map[string]bool
}

// buildFolder looks at the pack in dir. compiled are flows that need not be compiled again.
func buildFolder(ctx context.Context, dir string, compiled func(string, []byte) (*flow.Flow, flow.Diagnostics)) *builtFolder {
	p := &builtFolder{files: map[string]bool{}, components: map[string]lint.Component{}, operations: map[string]string{}}
	contents, err := build.Inspect(ctx, dir, build.Options{Flow: compiled})
	if err != nil {
		p.found = flow.Diagnostics{diagnosticOf(err)}
		return p
	}
	for name := range contents.Files {
		p.files[name] = true
	}
	for _, c := range contents.Components {
		p.components[c.ID] = lint.Component{Operations: c.Operations, Declared: &c.Capabilities, Uses: uses(contents.Code[c.ID])}
		for _, op := range c.Operations {
			p.operations[op.Name] = c.ID
		}
	}
	p.calls, p.ids = contents.Calls, slices.Sorted(maps.Keys(contents.Calls))
	p.hosts = hosts(contents.Extensions[pack.ExtEgress])
	p.texts = texts(contents.Files["assets/i18n/en.json"])
	return p
}

// hosts are those of the extension greentic.egress.v1.
func hosts(extension any) (out []string) {
	ref, _ := extension.(map[string]any)
	inline, _ := ref["inline"].(map[string]any)
	list, _ := inline["hosts"].([]any)
	for _, item := range list {
		h, _ := item.(map[string]any)
		if name, ok := h["host"].(string); ok {
			out = append(out, strings.ToLower(name))
		}
	}
	return out
}

// texts are the keys of a file of translations; nil when there is none.
func texts(raw []byte) map[string]bool {
	var tree map[string]any
	if json.Unmarshal(raw, &tree) != nil || len(tree) == 0 {
		return nil
	}
	out := map[string]bool{}
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for key, v := range tree {
			if below, ok := v.(map[string]any); ok {
				walk(prefix+key+".", below)
				continue
			}
			out[prefix+key] = true
		}
	}
	walk("", tree)
	return out
}

// uses are the capabilities that the imports of a component stand for.
func uses(code []byte) []string {
	decoded, err := binary.Decode(code, binary.Limits{})
	if err != nil {
		return nil // whoever loads it will say so
	}
	var out []string
	for _, d := range decoded.Defs {
		if d.Import == nil {
			continue
		}
		if name := host.CapabilityOf(d.Import.Name); name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// lintable is the pack as checks of one of its flows want it.
func (p *builtFolder) lintable(f *flow.Flow) *lint.Pack {
	out := &lint.Pack{Components: p.components, Flows: p.ids, Hosts: p.hosts, Texts: p.texts, Calls: map[string]lint.Call{}}
	for node, call := range p.calls[f.ID] {
		out.Calls[node] = lint.Call(call)
	}
	return out
}

// packFolder is the nearest folder above a file that has a pack.yaml, or "".
func packFolder(name string) string {
	dir, err := filepath.Abs(filepath.Dir(name))
	for err == nil {
		if _, found := os.Stat(filepath.Join(dir, "pack.yaml")); found == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, dir); err == nil {
			return rel
		}
	}
	return dir
}

// unknownComponents finds the components that a flow calls and its pack, which may be nil, has not.
func unknownComponents(places flow.Places, f *flow.Flow, p *builtFolder) flow.Diagnostics {
	var out flow.Diagnostics
	for _, n := range f.Nodes {
		id := n.Component
		if id == "component.exec" && n.Operation != "" && n.Operation != id {
			id = n.Operation
		}
		mapping, _ := n.Input.(map[string]any)
		if named, ok := mapping["component"].(string); ok && n.Component == "component.exec" {
			id = named
		}
		var known []string
		if p != nil {
			for one := range p.components {
				known = append(known, one)
			}
			if p.operations[id] != "" {
				continue
			}
		}
		if pack.Builtin(id) || p != nil && has(p.components, id) {
			continue
		}
		fix := "put the flow into a pack with the component, or check with --structure-only"
		if near := nearest.Word(id, known); near != "" {
			fix = "did you mean " + near + "?"
		}
		out = append(out, places.Finding("error", "PACK_FLOW_COMPONENT_MISSING", "/nodes/"+n.ID, true, 0, fix, "node %s: no pack here has component %q", n.ID, id))
	}
	return out
}

func has(m map[string]lint.Component, key string) bool {
	_, ok := m[key]
	return ok
}

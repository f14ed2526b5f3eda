package flowcheck

import (
	"context"
	"os"
	"path/filepath"
	"slices"

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
	operations map[string]string // name -> the one component that declares it
	flows      map[string]*flow.Flow
	ids        []string // of the flows
	hosts      []string
	texts      map[string]bool
}

func buildFolder(ctx context.Context, dir string) *builtFolder {
	p := &builtFolder{files: map[string]bool{}, components: map[string]lint.Component{}, operations: map[string]string{}, flows: map[string]*flow.Flow{}}
	built, err := build.Pack(ctx, dir, build.Options{})
	if err != nil {
		p.found = flow.Diagnostics{diagnosticOf(err)}
		return p
	}
	for _, f := range built.Files {
		p.files[f.Path] = true
	}
	archive, err := pack.Open(built.Bytes, pack.Options{})
	if err != nil {
		p.found = flow.Diagnostics{diagnosticOf(err)}
		return p
	}
	for _, c := range archive.Components() {
		p.components[c.ID] = describe(archive, c)
		for _, op := range p.components[c.ID].Operations {
			p.operations[op.Name] = c.ID
		}
	}
	p.ids = []string{}
	for _, f := range archive.Flows() {
		p.flows[f.ID], p.ids = f, append(p.ids, f.ID)
	}
	for _, h := range archive.Egress() {
		p.hosts = append(p.hosts, h.Host)
	}
	if texts, err := archive.Texts("en"); err == nil && len(texts) > 0 {
		p.texts = map[string]bool{}
		for key := range texts {
			p.texts[key] = true
		}
	}
	return p
}

func describe(archive *pack.Archive, c pack.Component) lint.Component {
	var out lint.Component
	if c.Manifest != nil {
		out.Operations = c.Manifest.Operations
		out.Declared = &c.Manifest.Capabilities
	}
	if code, err := archive.Wasm(c.ID); err == nil {
		out.Uses = uses(code)
	}
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
	if packed := p.flows[f.ID]; packed != nil {
		for _, n := range packed.Nodes {
			out.Calls[n.ID] = lint.Call{Component: n.Component, Operation: n.Operation}
		}
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

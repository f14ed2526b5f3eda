package flowcheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"greentic.dev/build"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/pack"
)

// Checker checks the components of flows. It builds each pack once, also when the flows of several
// are checked in turn; what it has built stays until the Checker is dropped. The zero value is ready.
// It is not safe for concurrent use.
type Checker struct{ packs map[string]*builtFolder }

// builtFolder is a pack folder as building it went.
type builtFolder struct {
	files map[string]bool // of the pack
	known map[string]bool // component ids and operations
	found flow.Diagnostics
	told  bool

	operations map[string][]string // by component; what its manifest declares
}

// Components finds what the nodes of a flow call and nobody has; name is the file of the flow. It
// asks the pack that the flow belongs to, by building it in memory: so that it says what pack build
// says, and what is wrong with the pack itself only once. A flow that is not packed may name what
// its pack has, a flow outside a pack only what every host has. When ctx ends, what it found says
// nothing.
func (k *Checker) Components(ctx context.Context, name string, f *flow.Flow) flow.Diagnostics {
	dir := packFolder(name)
	if dir == "" {
		return append(flow.Diagnostics{{
			Class: "Pack", Message: "there is no pack.yaml above this flow: only the builtins are known", File: name, Severity: "warning",
			Fix: "put it into the flows folder of a pack, or check with --structure-only",
		}}, unknownComponents(name, f, nil)...)
	}
	p := k.packs[dir]
	if p == nil {
		p = buildFolder(ctx, dir)
		if k.packs == nil {
			k.packs = map[string]*builtFolder{}
		}
		k.packs[dir] = p
	}
	if len(p.found) > 0 {
		if p.told {
			return nil
		}
		p.told = true
		return p.found
	}
	found := unknownOperations(name, f, p.operations)
	if p.files["flows/"+filepath.Base(name)] {
		return found
	}
	return append(found, unknownComponents(name, f, p.known)...)
}

func buildFolder(ctx context.Context, dir string) *builtFolder {
	p := &builtFolder{files: map[string]bool{}, known: map[string]bool{}, operations: map[string][]string{}}
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
		p.known[c.ID] = true
		if c.Manifest != nil {
			for _, op := range c.Manifest.Operations {
				p.known[op.Name] = true
				p.operations[c.ID] = append(p.operations[c.ID], op.Name)
			}
		}
	}
	return p
}

// diagnosticOf says an error of the build the way findings are said.
func diagnosticOf(err error) flow.Diagnostic {
	pos, fix, code := fault.Detail(err)
	if code == "" {
		code = "Pack"
	}
	d := flow.Diagnostic{Class: code, Message: err.Error(), File: pos.File, Line: pos.Line, Col: pos.Col, Fix: fix, Severity: "error"}
	var cause *fault.Error
	for e := err; errors.As(e, &cause); e = cause.Err {
		if cause.Msg != "" {
			d.Message = cause.Msg
		}
	}
	return d
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

func unknownComponents(name string, f *flow.Flow, known map[string]bool) flow.Diagnostics {
	var out flow.Diagnostics
	for _, n := range f.Nodes {
		id := n.Component
		if id == "component.exec" && n.Operation != "" && n.Operation != id {
			id = n.Operation
		}
		if id == "component.exec" {
			mapping, _ := n.Input.(map[string]any)
			id, _ = mapping["component"].(string)
		}
		if pack.Builtin(id) || known[id] {
			continue
		}
		out = append(out, flow.Diagnostic{
			Class: "PACK_FLOW_COMPONENT_MISSING", Message: fmt.Sprintf("node %s: no pack here has component %q", n.ID, id),
			File: name, Line: n.Pos.Line, Col: n.Pos.Col, Severity: "error",
			Fix: "put the flow into a pack with the component, or check with --structure-only",
		})
	}
	return out
}

// unknownOperations are operations that the manifest of their component does not declare.
func unknownOperations(name string, f *flow.Flow, operations map[string][]string) flow.Diagnostics {
	var out flow.Diagnostics
	for _, n := range f.Nodes {
		id, op := n.Component, n.Operation
		if mapping, ok := n.Input.(map[string]any); ok && id == "component.exec" {
			id, _ = mapping["component"].(string)
			if named, ok := mapping["operation"].(string); ok && op == "" {
				op = named
			}
		}
		declared := operations[id]
		if op == "" || len(declared) == 0 || slices.Contains(declared, op) {
			continue
		}
		out = append(out, flow.Diagnostic{
			Class: "Operation", Message: fmt.Sprintf("node %s: component %s does not declare the operation %s", n.ID, id, op),
			File: name, Line: n.Pos.Line, Col: n.Pos.Col, Severity: "warning", Fix: "use " + strings.Join(declared, ", "),
		})
	}
	return out
}

package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/flow"
	"greentic.dev/model/pack"
)

const flowDir = "flows"

// listing is one flow to be packed.
type listing struct {
	at, id, file      string
	tags, entrypoints []string
}

// addFlows compiles the flows that pack.yaml lists, or all of flows/ when it lists none.
func (b *builder) addFlows(context.Context) error {
	present, err := b.flowFiles()
	if err != nil {
		return err
	}
	var list []listing
	for i, f := range b.project.Flows {
		l := listing{fmt.Sprintf("$.flows[%d]", i), f.ID, path.Clean(f.File), f.Tags, f.Entrypoints}
		if !inside(f.File) || path.Dir(l.file) != flowDir || path.Ext(l.file) != ".ygtc" {
			return b.project.fail(l.at, "flow %s needs file, a path such as flows/main.ygtc", f.ID)
		}
		list = append(list, l)
	}
	if list == nil {
		for _, name := range present {
			list = append(list, listing{at: "$", file: name})
		}
	}
	for _, name := range present {
		if !slices.ContainsFunc(list, func(l listing) bool { return l.file == name }) {
			b.warn("PACK_FLOW_NOT_LISTED", name, "the flow is not listed in "+packFile+" and not packed", "list it under flows")
		}
	}
	for _, l := range list {
		if err := b.addFlow(l); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) flowFiles() ([]string, error) {
	entries, err := fs.ReadDir(b.root.FS(), flowDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.As(fault.Invalid, "pack build "+flowDir, err)
	}
	var out []string
	for _, e := range entries {
		if path.Ext(e.Name()) == ".ygtc" && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, path.Join(flowDir, e.Name()))
		}
	}
	return out, nil
}

func (b *builder) addFlow(l listing) error {
	b.opts.Progress("flow " + l.file)
	src, err := b.read(l.file)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			return b.project.fail(l.at+".file", "flow %s: there is no file %s", l.id, l.file)
		}
		return err
	}
	compile := b.opts.Flow
	if compile == nil {
		compile = flow.Check
	}
	f, found := compile(b.shown(l.file), src)
	if f == nil {
		_, err := flow.Compile(b.shown(l.file), src)
		return err
	}
	for _, d := range found {
		b.warn("PACK_FLOW_"+strings.ToUpper(d.Class), fmt.Sprintf("%s:%d:%d", l.file, d.Line, d.Col), d.Message, d.Fix)
	}
	if l.id != "" && l.id != f.ID {
		return b.project.fail(l.at+".id", "the flow in %s calls itself %q, not %q", l.file, f.ID, l.id)
	}
	if slices.ContainsFunc(b.flows, func(e pack.FlowEntry) bool { return e.ID == f.ID }) {
		return b.project.fail(l.at, "two flows are called %s", f.ID)
	}
	f.File = l.file
	doc := f.Manifest()
	r := resolver{builder: b, file: l.file, src: string(src), flow: f, side: b.sidecar(l.file)}
	if err := r.resolve(doc); err != nil {
		return err
	}
	entry := pack.FlowEntry{ID: f.ID, Kind: string(f.Kind), Tags: f.Tags, Entrypoints: l.entrypoints, Doc: doc}
	if l.tags != nil {
		entry.Tags = l.tags
	}
	if entry.Entrypoints == nil {
		entry.Entrypoints = slices.Sorted(maps.Keys(f.Entrypoints))
	}
	b.flows = append(b.flows, entry)
	b.files[l.file] = src
	return nil
}

// sidecarNode is what the files beside a flow say of one node (formats digest 1.8).
type sidecarNode struct {
	ComponentID string `json:"component_id"`
	Digest      string `json:"digest"`
	Source      struct {
		Kind   string `json:"kind"`
		Path   string `json:"path"`
		Ref    string `json:"ref"`
		Digest string `json:"digest"`
	} `json:"source"`
}

// sidecar joins <flow>.resolve.json and <flow>.resolve.summary.json by node.
func (b *builder) sidecar(file string) map[string]sidecarNode {
	nodes := map[string]sidecarNode{}
	for _, suffix := range []string{".resolve.json", ".resolve.summary.json"} {
		src, err := b.read(file + suffix)
		if err != nil {
			continue
		}
		var doc struct {
			Nodes map[string]sidecarNode `json:"nodes"`
		}
		if err := json.Unmarshal(src, &doc); err != nil {
			b.warn("PACK_SIDECAR_INVALID", file+suffix, "the sidecar is not read: "+err.Error(), "")
			continue
		}
		for id, n := range doc.Nodes {
			have := nodes[id]
			if n.ComponentID == "" && n.Source.Kind == "local" {
				n.ComponentID = b.partAt(path.Join(flowDir, n.Source.Path))
			}
			if n.ComponentID == "" {
				n.ComponentID = have.ComponentID
			}
			nodes[id] = n
		}
	}
	return nodes
}

// partAt is the component whose code lies at name.
func (b *builder) partAt(name string) string {
	for _, p := range b.parts {
		if p.source == name {
			return p.compiled.ID
		}
	}
	return ""
}

// resolver replaces component.exec in one flow document by what it stands for (formats digest 1.3).
type resolver struct {
	builder *builder
	file    string
	src     string
	flow    *flow.Flow
	side    map[string]sidecarNode
}

func (r resolver) resolve(doc map[string]any) error {
	nodes, _ := doc["nodes"].([]any)
	for i, item := range nodes {
		n, _ := item.(map[string]any)
		ref, _ := n["component"].(map[string]any)
		if ref == nil || i >= len(r.flow.Nodes) {
			return fault.Newf(fault.Internal, "pack build "+r.file, "node %d of the compiled flow has no component", i)
		}
		id, op, err := r.component(n, r.flow.Nodes[i])
		if err != nil {
			return err
		}
		ref["id"], ref["operation"] = id, nil
		if op != "" {
			ref["operation"] = op
		}
	}
	return nil
}

// component is the component and operation a node means.
func (r resolver) component(n map[string]any, at *flow.Node) (id, op string, err error) {
	id, op = at.Component, at.Operation
	if at.Alias != "" {
		return id, op, nil
	}
	input, _ := n["input"].(map[string]any)
	mapping, _ := input["mapping"].(map[string]any)
	named, _ := mapping["component"].(string)
	side := r.side[at.ID].ComponentID
	switch {
	case id != "component.exec":
	case op == "" || op == "component.exec":
		if id, op = named, ""; side != "" {
			id = side
		}
		if id == "" {
			return "", "", r.fail(at, "node %s does not name its component", at.ID).WithFix("add component: ID to component.exec")
		}
	case pack.Builtin(op):
		id, op = op, ""
	case side != "":
		id = side
	case named != "":
		id = named
	default:
		if id, err = r.provider(at, op); err != nil {
			return "", "", err
		}
	}
	return id, op, r.known(at, id)
}

// provider is the one component of the pack that declares an operation.
func (r resolver) provider(at *flow.Node, op string) (string, error) {
	var found, all []string
	for _, p := range r.builder.parts {
		for _, o := range p.compiled.Operations {
			all = append(all, o.Name)
			if o.Name == op {
				found = append(found, p.compiled.ID)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		err := r.fail(at, "node %s: no component of this pack declares operation %q", at.ID, op)
		if best := nearest.Word(op, all); best != "" {
			return "", err.WithFix("did you mean " + best + "?")
		}
		return "", err.WithFix("list the component in " + packFile + ", or write component.exec: { component: ID, operation: " + op + " }")
	}
	return "", r.fail(at, "node %s: operation %q is declared by %s", at.ID, op, strings.Join(found, " and ")).
		WithFix("write component.exec: { component: ID, operation: " + op + " }")
}

// known checks that a component is a builtin, in the pack, or pinned by the sidecar; the last
// enters the lock as remote.
func (r resolver) known(at *flow.Node, id string) error {
	b := r.builder
	if pack.Builtin(id) {
		return nil
	}
	var ids []string
	for _, p := range b.parts {
		if p.compiled.ID == id {
			return nil
		}
		ids = append(ids, p.compiled.ID)
	}
	s := r.side[at.ID]
	pin := s.Digest
	if pin == "" {
		pin = s.Source.Digest
	}
	if digest, err := greentic.ParseDigest(pin); err == nil && s.ComponentID == id && s.Source.Kind != "local" {
		if !slices.ContainsFunc(b.locked, func(e pack.LockEntry) bool { return e.ComponentID == id }) {
			b.locked = append(b.locked, pack.LockEntry{
				ComponentID: id, Ref: s.Source.Ref, ABIVersion: abiVersion, Digest: pin, DescribeHash: digest.Hex(), Role: "unknown",
			})
		}
		return nil
	}
	err := r.fail(at, "node %s: component %q is not in %s", at.ID, id, packFile).WithCode("PACK_FLOW_COMPONENT_MISSING")
	if best := nearest.Word(id, ids); best != "" {
		return err.WithFix("did you mean " + best + "?")
	}
	return err.WithFix("list it under components")
}

func (r resolver) fail(at *flow.Node, format string, args ...any) *fault.Error {
	return fault.Newf(fault.Invalid, "pack build", format, args...).At(fault.Position{
		File: r.builder.shown(r.file), Line: at.Pos.Line, Col: at.Pos.Col, Excerpt: excerpt(r.src, at.Pos.Line),
	})
}

package flowtest

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"greentic.dev/backing/egress"
	"greentic.dev/build"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/flowtest"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/loader"
)

// source is a flow with what it runs in.
type source struct {
	file     string // of the flow
	flow     *flow.Flow
	verified *loader.Verified
}

// unsigned lets packs through that were built here and are run nowhere else.
var unsigned = loader.Policy{AllowUnsignedUnsafe: true}

// find reads the flow of a suite and builds the pack it lies in, once for all its suites; a flow
// outside a pack runs alone.
func (t *Tests) find(ctx context.Context, s *flowtest.Suite) (*source, error) {
	file := s.FlowFile()
	src, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "flow test "+s.File, "there is no flow %s", file).WithFix("put the test beside its flow, or name it: flow: ../flows/main.ygtc")
	}
	if err != nil {
		return nil, fault.As(fault.Unavailable, "flow test "+s.File, err)
	}
	f, err := flow.Compile(file, src)
	if err != nil {
		return nil, err
	}
	found := &source{file: file, flow: f}
	dir := packFolder(file)
	if dir == "" {
		found.verified, err = alone(ctx, f, src)
		return found, err
	}
	if found.verified = t.packs[dir]; found.verified == nil {
		built, err := build.Pack(ctx, dir, build.Options{})
		if err != nil {
			return nil, err
		}
		if found.verified, _, err = loader.LoadBytes(ctx, dir, built.Bytes, unsigned); err != nil {
			return nil, err
		}
		t.packs[dir] = found.verified
	}
	for _, packed := range found.verified.Archive().Flows() {
		if packed.ID == f.ID {
			return found, nil
		}
	}
	return nil, fault.Newf(fault.NotFound, "flow test "+s.File, "the pack in %s does not pack the flow %s", dir, f.ID).WithFix("list it under flows of pack.yaml")
}

// packFolder is the nearest folder above a file that has a pack.yaml, or "".
func packFolder(file string) string {
	dir, err := filepath.Abs(filepath.Dir(file))
	for err == nil {
		if _, found := os.Stat(filepath.Join(dir, "pack.yaml")); found == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return ""
}

// alone is a pack of one flow, whose components are all mocked: an operation that does not name its
// component is called by its own name.
func alone(ctx context.Context, f *flow.Flow, src []byte) (*loader.Verified, error) {
	f.File = "flows/" + f.ID + ".ygtc"
	doc := f.Manifest()
	nodes, _ := doc["nodes"].([]any)
	for i, n := range f.Nodes {
		mapping, _ := n.Input.(map[string]any)
		if n.Builtin() != "" || n.Component != "component.exec" || mapping["component"] != nil || n.Operation == "" || i >= len(nodes) {
			continue
		}
		if one, ok := nodes[i].(map[string]any); ok {
			one["component"] = map[string]any{"id": n.Operation, "operation": nil}
		}
	}
	built, err := pack.Build(pack.Source{
		Manifest: pack.Manifest{ID: "greentic.flowtest", Version: "0.0.0", Kind: "application", Publisher: "greentic", Name: f.ID,
			Flows: []pack.FlowEntry{{ID: f.ID, Kind: string(f.Kind), Tags: f.Tags, Entrypoints: []string{"default"}, Doc: doc}}},
		Files: []pack.File{{Path: f.File, Content: src}},
	}, nil)
	if err != nil {
		return nil, fault.Wrap("flow test", err)
	}
	v, _, err := loader.LoadBytes(ctx, f.ID, built, unsigned)
	return v, err
}

// grants are the hosts that the pack declares and those that mocks answer for.
func grants(v *loader.Verified, s *flowtest.Suite) (out []egress.Grant) {
	for _, h := range v.Archive().Egress() {
		g := egress.Grant{Host: h.Host, Methods: h.Methods}
		for _, p := range h.Ports {
			g.Ports = append(g.Ports, uint16(p)) // the pack's extension allows no others
		}
		out = append(out, g)
	}
	list := slices.Clone(s.HTTP)
	for _, c := range s.Cases {
		list = append(list, c.HTTP...)
	}
	for _, x := range list {
		if u, err := url.Parse(x.URL); err == nil && u.Host != "" {
			if g, err := egress.ParseGrant(u.Host); err == nil {
				out = append(out, g)
			}
		}
	}
	return out
}

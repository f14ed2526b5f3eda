package build

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/component"
	"greentic.dev/model/pack"
)

// abiVersion is what locks say of every component of this generation.
const abiVersion = "0.6.0"

// part is one component with its code.
type part struct {
	compiled component.Compiled
	source   string // path of the code in the folder
	lock     pack.LockEntry
}

func (p part) wasmPath() string     { return "components/" + p.compiled.ID + ".wasm" }
func (p part) manifestPath() string { return "components/" + p.compiled.ID + ".manifest.cbor" }

// addComponents reads the code and the manifests that pack.yaml lists.
func (b *builder) addComponents(ctx context.Context) error {
	for i, c := range b.project.Components {
		at := fmt.Sprintf("$.components[%d]", i)
		b.opts.Progress("component " + c.ID)
		if err := greentic.CheckID("component id", c.ID); err != nil {
			return b.project.fail(at+".id", "%v", err)
		}
		if pack.Builtin(c.ID) {
			return b.project.fail(at+".id", "%s is the name of a builtin", c.ID)
		}
		if slices.ContainsFunc(b.parts, func(p part) bool { return p.compiled.ID == c.ID }) {
			return b.project.fail(at+".id", "component %s is listed twice", c.ID)
		}
		if !inside(c.Wasm) {
			return b.project.fail(at, "component %s needs wasm, the path of its code in this folder", c.ID)
		}
		code, err := b.read(c.Wasm)
		if err != nil {
			return b.project.fail(at+".wasm", "component %s: %v", c.ID, err)
		}
		p, err := b.part(ctx, at, c, code)
		if err != nil {
			return err
		}
		b.parts = append(b.parts, p)
		b.files[p.wasmPath()] = code
		if b.files[p.manifestPath()], err = cbor.Marshal(p.compiled); err != nil {
			return fault.Wrap("pack build component "+c.ID, err)
		}
	}
	slices.SortFunc(b.parts, func(x, y part) int { return strings.Compare(x.compiled.ID, y.compiled.ID) })
	return nil
}

// part joins what pack.yaml, the manifest beside the code and the code itself say.
func (b *builder) part(ctx context.Context, at string, c projectComponent, code []byte) (part, error) {
	p := part{source: path.Clean(c.Wasm), compiled: component.Compiled{Supports: []string{}, DevFlows: map[string]any{}}}
	m, err := b.manifestBeside(c, code)
	if err != nil {
		return part{}, err
	}
	if m != nil {
		if c.Version != "" && c.Version != m.Version {
			return part{}, b.project.fail(at+".version", "component %s has version %s, its manifest says %s", c.ID, c.Version, m.Version)
		}
		p.compiled = m.Compiled()
	}
	override(&p.compiled, c)
	if p.compiled.Version == "" || p.compiled.World == "" {
		return part{}, b.project.fail(at, "component %s needs version and world", c.ID).
			WithFix("add them here or a component.manifest.json beside the code")
	}
	if err := component.CheckVersion(p.compiled.Version); err != nil {
		return part{}, b.project.fail(at+".version", "component %s: %v", c.ID, err)
	}
	digest := greentic.DigestOf(code)
	p.lock = pack.LockEntry{
		ComponentID: c.ID, ABIVersion: abiVersion, Digest: string(digest), DescribeHash: digest.Hex(),
		World: p.compiled.World, Version: p.compiled.Version, Role: "unknown",
	}
	return p, b.describe(ctx, &p, code)
}

// override applies what pack.yaml says; it wins, because the author of the pack answers for it.
func override(to *component.Compiled, c projectComponent) {
	to.ID = c.ID
	if c.Version != "" {
		to.Version = c.Version
	}
	if c.World != "" {
		to.World = c.World
	}
	if c.Supports != nil {
		to.Supports = make([]string, len(c.Supports))
		for i, s := range c.Supports {
			if to.Supports[i] = s; s == "componentconfig" || s == "component-config" {
				to.Supports[i] = "component_config"
			}
		}
	}
	if c.Profiles != nil {
		to.Profiles = *c.Profiles
	}
	if c.Capabilities != nil {
		to.Capabilities = *c.Capabilities
	}
	if c.Operations != nil {
		to.Operations = c.Operations
	}
	if c.ConfigSchema != nil {
		to.ConfigSchema = c.ConfigSchema
	}
	if c.Resources != nil {
		to.Resources = *c.Resources
	}
	if c.Configurators != nil {
		to.Configurators = c.Configurators
	}
}

// manifestBeside reads the component.manifest.json in the folder of the code, if it is about
// this code; nil otherwise.
func (b *builder) manifestBeside(c projectComponent, code []byte) (*component.Manifest, error) {
	name := path.Join(path.Dir(path.Clean(c.Wasm)), "component.manifest.json")
	src, err := b.read(name)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := component.Parse(b.shown(name), src)
	if err != nil {
		return nil, err
	}
	if m.ID != c.ID || path.Join(path.Dir(name), m.Artifacts.ComponentWasm) != path.Clean(c.Wasm) {
		return nil, nil
	}
	if err := m.CheckWasm(code); err != nil {
		return nil, fault.Wrap("pack build "+b.shown(name), err)
	}
	return m, nil
}

// describe asks the component about itself and notes it in the lock.
func (b *builder) describe(ctx context.Context, p *part, code []byte) error {
	if b.opts.Describe == nil {
		return nil
	}
	doc, err := b.opts.Describe(ctx, code)
	if err != nil {
		return fault.Wrap("pack build component "+p.compiled.ID+": describe", err)
	}
	if doc == nil {
		return nil
	}
	d, err := component.ParseDescription(doc)
	if err != nil {
		return fault.Wrap("pack build component "+p.compiled.ID, err)
	}
	p.lock.DescribeHash = d.Hash
	if d.Role != "" {
		p.lock.Role = d.Role
	}
	for _, op := range d.Operations {
		p.lock.Operations = append(p.lock.Operations, pack.LockOperation{ID: op.ID, SchemaHash: op.SchemaHash})
	}
	return nil
}

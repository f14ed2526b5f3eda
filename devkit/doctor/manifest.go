package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"greentic.dev/build"
	"greentic.dev/build/guest"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/component"
	"greentic.dev/wasm"
)

// rebuild is what mends a manifest.
const rebuild = "greentic component build"

// document asks for the self-description whose hash packs lock, and compares the manifest with the code.
func (x *examination) document(ctx context.Context, code *wasm.Component) {
	doc, err := build.Describer(x.engine)(ctx, x.code)
	if err != nil || doc == nil {
		doc = nil // description says so
	} else if d, err := component.ParseDescription(doc); err == nil {
		x.describeHash = d.Hash
	}
	if x.manifest == nil {
		return
	}
	m := x.manifest
	if err := m.CheckWasm(x.code); err != nil {
		x.add(Error, "manifest_hash", nil, rebuild, "the manifest is of other code: it says %s", m.Hashes.ComponentWasm)
		x.found[len(x.found)-1].Kind = fault.Invalid
	}
	x.world(code)
	x.capabilities(code)
	x.told(doc)
}

// world compares the world of the manifest with what is exported.
func (x *examination) world(code *wasm.Component) {
	path, version, _ := strings.Cut(x.manifest.World, "@")
	pkg, _, _ := strings.Cut(path, "/")
	for _, e := range code.Exports() {
		if strings.HasPrefix(e.Name, pkg+"/") && strings.HasSuffix(e.Name, "@"+version) {
			return
		}
	}
	x.add(Warning, "manifest_world", nil, "name the world it was built for", "the manifest says world %s; nothing of %s@%s is exported", x.manifest.World, pkg, version)
}

// capabilities compares what the manifest declares with what is imported. What is not declared is denied when it
// runs.
func (x *examination) capabilities(code *wasm.Component) {
	declared, used := x.manifest.Capabilities, guest.Uses(code)
	names := func(c component.Capabilities) []string {
		c.Host.Secrets = nil
		return c.Names()
	}
	for _, name := range names(used) {
		if !slices.Contains(names(declared), name) {
			x.add(Warning, "capability_missing", nil, "add it to capabilities, or "+rebuild, "it uses %s, which the manifest does not declare and which will be denied", name)
		}
	}
	for _, name := range names(declared) {
		if strings.HasPrefix(name, "host:") && !slices.Contains(names(used), name) && !strings.Contains("host:messaging host:events host:iac", name) {
			x.add(Note, "capability_unused", nil, "remove it from capabilities", "the manifest declares %s, which it does not use", name)
		}
	}
	secrets := slices.ContainsFunc(code.Imports(), func(i wasm.Item) bool { return i.Name == interfaces.Secrets10 || i.Name == interfaces.Secrets11 })
	if stated := x.manifest.Compiled().Capabilities.Host.Secrets; secrets && (stated == nil || len(stated.Required) == 0) {
		x.add(Warning, "secrets_undeclared", nil, "list them in secret_requirements", "it reads secrets and the manifest declares none, so each will be denied")
	}
}

// told compares the manifest with what the component says of itself.
func (x *examination) told(doc any) {
	fields, _ := doc.(map[string]any)
	metadata, _ := fields["metadata"].(map[string]any)
	if why, broken := metadata["broken"].(string); broken {
		x.add(Error, "broken", nil, "see the documentation of the SDK", "it was put together wrongly: %s", why)
		x.found[len(x.found)-1].Kind = fault.Invalid
		return
	}
	own, ok := metadata["manifest"].(map[string]any)
	if !ok {
		return
	}
	mine, err := plainJSON(x.manifest)
	if err != nil {
		return
	}
	for _, key := range []string{"id", "version", "world", "operations", "config_schema", "default_operation", "supports", "secret_requirements"} {
		theirs, err := plainJSON(own[key])
		if fields, _ := mine.(map[string]any); err == nil && fmt.Sprint(fields[key]) != fmt.Sprint(theirs) {
			x.add(Warning, "manifest_differs", nil, rebuild, "the manifest and the component say different things under %s", key)
		}
	}
}

// plainJSON is v as it reads back from JSON.
func plainJSON(v any) (plain any, err error) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	return plain, err
}

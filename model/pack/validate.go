package pack

import (
	"strings"

	"greentic.dev/greentic"
)

// runtimeFlowExtensions carry flows that the classic runner puts in place of the manifest's.
var runtimeFlowExtensions = []string{"greentic.pack.runtime_flow", "greentic.pack.flow_runtime", "greentic.pack.runtime_flows"}

// validate applies the ecosystem's checks (formats digest 4.3). lookup finds a component anywhere in
// the pack. What would make the pack ambiguous is an error, what fails only when used a warning.
func (m *Manifest) validate(lookup func(string) (Component, error)) []Finding {
	var out []Finding
	note := func(s Severity, code, format string, args ...any) {
		out = append(out, found(s, code, manifestPath, format, args...))
	}
	if m.ID == "" {
		note(Error, "PACK_ID_MISSING", "pack_id is missing")
	} else if err := greentic.CheckID("pack id", m.ID); err != nil {
		note(Error, "PACK_ID_MISSING", "%v", err)
	}
	explicit := map[string]bool{}
	for _, c := range m.Components {
		if explicit[c.ID] {
			note(Error, "PACK_COMPONENT_ID_DUPLICATE", "component %q is listed twice", c.ID)
		}
		explicit[c.ID] = true
		if c.Configurators == nil {
			continue
		}
		for _, id := range []string{c.Configurators.Basic, c.Configurators.Full} {
			if _, dev := c.DevFlows[id]; id != "" && !dev && !m.hasFlow(id) {
				note(Warn, "PACK_COMPONENT_CONFIG_FLOW_MISSING", "component %s names configurator flow %q, which is not there", c.ID, id)
			}
		}
	}
	aliases := map[string]bool{}
	for _, d := range m.Dependencies {
		switch {
		case d.Alias == "":
			note(Error, "PACK_DEPENDENCY_ALIAS_MISSING", "the dependency on %s has no alias", d.PackID)
		case aliases[d.Alias]:
			note(Error, "PACK_DEPENDENCY_ALIAS_DUPLICATE", "two dependencies have the alias %q", d.Alias)
		}
		aliases[d.Alias] = true
	}
	seen := map[string]bool{}
	for _, f := range m.Flows {
		if seen[f.ID] {
			note(Error, "PACK_FLOW_ID_DUPLICATE", "flow %q is listed twice", f.ID)
		}
		seen[f.ID] = true
		f.validate(note)
		for _, use := range f.uses() {
			if use.alias != "" && !aliases[use.alias] {
				note(Error, "PACK_FLOW_DEPENDENCY_ALIAS_MISSING", "flow %s, node %s: no dependency has the alias %q", f.ID, use.node, use.alias)
			}
			if use.alias != "" || explicit[use.component] || Builtin(use.component) || use.component == "" {
				continue
			}
			explicit[use.component] = true // say it once
			if _, err := lookup(use.component); err != nil {
				note(Warn, "PACK_FLOW_COMPONENT_MISSING", "flow %s, node %s: component %q is not in the pack; the node will fail when it runs", f.ID, use.node, use.component)
			} else {
				note(Info, "PACK_COMPONENT_NOT_EXPLICIT", "flow %s, node %s: component %q is in the pack and not in its manifest", f.ID, use.node, use.component)
			}
		}
	}
	for _, id := range runtimeFlowExtensions {
		if m.Extensions[id] != nil {
			note(Warn, "PACK_MANIFEST_UNSUPPORTED", "extension %s, which replaces flows in other runners, is not applied", id)
		}
	}
	return out
}

func (f FlowEntry) validate(note func(Severity, string, string, ...any)) {
	if id, _ := f.Doc["id"].(string); id != f.ID {
		note(Error, "PACK_FLOW_ID_MISMATCH", "flow %q calls itself %q", f.ID, id)
	}
	if kind, _ := f.Doc["kind"].(string); !strings.EqualFold(kind, f.Kind) {
		note(Warn, "PACK_FLOW_KIND_MISMATCH", "flow %s is listed as %q and calls itself %q", f.ID, f.Kind, kind)
	}
	if v, _ := f.Doc["schema_version"].(string); v == "" {
		note(Warn, "PACK_FLOW_SCHEMA_VERSION_MISSING", "flow %s has no schema_version", f.ID)
	}
}

// use is one reference from a node to a component.
type use struct{ node, component, alias string }

func (f FlowEntry) uses() []use {
	var out []use
	nodes, _ := f.Doc["nodes"].([]any)
	for _, item := range nodes {
		n, _ := item.(map[string]any)
		c, _ := n["component"].(map[string]any)
		u := use{}
		u.node, _ = n["id"].(string)
		u.component, _ = c["id"].(string)
		u.alias, _ = c["pack_alias"].(string)
		out = append(out, u)
	}
	return out
}

package pack

import (
	"greentic.dev/model/component"
)

// SchemaVersion is the manifest version this package writes and fully reads.
const SchemaVersion = "pack-v1"

// Manifest is manifest.cbor, schema pack-v1 (formats digest 4.3), with symbol indexes replaced
// by what they stand for. What this package does not know is kept and written back.
type Manifest struct {
	SchemaVersion string
	ID            string
	Name          string
	Version       string
	Kind          string // application, provider, infrastructure or library
	Publisher     string
	Components    []component.Compiled
	Flows         []FlowEntry
	Dependencies  []Dependency
	Capabilities  []Capability
	Secrets       []component.SecretRequirement
	Signatures    []any          // manifest signatures (formats digest 4.6 item 2), verbatim
	Bootstrap     map[string]any // nil when absent
	Extensions    map[string]any // id -> ExtensionRef, verbatim
	Agents        map[string]any
	Extra         map[string]any // top-level keys this package does not know, verbatim
}

// FlowEntry is one flow of a manifest. Doc is the flow-v1 document with node and component
// ids as text, the form flow.FromManifest reads and Flow.Manifest writes.
type FlowEntry struct {
	ID          string
	Kind        string
	Tags        []string
	Entrypoints []string
	Doc         map[string]any
}

// Dependency is another pack this one needs.
type Dependency struct {
	Alias                string
	PackID               string
	VersionReq           string
	RequiredCapabilities []string
}

// Capability is a capability the pack declares or that was derived from its components.
type Capability struct {
	Name        string
	Description string
}

// Extension returns the inline part of an extension, nil when the pack has none of that id.
func (m *Manifest) Extension(id string) any {
	ref, _ := m.Extensions[id].(map[string]any)
	return ref["inline"]
}

package component

import (
	"encoding/hex"

	"lukechampine.com/blake3"

	"greentic.dev/greentic/fault"
)

// Manifest is a component.manifest.json (formats digest 2.1).
type Manifest struct {
	Schema           string              `json:"$schema,omitempty"`
	ID               string              `json:"id"`
	Name             string              `json:"name"`
	Version          string              `json:"version"`
	World            string              `json:"world"`
	DescribeExport   string              `json:"describe_export"`
	ConfigSchema     map[string]any      `json:"config_schema"`
	Operations       []Operation         `json:"operations"`
	DefaultOperation string              `json:"default_operation,omitempty"`
	Supports         []string            `json:"supports"`
	Profiles         Profiles            `json:"profiles"`
	Capabilities     Capabilities        `json:"capabilities"`
	Secrets          []SecretRequirement `json:"secret_requirements,omitempty"`
	Configurators    *Configurators      `json:"configurators,omitempty"`
	Limits           *Limits             `json:"limits,omitempty"`
	Telemetry        *Telemetry          `json:"telemetry,omitempty"`
	Provenance       *Provenance         `json:"provenance,omitempty"`
	Artifacts        Artifacts           `json:"artifacts"`
	Hashes           Hashes              `json:"hashes"`
	DevFlows         map[string]any      `json:"dev_flows,omitempty"`
}

// Operation is one thing a component can be asked to do.
type Operation struct {
	Name         string `json:"name"`
	InputSchema  any    `json:"input_schema"`
	OutputSchema any    `json:"output_schema"`
}

// Profiles are the state profiles a component can run under.
type Profiles struct {
	Default   string   `json:"default,omitempty"`
	Supported []string `json:"supported"`
}

// Configurators name the flows that ask for a component's configuration.
type Configurators struct {
	Basic string `json:"basic,omitempty"`
	Full  string `json:"full,omitempty"`
}

// Limits are what a component asks for; the host may give less.
type Limits struct {
	MemoryMB   int64 `json:"memory_mb"`
	WallTimeMS int64 `json:"wall_time_ms"`
	Fuel       int64 `json:"fuel,omitempty"`
	Files      int64 `json:"files,omitempty"`
}

// Telemetry names the spans of a component.
type Telemetry struct {
	SpanPrefix    string            `json:"span_prefix"`
	Attributes    map[string]string `json:"attributes,omitempty"`
	EmitNodeSpans bool              `json:"emit_node_spans,omitempty"`
}

// Provenance is what the manifest says about its own build; it proves nothing.
type Provenance struct {
	Builder    string `json:"builder"`
	GitCommit  string `json:"git_commit"`
	Toolchain  string `json:"toolchain"`
	BuiltAtUTC string `json:"built_at_utc"`
}

// Artifacts says where the code is, relative to the manifest.
type Artifacts struct {
	ComponentWasm string `json:"component_wasm"`
}

// Hashes are "blake3:" and 64 lower-case hexadecimal digits.
type Hashes struct {
	ComponentWasm string `json:"component_wasm"`
}

// SecretRequirement is a secret that must be provided before a component works.
type SecretRequirement struct {
	Key         string       `json:"key"`
	Required    bool         `json:"required"`
	Description string       `json:"description,omitempty"`
	Scope       *SecretScope `json:"scope,omitempty"`
	Format      string       `json:"format,omitempty"` // bytes, text or json
	Schema      any          `json:"schema,omitempty"`
	Examples    []any        `json:"examples,omitempty"`
}

// SecretScope says whose secret it is; placeholders such as "<tenant>" occur.
type SecretScope struct {
	Env    string         `json:"env"`
	Tenant string         `json:"tenant"`
	Team   string         `json:"team,omitempty"`
	Vars   map[string]any `json:"vars,omitempty"`
}

// Parse reads a source manifest: JSON without unknown or duplicate keys at any level, checked
// by the rules of formats digest 2.1. file is only for messages. The error is fault.Invalid
// with the position and a fix.
func Parse(file string, src []byte) (*Manifest, error) {
	doc, err := readJSON(file, src)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := doc.into(&m); err != nil {
		return nil, err
	}
	if err := m.check(doc); err != nil {
		return nil, err
	}
	return &m, nil
}

// Operation returns the declared operation called name.
func (m *Manifest) Operation(name string) (Operation, error) {
	for _, op := range m.Operations {
		if op.Name == name {
			return op, nil
		}
	}
	return Operation{}, fault.Newf(fault.NotFound, "component "+m.ID, "declares no operation %q", name)
}

// CheckWasm compares the code with hashes.component_wasm; a difference is fault.Invalid.
func (m *Manifest) CheckWasm(wasm []byte) error {
	sum := blake3.Sum256(wasm)
	if have := "blake3:" + hex.EncodeToString(sum[:]); have != m.Hashes.ComponentWasm {
		return fault.Newf(fault.Invalid, "component "+m.ID, "the code has hash %s, the manifest says %s", have, m.Hashes.ComponentWasm).
			WithFix("set hashes.component_wasm to " + have)
	}
	return nil
}

// Compiled is the form a pack manifest carries: artifacts, hashes, limits and telemetry stay
// behind (formats digest 2.1, last lines).
func (m *Manifest) Compiled() Compiled {
	caps := m.Capabilities
	if len(m.Secrets) > 0 {
		caps.Host.Secrets = &SecretsCapability{Required: m.Secrets}
	}
	return Compiled{
		ID: m.ID, Version: m.Version, Supports: m.Supports, World: m.World, Profiles: m.Profiles,
		Capabilities: caps, Configurators: m.Configurators, Operations: m.Operations,
		ConfigSchema: m.ConfigSchema, DevFlows: m.DevFlows,
	}
}

// Compiled is a component as pack manifests carry it (formats digest 2.1 and 4.3).
type Compiled struct {
	ID            string         `json:"id"`
	Version       string         `json:"version"`
	Supports      []string       `json:"supports"`
	World         string         `json:"world"`
	Profiles      Profiles       `json:"profiles"`
	Capabilities  Capabilities   `json:"capabilities"`
	Configurators *Configurators `json:"configurators"`
	Operations    []Operation    `json:"operations"`
	ConfigSchema  any            `json:"config_schema"`
	Resources     Resources      `json:"resources"`
	DevFlows      map[string]any `json:"dev_flows"`
}

// Resources are hints for placement.
type Resources struct {
	CPUMillis        *int64 `json:"cpu_millis,omitempty"`
	MemoryMB         *int64 `json:"memory_mb,omitempty"`
	AverageLatencyMS *int64 `json:"average_latency_ms,omitempty"`
}

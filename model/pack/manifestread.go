package pack

import (
	"fmt"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/component"
)

// readManifest reads manifest.cbor. Unknown versions are tried; what cannot be read of them is
// fault.Unsupported, of pack-v1 fault.Invalid.
func readManifest(b []byte) (*Manifest, []Finding, error) {
	tree, err := cbor.Unmarshal(b)
	if err != nil {
		return nil, nil, refuse("PACK_MANIFEST_INVALID", manifestPath, "%v", err)
	}
	doc, ok := tree.(map[string]any)
	if !ok {
		return nil, nil, refuse("PACK_MANIFEST_INVALID", manifestPath, "the document is %T, not a map", tree)
	}
	version, _ := doc["schema_version"].(string)
	if _, legacy := doc["meta"]; legacy && version == "" {
		return nil, nil, manifestUnsupported(`the manifest is of the legacy form of 2025 ("meta" instead of "schema_version")`).
			WithFix("build the pack again with a tool that writes " + SchemaVersion)
	}
	var findings []Finding
	switch version {
	case SchemaVersion:
	case "":
		findings = append(findings, found(Error, "PACK_SCHEMA_VERSION_MISSING", manifestPath, "schema_version is missing; reading it as %s", SchemaVersion))
	default:
		findings = append(findings, found(Warn, "PACK_MANIFEST_UNSUPPORTED", manifestPath, "schema_version %q is unknown; reading it as %s", version, SchemaVersion))
	}
	r := &reading{}
	m := r.manifest(doc)
	if r.err != nil && version != SchemaVersion && version != "" {
		return nil, nil, manifestUnsupported(fmt.Sprintf("schema_version %q: %v", version, r.err))
	}
	if r.err != nil {
		return nil, nil, refuse("PACK_MANIFEST_INVALID", manifestPath, "%v", r.err)
	}
	return m, append(findings, r.findings...), nil
}

func manifestUnsupported(msg string) *fault.Error {
	return fault.New(fault.Unsupported, "pack open "+manifestPath, msg).WithCode("PACK_MANIFEST_UNSUPPORTED")
}

// reading walks a decoded document and keeps the first error. Absent and null read as zero.
type reading struct {
	err      error
	findings []Finding
	symbols  symbols
}

func (r *reading) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// get is m[key] as T, or zero when it is absent or null.
func get[T any](r *reading, m map[string]any, where, key string) T {
	var zero T
	v, ok := m[key]
	if !ok || v == nil {
		return zero
	}
	t, ok := v.(T)
	if !ok {
		r.fail("%s%s is %T, not %T", where, key, v, zero)
	}
	return t
}

func (r *reading) texts(m map[string]any, where, key string) []string {
	var out []string
	for i, item := range get[[]any](r, m, where, key) {
		s, ok := item.(string)
		if !ok {
			r.fail("%s%s[%d] is %T, not text", where, key, i, item)
		}
		out = append(out, s)
	}
	return out
}

func (r *reading) maps(m map[string]any, key string) []map[string]any {
	var out []map[string]any
	for i, item := range get[[]any](r, m, "", key) {
		o, ok := item.(map[string]any)
		if !ok {
			r.fail("%s[%d] is %T, not a map", key, i, item)
		}
		out = append(out, o)
	}
	return out
}

func (r *reading) symbol(table []string, what string, v any) string {
	id, err := lookup(table, what, v)
	if err != nil {
		r.fail("%v", err)
	}
	return id
}

func (r *reading) manifest(doc map[string]any) *Manifest {
	s := get[map[string]any](r, doc, "", "symbols")
	r.symbols = symbols{
		components: r.texts(s, "symbols.", "component_ids"), nodes: r.texts(s, "symbols.", "node_ids"),
		capabilities: r.texts(s, "symbols.", "capability_names"), packs: r.texts(s, "symbols.", "pack_ids"),
	}
	m := &Manifest{
		SchemaVersion: get[string](r, doc, "", "schema_version"), Name: get[string](r, doc, "", "name"),
		Version: get[string](r, doc, "", "version"), Kind: get[string](r, doc, "", "kind"),
		Publisher: get[string](r, doc, "", "publisher"), Bootstrap: get[map[string]any](r, doc, "", "bootstrap"),
		Extensions: get[map[string]any](r, doc, "", "extensions"), Agents: get[map[string]any](r, doc, "", "agents"),
		Signatures: get[[]any](r, get[map[string]any](r, doc, "", "signatures"), "signatures.", "signatures"),
	}
	if doc["pack_id"] != nil {
		m.ID = r.symbol(r.symbols.packs, "pack ids", doc["pack_id"])
	}
	for _, c := range r.maps(doc, "components") {
		m.Components = append(m.Components, r.component(c))
	}
	for _, f := range r.maps(doc, "flows") {
		m.Flows = append(m.Flows, r.flow(f))
	}
	for _, d := range r.maps(doc, "dependencies") {
		m.Dependencies = append(m.Dependencies, r.dependency(d))
	}
	for _, c := range r.maps(doc, "capabilities") {
		m.Capabilities = append(m.Capabilities, Capability{
			Name:        r.symbol(r.symbols.capabilities, "capability names", c["name"]),
			Description: get[string](r, c, "capability.", "description"),
		})
	}
	if list := doc["secret_requirements"]; list != nil {
		if err := convert(list, &m.Secrets); err != nil {
			r.findings = append(r.findings, found(Error, "PACK_SECRET_REQUIREMENTS_INVALID", manifestPath, "%v", err))
		}
	}
	m.Extra = unknownKeys(doc, "schema_version", "pack_id", "name", "version", "kind", "publisher", "symbols", "components",
		"flows", "dependencies", "capabilities", "secret_requirements", "signatures", "bootstrap", "extensions", "agents")
	return m
}

// component reads one entry; what does not have the expected shape is left out with a finding,
// so that it declares nothing rather than too much.
func (r *reading) component(doc map[string]any) component.Compiled {
	id := r.symbol(r.symbols.components, "component ids", doc["id"])
	c := component.Compiled{}
	withID := map[string]any{}
	for k, v := range doc {
		withID[k] = v
	}
	withID["id"] = id
	if err := convert(withID, &c); err != nil {
		r.findings = append(r.findings, found(Warn, "PACK_COMPONENT_MANIFEST_INVALID", manifestPath, "component %s: %v; it is treated as declaring nothing", id, err))
		version, _ := doc["version"].(string)
		return component.Compiled{ID: id, Version: version}
	}
	return c
}

func (r *reading) flow(doc map[string]any) FlowEntry {
	f := FlowEntry{
		ID: get[string](r, doc, "flow.", "id"), Kind: get[string](r, doc, "flow.", "kind"),
		Tags: r.texts(doc, "flow.", "tags"), Entrypoints: r.texts(doc, "flow.", "entrypoints"),
	}
	text := func(table []string, what string) func(any) (any, error) {
		return func(v any) (any, error) { return lookup(table, what, v) }
	}
	var err error
	f.Doc, err = mapFlowIDs(get[map[string]any](r, doc, "flow "+f.ID+".", "flow"),
		text(r.symbols.nodes, "node ids"), text(r.symbols.components, "component ids"))
	if err != nil {
		r.fail("flow %s: %v", f.ID, err)
	}
	return f
}

func (r *reading) dependency(doc map[string]any) Dependency {
	d := Dependency{
		Alias: get[string](r, doc, "dependency.", "alias"), VersionReq: get[string](r, doc, "dependency.", "version_req"),
		PackID: r.symbol(r.symbols.packs, "pack ids", doc["pack_id"]),
	}
	for _, c := range get[[]any](r, doc, "dependency.", "required_capabilities") {
		d.RequiredCapabilities = append(d.RequiredCapabilities, r.symbol(r.symbols.capabilities, "capability names", c))
	}
	return d
}

// convert reads an already decoded value into a struct.
func convert(v, into any) error {
	b, err := cbor.Marshal(v)
	if err != nil {
		return err
	}
	return cbor.Decode(b, into)
}

func unknownKeys(doc map[string]any, known ...string) map[string]any {
	var extra map[string]any
	rest := make(map[string]bool, len(known))
	for _, k := range known {
		rest[k] = true
	}
	for k, v := range doc {
		if !rest[k] {
			if extra == nil {
				extra = map[string]any{}
			}
			extra[k] = v
		}
	}
	return extra
}

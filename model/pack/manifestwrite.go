package pack

import (
	"maps"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
)

// Encode writes the manifest as canonical CBOR with fresh symbol tables: the same manifest
// gives the same bytes. The error is fault.Invalid.
func (m *Manifest) Encode() ([]byte, error) {
	s, err := m.collect()
	if err != nil {
		return nil, fault.As(fault.Invalid, "pack manifest", err)
	}
	doc := maps.Clone(m.Extra)
	if doc == nil {
		doc = map[string]any{}
	}
	w := &writing{symbols: s}
	maps.Copy(doc, map[string]any{
		"schema_version": SchemaVersion,
		"pack_id":        w.index(s.packs, m.ID),
		"version":        m.Version,
		"kind":           m.Kind,
		"publisher":      m.Publisher,
		"symbols":        s.doc(),
		"components":     w.components(m),
		"flows":          w.flows(m),
		"dependencies":   w.dependencies(m),
		"capabilities":   w.capabilities(m),
		"signatures":     map[string]any{"signatures": append([]any{}, m.Signatures...)},
	})
	if m.Name != "" {
		doc["name"] = m.Name
	}
	if len(m.Secrets) > 0 {
		doc["secret_requirements"] = w.plain(m.Secrets)
	}
	for key, value := range map[string]map[string]any{"bootstrap": m.Bootstrap, "extensions": m.Extensions, "agents": m.Agents} {
		if len(value) > 0 {
			doc[key] = value
		}
	}
	if w.err != nil {
		return nil, fault.As(fault.Invalid, "pack manifest", w.err)
	}
	return cbor.Marshal(doc)
}

// writing keeps the first error.
type writing struct {
	symbols symbols
	err     error
}

func (w *writing) index(table []string, id string) int64 {
	i, err := indexOf(table, id)
	if err != nil && w.err == nil {
		w.err = err
	}
	return i
}

// plain turns a struct into maps, so that one encoder orders everything.
func (w *writing) plain(v any) any {
	b, err := cbor.Marshal(v)
	if err == nil {
		v, err = cbor.Unmarshal(b)
	}
	if err != nil && w.err == nil {
		w.err = err
	}
	return v
}

func (w *writing) components(m *Manifest) []any {
	list := []any{}
	for _, c := range m.Components {
		doc, _ := w.plain(c).(map[string]any)
		if doc != nil {
			doc["id"] = w.index(w.symbols.components, c.ID)
			list = append(list, doc)
		}
	}
	return list
}

func (w *writing) flows(m *Manifest) []any {
	list := []any{}
	number := func(table []string) func(any) (any, error) {
		return func(v any) (any, error) { return indexOf(table, v.(string)) } // collect has seen text only
	}
	for _, f := range m.Flows {
		doc, err := mapFlowIDs(f.Doc, number(w.symbols.nodes), number(w.symbols.components))
		if err != nil && w.err == nil {
			w.err = err
		}
		list = append(list, map[string]any{
			"id": f.ID, "kind": f.Kind, "tags": f.Tags, "entrypoints": f.Entrypoints, "flow": doc,
		})
	}
	return list
}

func (w *writing) dependencies(m *Manifest) []any {
	list := []any{}
	for _, d := range m.Dependencies {
		required := []any{}
		for _, c := range d.RequiredCapabilities {
			required = append(required, w.index(w.symbols.capabilities, c))
		}
		list = append(list, map[string]any{
			"alias": d.Alias, "pack_id": w.index(w.symbols.packs, d.PackID), "version_req": d.VersionReq, "required_capabilities": required,
		})
	}
	return list
}

func (w *writing) capabilities(m *Manifest) []any {
	list := []any{}
	for _, c := range m.Capabilities {
		var description any
		if c.Description != "" {
			description = c.Description
		}
		list = append(list, map[string]any{"name": w.index(w.symbols.capabilities, c.Name), "description": description})
	}
	return list
}

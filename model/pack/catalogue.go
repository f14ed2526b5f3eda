package pack

import (
	"maps"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/component"
)

const (
	extComponentSources = "greentic.pack.component_sources@v1"
	componentDir        = "components/"
)

// Component is a component a pack uses, with everything the pack says about it.
type Component struct {
	ID       string
	Version  string
	World    string
	Path     string              // of the code in the archive; empty when it must be fetched
	Source   string              // where it comes from, such as oci://…; empty when unknown
	Digest   greentic.Digest     // what the code must have; empty when nothing pins it
	Manifest *component.Compiled // nil when the pack carries none
}

// Components lists what the manifest, the lock, the component sources and the folder
// components/ name, sorted by id. The list is the archive's: do not change it.
func (a *Archive) Components() []Component { return a.components }

// Component returns one component; fault.NotFound names what the pack has.
func (a *Archive) Component(id string) (Component, error) {
	i, ok := slices.BinarySearchFunc(a.components, id, func(c Component, id string) int { return strings.Compare(c.ID, id) })
	if !ok {
		return Component{}, a.missing("component " + printable(id))
	}
	return a.components[i], nil
}

// Wasm returns the code of a component, compared with the digest that pins it. Errors:
// fault.NotFound (no such component, or it must be fetched: the text names its source),
// fault.Unverified (other code than the pinned one). Do not change the bytes.
func (a *Archive) Wasm(id string) ([]byte, error) {
	c, err := a.Component(id)
	if err != nil {
		return nil, err
	}
	if c.Path == "" {
		from := c.Source
		if from == "" || strings.HasPrefix(from, "file:") {
			from = "an unknown source"
		}
		return nil, fault.Newf(fault.NotFound, "pack "+a.manifest.ID, "component %s is not in the pack; it comes from %s %s", id, from, c.Digest).
			WithCode("PACK_LOCK_COMPONENT_WASM_MISSING")
	}
	code, err := a.read(c.Path)
	if err != nil {
		return nil, err
	}
	if err := a.checkPinned(c, code); err != nil {
		return nil, err
	}
	return code, nil
}

// checkPinned compares code with the digest that pins it.
func (a *Archive) checkPinned(c Component, code []byte) error {
	if c.Digest == "" {
		return nil
	}
	if have := greentic.DigestOf(code); c.Digest != have {
		return fault.Newf(fault.Unverified, "pack "+a.manifest.ID, "component %s has digest %s and is pinned to %s", c.ID, have.Short(), c.Digest.Short()).
			WithCode("PACK_LOCK_COMPONENT_DIGEST_MISMATCH")
	}
	return nil
}

// source is one entry of the extension component_sources.
type source struct {
	Name        string `json:"name"`
	ComponentID string `json:"component_id"`
	Source      string `json:"source"`
	Resolved    struct {
		Digest string `json:"digest"`
	} `json:"resolved"`
	Artifact any `json:"artifact"` // {inline: {wasm_path, manifest_path}} or "remote"
}

// inline is the path the artifact names in the archive.
func (s source) inline(key string) string {
	m, _ := s.Artifact.(map[string]any)
	in, _ := m["inline"].(map[string]any)
	p, _ := in[key].(string)
	return p
}

// catalogue joins the four places that name components.
func (a *Archive) catalogue() ([]Component, []Finding) {
	all := map[string]*Component{}
	at := func(id string) *Component {
		if all[id] == nil {
			all[id] = &Component{ID: id}
		}
		return all[id]
	}
	for i := range a.manifest.Components {
		m := &a.manifest.Components[i]
		c := at(m.ID)
		c.Version, c.World, c.Manifest = m.Version, m.World, m
	}
	for id, e := range a.lock {
		c := at(id)
		c.Source, c.Digest = e.Ref, pinned(e.Digest)
		c.Version, c.World = or(c.Version, e.Version), or(c.World, e.World)
	}
	findings := a.addSources(at)
	for _, name := range a.order {
		if id, wins, ok := codeAt(name); ok {
			if c := at(id); c.Path == "" || wins {
				c.Path = name
			}
		}
	}
	for id, c := range all {
		if c.Manifest == nil {
			c.Manifest = a.manifestBeside(id)
		}
		if c.Manifest != nil {
			c.Version, c.World = or(c.Version, c.Manifest.Version), or(c.World, c.Manifest.World)
		}
	}
	list := make([]Component, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, *all[id])
	}
	return list, findings
}

func (a *Archive) addSources(at func(string) *Component) []Finding {
	inline := a.manifest.Extension(extComponentSources)
	if inline == nil {
		return nil
	}
	var doc struct {
		Components []source `json:"components"`
	}
	if err := convert(inline, &doc); err != nil {
		return []Finding{found(Error, "PACK_LOCK_COMPONENT_SOURCES_INVALID", manifestPath, "%s: %v", extComponentSources, err)}
	}
	var out []Finding
	for _, s := range doc.Components {
		id := or(s.ComponentID, s.Name)
		if id == "" || Builtin(id) {
			continue
		}
		c := at(id)
		c.Source = or(s.Source, c.Source)
		if d := pinned(s.Resolved.Digest); d != "" && c.Digest == "" {
			c.Digest = d
		} else if d != "" && d != c.Digest {
			out = append(out, found(Error, "PACK_LOCK_COMPONENT_DIGEST_MISMATCH", manifestPath, "component %s: the lock pins %s, its source says %s", id, c.Digest.Short(), d.Short()))
		}
		p := s.inline("wasm_path")
		if p != "" && a.entries[p] == nil {
			out = append(out, found(Warn, "PACK_LOCK_COMPONENT_WASM_MISSING", p, "component %s should lie here", id))
		} else if p != "" {
			c.Path = p
		}
	}
	return out
}

// codeAt recognises components/<id>.wasm and the legacy components/<id>@<version>/component.wasm;
// the first form wins over any other.
func codeAt(name string) (id string, wins, ok bool) {
	rest, ok := strings.CutPrefix(name, componentDir)
	if !ok {
		return "", false, false
	}
	if dir, legacy := strings.CutSuffix(rest, "/component.wasm"); legacy {
		id, _, _ = strings.Cut(dir, "@")
		return id, false, id != "" && !strings.Contains(dir, "/")
	}
	id, ok = strings.CutSuffix(rest, ".wasm")
	return id, true, ok && id != "" && !strings.Contains(id, "/")
}

// manifestBeside reads components/<id>.manifest.cbor; nil when absent or unreadable.
func (a *Archive) manifestBeside(id string) *component.Compiled {
	b, err := a.read(componentDir + id + ".manifest.cbor")
	if err != nil {
		return nil
	}
	var c component.Compiled
	if cbor.Decode(b, &c) != nil || c.ID != id {
		return nil
	}
	return &c
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

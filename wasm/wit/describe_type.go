package wit

import (
	"slices"
	"strings"

	"greentic.dev/wasm/binary"
)

// complete gives the definitions and functions of s their structure.
func (d *describer) complete(s *side) {
	for _, f := range s.funcs {
		if kind, resource, _ := splitFunc(f.name); kind != "" && s.names[resource] == nil {
			s.add(&TypeDef{Name: resource, Resource: &binary.Resource{Name: resource}})
		}
		for _, p := range f.from.Params {
			f.to.Params = append(f.to.Params, binary.Field{Name: p.Name, Type: d.ref(s, p.Type)})
		}
		if f.from.Result != nil {
			f.to.Result = d.ref(s, f.from.Result)
		}
	}
	for n := 0; n < len(s.drafts); n++ { // a structure may need more definitions
		def := s.drafts[n].def
		*def.Type = *d.structure(s, s.drafts[n].from)
		def.Type.Name = def.Name
	}
}

// ref translates a type where it is used: to its name in s if it has or needs one.
func (d *describer) ref(s *side, t *binary.Type) *binary.Type {
	if m := s.made[t]; m != nil {
		return m
	}
	m := d.translate(s, t)
	s.made[t] = m
	return m
}

func (d *describer) translate(s *side, t *binary.Type) *binary.Type {
	if o, ok := d.owners[t]; ok {
		if def := d.reach(s, o); def != nil {
			return def.Type
		}
	}
	switch t.Kind {
	case binary.Record, binary.Variant, binary.Enum, binary.Flags:
		if o, ok := d.twin(s, t); ok {
			if def := d.reach(s, o); def != nil {
				return def.Type
			}
		}
		def := s.add(&TypeDef{Name: s.unique(t.Name), Type: &binary.Type{}})
		def.Type.Name = def.Name
		s.drafts = append(s.drafts, draft{def, t})
		return def.Type
	}
	return d.structure(s, t)
}

// structure translates the parts of a type.
func (d *describer) structure(s *side, t *binary.Type) *binary.Type {
	m := &binary.Type{Kind: t.Kind, Names: t.Names}
	if t.Elem != nil {
		m.Elem = d.ref(s, t.Elem)
	}
	if t.Err != nil {
		m.Err = d.ref(s, t.Err)
	}
	for _, f := range t.Fields {
		m.Fields = append(m.Fields, binary.Field{Name: f.Name, Type: d.ref(s, f.Type)})
	}
	for _, c := range t.Cases {
		if c.Type != nil {
			c.Type = d.ref(s, c.Type)
		}
		m.Cases = append(m.Cases, c)
	}
	if t.Resource != nil {
		m.Resource = d.resource(s, t.Resource)
	}
	return m
}

// reach gives the name of a definition in s, taking it by use if need be; nil if it cannot be
// taken from where it is.
func (d *describer) reach(s *side, o owned) *TypeDef {
	if o.side == s {
		return o.def
	}
	for _, def := range *s.types {
		if def.From == o.def {
			return def
		}
	}
	if !o.side.usable() {
		return nil
	}
	return s.add(&TypeDef{Name: s.unique(o.def.Name), Type: o.def.Type, Resource: o.def.Resource, From: o.def, Use: o.side.iface})
}

// twin finds the named type with the same structure as one that lost its name on the way, as
// the types of exported functions may: first in s, then anywhere.
func (d *describer) twin(s *side, t *binary.Type) (owned, bool) {
	var found owned
	best := 0
	for _, other := range d.order {
		for _, src := range other.drafts {
			rank := 1
			if other == s {
				rank = 3
			}
			if src.def.Name == t.Name {
				rank++
			}
			if rank > best && sameShape(src.from, t) {
				found, best = owned{other, src.def}, rank
			}
		}
	}
	return found, best > 1 || best == 1 && t.Name == ""
}

func sameShape(a, b *binary.Type) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || a.Resource != b.Resource ||
		len(a.Fields) != len(b.Fields) || len(a.Cases) != len(b.Cases) || len(a.Names) != len(b.Names) {
		return false
	}
	for i := range a.Fields {
		if a.Fields[i].Name != b.Fields[i].Name || !sameShape(a.Fields[i].Type, b.Fields[i].Type) {
			return false
		}
	}
	for i := range a.Cases {
		if a.Cases[i].Name != b.Cases[i].Name || !sameShape(a.Cases[i].Type, b.Cases[i].Type) {
			return false
		}
	}
	for i := range a.Names {
		if a.Names[i] != b.Names[i] {
			return false
		}
	}
	return sameShape(a.Elem, b.Elem) && sameShape(a.Err, b.Err)
}

// resource translates the resource of a handle and makes sure s has a name for it.
func (d *describer) resource(s *side, r *binary.Resource) *binary.Resource {
	if def := s.local[r]; def != nil {
		return def.Resource
	}
	o, known := d.ownerOf(r)
	if known {
		if def := d.reach(s, o); def != nil {
			return def.Resource
		}
	}
	def := s.names[r.Name]
	if def == nil || def.Resource == nil || d.isOwned(def) {
		def = s.add(&TypeDef{Name: s.unique(r.Name), Resource: &binary.Resource{Name: r.Name}})
	}
	if s.local[r] = def; !known {
		d.owners[r] = owned{s, def}
	}
	return def.Resource
}

func (d *describer) isOwned(def *TypeDef) bool {
	for _, o := range d.owners {
		if o.def == def {
			return true
		}
	}
	return def.Use != nil
}

// ownerOf finds where a resource was named: by its pointer, or for one of the embedder by its
// name when that was all an item told of it.
func (d *describer) ownerOf(r *binary.Resource) (owned, bool) {
	if r == nil {
		return owned{}, false
	}
	o, ok := d.owners[r]
	if i := strings.LastIndexByte(r.Host, '/'); !ok && i > 0 {
		if s := d.sides[r.Host[:i]]; s != nil {
			if def := s.names[r.Host[i+1:]]; def != nil && def.Resource != nil {
				o, ok = owned{s, def}, true
				d.owners[r] = o
			}
		}
	}
	return o, ok
}

// handles is the resources that the functions and types of an item refer to.
type handles struct {
	seen  map[*binary.Type]bool
	found []*binary.Resource
}

// find gives the resource called name, first one that the item itself defines.
func (h *handles) find(it Item, name string) *binary.Resource {
	if h.seen == nil {
		h.seen = map[*binary.Type]bool{}
		for _, f := range it.Funcs {
			for _, p := range f.Params {
				h.walk(p.Type)
			}
			h.walk(f.Result)
		}
		for _, t := range it.Types {
			h.walk(t)
		}
	}
	var best *binary.Resource
	for _, r := range h.found {
		if r.Name == name && (best == nil || r.Host == it.Name+"/"+name) {
			best = r
		}
	}
	return best
}

func (h *handles) walk(t *binary.Type) {
	if t == nil || h.seen[t] {
		return
	}
	h.seen[t] = true
	if t.Resource != nil && !slices.Contains(h.found, t.Resource) {
		h.found = append(h.found, t.Resource)
	}
	h.walk(t.Elem)
	h.walk(t.Err)
	for _, f := range t.Fields {
		h.walk(f.Type)
	}
	for _, c := range t.Cases {
		h.walk(c.Type)
	}
}

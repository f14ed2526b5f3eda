package wit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// Item is one import or export of a component: a function (Func), a type (Type), or an
// instance with what it holds. Types are the same if their pointers are; a type that two
// instances hold was taken by one from the other, the earlier item being its owner.
type Item struct {
	Name      string
	Func      *binary.Func
	Type      *binary.Type
	Types     map[string]*binary.Type
	Resources map[string]*binary.Resource // nil: the one of that name that a handle here refers to
	Funcs     map[string]*binary.Func
	Order     []string // names in the order of the component; others follow in order of name
}

// Describe is the WIT of a component with the given imports and exports: a package
// root:component with a world root, then the packages of all interfaces it mentions. An
// interface that is both imported and exported is described once, with what both sides hold.
func Describe(imports, exports []Item) (*Set, error) {
	root := &Package{Namespace: "root", Name: "component"}
	world := &World{Package: root, Name: "root"}
	root.Worlds = []*World{world}
	d := &describer{
		set: &Set{Packages: []*Package{root}}, packages: map[string]*Package{}, sides: map[string]*side{},
		owners: map[any]owned{},
	}
	d.world = d.side(&world.Types, nil)
	for i, items := range [][]Item{imports, exports} {
		externs := &world.Imports
		if i == 1 {
			externs = &world.Exports
		}
		for _, it := range items {
			x, err := d.item(it, i == 1)
			if err != nil {
				return nil, err
			}
			if x != nil {
				*externs = append(*externs, x)
			}
		}
	}
	for _, s := range d.order {
		d.complete(s)
	}
	return d.set, nil
}

type describer struct {
	set      *Set
	packages map[string]*Package
	sides    map[string]*side // interfaces by full name
	order    []*side
	world    *side
	owners   map[any]owned // *binary.Type or *binary.Resource of the component -> where it is named
}

type owned struct {
	side *side
	def  *TypeDef
}

// side is an interface, or the world, while it is filled.
type side struct {
	iface  *Interface  // nil for the world
	types  *[]*TypeDef // where its definitions go
	names  map[string]*TypeDef
	taken  map[string]bool // names of types and functions
	drafts []draft         // definitions of its own, still without structure
	funcs  []pending
	made   map[*binary.Type]*binary.Type
	local  map[*binary.Resource]*TypeDef // resources defined again because their owner is out of reach
}

// draft is a definition and the type of the component it stands for.
type draft struct {
	def  *TypeDef
	from *binary.Type
}

// pending is a function whose types are translated once all names are known.
type pending struct {
	name string
	from *binary.Func
	to   *binary.Func
}

func (d *describer) side(types *[]*TypeDef, i *Interface) *side {
	s := &side{iface: i, types: types, names: map[string]*TypeDef{}, taken: map[string]bool{}, made: map[*binary.Type]*binary.Type{}, local: map[*binary.Resource]*TypeDef{}}
	d.order = append(d.order, s)
	return s
}

// item enters the names of one import or export; its types are completed later.
func (d *describer) item(it Item, export bool) (*Extern, error) {
	x := &Extern{Name: it.Name}
	switch {
	case it.Type != nil:
		d.name(d.world, it.Name, it.Type)
		return nil, nil
	case it.Func != nil:
		if _, resource, short := splitFunc(it.Name); !isLabel(short) && !isLabel(resource) {
			return nil, fault.Newf(fault.Unsupported, "wit", "a function named %q cannot be written as WIT", it.Name)
		}
		x.Func = d.world.later(it.Name, it.Func)
		return x, nil
	}
	s, err := d.interfaceOf(it.Name)
	if err != nil {
		return nil, err
	}
	x.Interface = s.iface
	var handles handles
	for _, n := range it.typeNames() {
		if r, ok := it.Resources[n]; ok {
			if r == nil {
				r = handles.find(it, n)
			}
			d.nameResource(s, n, r)
			continue
		}
		t := it.Types[n]
		if it.Types[t.Name] == t { // n is another name of it
			d.name(s, t.Name, t)
		}
		d.name(s, n, t)
	}
	for _, n := range ordered(maps.Keys(it.Funcs), it.Order) {
		if !s.taken[n] {
			s.iface.Funcs = append(s.iface.Funcs, &Func{Name: n, Type: s.later(n, it.Funcs[n])})
		}
	}
	return x, nil
}

func (it Item) typeNames() []string {
	names := maps.Clone(it.Resources)
	if names == nil {
		names = map[string]*binary.Resource{}
	}
	for n := range it.Types {
		names[n] = nil
	}
	return ordered(maps.Keys(names), it.Order)
}

// ordered sorts names: first those of order, then the rest by the alphabet.
func ordered(names func(func(string) bool), order []string) []string {
	all := slices.Sorted(names)
	out := make([]string, 0, len(all))
	for _, n := range order {
		if _, ok := slices.BinarySearch(all, n); ok && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	listed := len(out)
	for _, n := range all {
		if !slices.Contains(out[:listed], n) {
			out = append(out, n)
		}
	}
	return out
}

// interfaceOf finds or makes the interface with the name of an import or export.
func (d *describer) interfaceOf(name string) (*side, error) {
	if isLabel(name) { // written inside the world, once for each side
		i := &Interface{Name: name}
		return d.side(&i.Types, i), nil
	}
	if s := d.sides[name]; s != nil {
		return s, nil
	}
	path, version, _ := strings.Cut(name, "@")
	pkg, short, _ := strings.Cut(path, "/")
	namespace, pkgName, _ := strings.Cut(pkg, ":")
	if !isLabel(namespace) || !isLabel(pkgName) || !isLabel(short) || version != "" && !isSemver(version) {
		return nil, fault.Newf(fault.Unsupported, "wit", "an instance named %q cannot be written as WIT", name)
	}
	key := pkg + "@" + version
	p := d.packages[key]
	if p == nil {
		p = &Package{Namespace: namespace, Name: pkgName, Version: version}
		d.packages[key] = p
		d.set.Packages = append(d.set.Packages, p)
	}
	i := &Interface{Package: p, Name: short}
	p.Interfaces = append(p.Interfaces, i)
	s := d.side(&i.Types, i)
	d.sides[name] = s
	return s, nil
}

func (s *side) later(name string, f *binary.Func) *binary.Func {
	s.taken[name] = true
	to := &binary.Func{}
	s.funcs = append(s.funcs, pending{name, f, to})
	return to
}

func (s *side) add(def *TypeDef) *TypeDef {
	*s.types = append(*s.types, def)
	s.names[def.Name], s.taken[def.Name] = def, true
	return def
}

// name gives a type of the component its place: it is defined in s, or taken from where it was
// named before.
func (d *describer) name(s *side, name string, t *binary.Type) {
	o, known := d.owners[t]
	switch old := s.names[name]; {
	case old != nil:
		if !known && old.Type != nil {
			d.owners[t] = owned{s, old}
		}
	case known && o.side == s:
		c := *o.def.Type
		s.add(&TypeDef{Name: name, Type: &c, From: o.def})
		s.drafts = append(s.drafts, draft{s.names[name], t})
	case known && o.side.usable():
		s.add(&TypeDef{Name: name, Type: o.def.Type, From: o.def, Use: o.side.iface})
	default:
		def := s.add(&TypeDef{Name: name, Type: &binary.Type{Name: name}})
		d.owners[t] = owned{s, def}
		s.drafts = append(s.drafts, draft{def, t})
	}
}

func (d *describer) nameResource(s *side, name string, r *binary.Resource) {
	o, known := d.ownerOf(r)
	switch old := s.names[name]; {
	case old != nil:
		if r != nil && !known {
			d.owners[r] = owned{s, old}
		}
	case known && o.side == s:
		s.add(&TypeDef{Name: name, Resource: o.def.Resource, From: o.def})
	case known && o.side.usable():
		s.add(&TypeDef{Name: name, Resource: o.def.Resource, From: o.def, Use: o.side.iface})
	default:
		def := s.add(&TypeDef{Name: name, Resource: &binary.Resource{Name: name}})
		if r != nil {
			d.owners[r] = owned{s, def}
		}
	}
}

// usable reports whether other interfaces can take types from s by use.
func (s *side) usable() bool { return s.iface != nil && s.iface.Package != nil }

// unique makes a name that is free in s.
func (s *side) unique(name string) string {
	if name == "" {
		name = "unnamed"
	}
	for n, base := 1, name; s.taken[name]; n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

package wit

import (
	"maps"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// packageInfo is a package with what its sources say, for the time of resolving.
type packageInfo struct {
	model  *Package
	ifaces map[string]*iface
	worlds map[string]*world
	nested bool // it is a block
}

// state of a declaration; meeting a busy one again is a cycle.
type state uint8

const (
	untouched state = iota
	busy
	done
)

// iface and world are declarations on their way to the model.
type iface struct {
	decl  *ifaceDecl
	unit  *unit
	model *Interface
	types *scope
	state state
}

type world struct {
	decl    *worldDecl
	unit    *unit
	model   *World
	types   *scope
	state   state
	externs map[bool]map[string]*Extern // imports (false) and exports (true) by folded name
}

type resolver struct {
	set      *Set
	packages map[string]*packageInfo
	facts    map[*binary.Type]facts
	depth    int // of definitions that wait for others
}

func resolve(units []*unit) (*Set, error) {
	r := &resolver{set: &Set{}, packages: map[string]*packageInfo{}, facts: map[*binary.Type]facts{}}
	if err := adopt(units); err != nil {
		return nil, err
	}
	for _, u := range units {
		if err := r.collect(u); err != nil {
			return nil, err
		}
	}
	for _, u := range units {
		for _, d := range u.ifaces {
			if err := r.iface(u.info.ifaces[d.name.text], d.name.at); err != nil {
				return nil, err
			}
		}
		for _, d := range u.worlds {
			if err := r.world(u.info.worlds[d.name.text], d.name.at); err != nil {
				return nil, err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(u.aliases)) {
			if _, _, err := r.lookup(u, u.aliases[name]); err != nil {
				return nil, err
			}
		}
	}
	return r.set, nil
}

// adopt gives files without a package declaration the package of the files beside them.
func adopt(units []*unit) error {
	folder := func(u *unit) string { return u.at.src.name[:strings.LastIndexByte(u.at.src.name, '/')+1] }
	declared := map[string]*packageName{}
	mixed := map[string]*packageName{}
	for _, u := range units {
		if u.nested || u.pkg == nil {
			continue
		}
		if first := declared[folder(u)]; first == nil {
			declared[folder(u)] = u.pkg
		} else if first.String() != u.pkg.String() {
			mixed[folder(u)] = u.pkg
		}
	}
	const fix = "begin the file with: package namespace:name@1.0.0;"
	for _, u := range units {
		if u.pkg != nil || len(u.ifaces)+len(u.worlds)+len(u.aliases) == 0 {
			continue
		}
		u.pkg = declared[folder(u)]
		if other := mixed[folder(u)]; other != nil {
			return u.at.err(fault.Invalid, fix, "the file does not say whether its package is %s or %s", u.pkg, other)
		}
		if u.pkg == nil {
			return u.at.err(fault.Invalid, fix, "the file does not say its package")
		}
	}
	return nil
}

// collect enters the declarations of a unit under their names.
func (r *resolver) collect(u *unit) error {
	if u.pkg == nil {
		return nil // an empty file, or one of nested packages only
	}
	key := u.pkg.String()
	info := r.packages[key]
	if info == nil {
		info = &packageInfo{
			model:  &Package{Namespace: u.pkg.namespace, Name: u.pkg.name, Version: u.pkg.version},
			ifaces: map[string]*iface{}, worlds: map[string]*world{},
		}
		r.packages[key] = info
		r.set.Packages = append(r.set.Packages, info.model)
	}
	if info.nested || u.nested && len(info.ifaces)+len(info.worlds) > 0 {
		return u.at.err(fault.Invalid, "put its items into one block", "package %s is defined twice", key)
	}
	u.info, info.nested = info, u.nested
	if u.docs != "" {
		info.model.Docs = u.docs
	}
	taken := func(n name) error {
		if info.ifaces[n.text] != nil || info.worlds[n.text] != nil {
			return n.at.err(fault.Invalid, "rename one of them", "%q is defined twice in package %s", n.text, key)
		}
		return nil
	}
	for _, d := range u.ifaces {
		if err := taken(d.name); err != nil {
			return err
		}
		i := &iface{decl: d, unit: u, model: &Interface{Package: info.model, Name: d.name.text, Docs: d.docs, Gate: d.gate}}
		info.ifaces[d.name.text] = i
		info.model.Interfaces = append(info.model.Interfaces, i.model)
	}
	for _, d := range u.worlds {
		if err := taken(d.name); err != nil {
			return err
		}
		w := &world{decl: d, unit: u, model: &World{Package: info.model, Name: d.name.text, Docs: d.docs, Gate: d.gate}}
		info.worlds[d.name.text] = w
		info.model.Worlds = append(info.model.Worlds, w.model)
	}
	return nil
}

// lookup finds what a path means in a unit: an interface or a world.
func (r *resolver) lookup(u *unit, p *path) (*iface, *world, error) {
	info, where := u.info, u.pkg
	if p.pkg == nil {
		if a := u.aliases[p.item.text]; a != nil && a != p {
			if a.pkg != nil || a.item.text != p.item.text {
				return r.lookup(&unit{info: info, pkg: where}, a)
			}
		}
	} else {
		where = p.pkg
		if info = r.packages[where.String()]; info == nil {
			return nil, nil, where.at.err(fault.Invalid, r.otherVersions(where), "package %s is not among the sources", where)
		}
	}
	i, w := info.ifaces[p.item.text], info.worlds[p.item.text]
	if i == nil && w == nil {
		return nil, nil, p.item.at.err(fault.Invalid, "", "there is no interface or world %q in package %s", p.item.text, where)
	}
	return i, w, nil
}

func (r *resolver) otherVersions(n *packageName) string {
	for _, p := range r.set.Packages {
		if p.Namespace == n.namespace && p.Name == n.name {
			return "there is " + p.String()
		}
	}
	return "add its sources"
}

func (r *resolver) lookupIface(u *unit, p *path) (*iface, error) {
	i, _, err := r.lookup(u, p)
	if err == nil && i == nil {
		err = p.item.at.err(fault.Invalid, "name an interface", "%q is a world, not an interface", p.item.text)
	}
	if err == nil {
		err = r.iface(i, p.item.at)
	}
	return i, err
}

func (r *resolver) iface(i *iface, at place) error {
	switch i.state {
	case done:
		return nil
	case busy:
		return at.err(fault.Invalid, "move what both need to a third interface", "interface %q uses itself", i.decl.name.text)
	}
	if r.depth++; r.depth > maxDepth {
		return at.err(fault.Exhausted, "", "interfaces use each other deeper than %d", maxDepth)
	}
	defer func() { r.depth-- }()
	i.state = busy
	d := i.decl
	i.types = newScope()
	if err := r.fill(i.types, i.unit, d.uses, d.types); err != nil {
		return err
	}
	i.model.Types = i.types.order
	for _, t := range d.types {
		for _, f := range t.funcs {
			if err := r.addFunc(i, t, f); err != nil {
				return err
			}
		}
	}
	for _, f := range d.funcs {
		if err := r.addFunc(i, nil, f); err != nil {
			return err
		}
	}
	i.state = done
	return r.checkGates(i.unit, d.header)
}

func (r *resolver) addFunc(i *iface, resource *typeDecl, f *funcDecl) error {
	if err := i.types.claim(f.name); err != nil {
		return err
	}
	t, err := r.fn(i.types, resource, f)
	if err != nil {
		return err
	}
	i.model.Funcs = append(i.model.Funcs, &Func{Name: f.name.text, Docs: f.docs, Gate: f.gate, Type: t})
	return r.checkGates(i.unit, f.header)
}

// checkGates refuses versions of gates in a package without a version: they would mean nothing.
func (r *resolver) checkGates(u *unit, h header) error {
	if h.gate.Since+h.gate.Deprecated != "" && u.pkg.version == "" {
		return h.name.at.err(fault.Invalid, "give the package a version", "%q is gated by version, but package %s has none", h.name.text, u.pkg)
	}
	if h.gate.Deprecated != "" && h.gate.Since == "" && h.gate.Unstable == "" {
		return h.name.at.err(fault.Invalid, "add @since", "%q is deprecated without having begun", h.name.text)
	}
	return nil
}

package wit

import "greentic.dev/wasm/binary"

// Set is a group of packages that refer to nothing outside of it. It must not change once it
// is shared.
type Set struct {
	Packages []*Package // in the order of their first appearance
}

// Package is a WIT package.
type Package struct {
	Namespace, Name string
	Version         string // a semantic version, or empty
	Docs            string
	Interfaces      []*Interface
	Worlds          []*World
}

// Interface is a named group of types and functions.
type Interface struct {
	Package *Package // nil for one that is written inside a world
	Name    string
	Docs    string
	Gate    Gate
	Types   []*TypeDef
	Funcs   []*Func
}

// World is what a component imports and exports.
type World struct {
	Package *Package
	Name    string
	Docs    string
	Gate    Gate
	Types   []*TypeDef
	Imports []*Extern
	Exports []*Extern
}

// Extern is one import or export of a world. Exactly one of Interface and Func is set.
type Extern struct {
	Name      string // as in the component: "ns:pkg/iface@1.0.0", or a plain name, also for an interface of a package
	Docs      string
	Gate      Gate
	Interface *Interface
	Func      *binary.Func
}

// byPath says that x is an interface under the name it has by itself.
func (x *Extern) byPath() bool {
	return x.Interface != nil && x.Interface.Package != nil && x.Name == x.Interface.FullName()
}

// TypeDef is a named type of an interface or world. Exactly one of Type and Resource is set.
// References to it are its Type pointer, or handles to its Resource.
type TypeDef struct {
	Name     string
	Docs     string
	Gate     Gate
	Type     *binary.Type
	Resource *binary.Resource
	Members  []string   // docs of the fields, cases or names; nil when there are none
	From     *TypeDef   // what it is another name of
	Use      *Interface // the interface that From was taken from by use
}

// Func is a function of an interface. Functions of a resource have the names they have in a
// component: "[constructor]r", "[method]r.f", "[static]r.f".
type Func struct {
	Name string
	Docs string
	Gate Gate
	Type *binary.Func
}

// Gate says since when and under which feature an item exists (WIT, "Feature Gates").
type Gate struct {
	Since      string // version, or empty
	Unstable   string // feature, or empty
	Deprecated string // version, or empty
}

// String is the name of the package: "ns:name@version".
func (p *Package) String() string {
	s := p.Namespace + ":" + p.Name
	if p.Version != "" {
		s += "@" + p.Version
	}
	return s
}

func (p *Package) path(item string) string {
	s := p.Namespace + ":" + p.Name + "/" + item
	if p.Version != "" {
		s += "@" + p.Version
	}
	return s
}

// FullName is the name a component imports or exports the interface by.
func (i *Interface) FullName() string {
	if i.Package == nil {
		return i.Name
	}
	return i.Package.path(i.Name)
}

// Func finds a function by name, or gives nil.
func (i *Interface) Func(name string) *binary.Func {
	for _, f := range i.Funcs {
		if f.Name == name {
			return f.Type
		}
	}
	return nil
}

// Interface finds an interface by its full name, or gives nil.
func (s *Set) Interface(name string) *Interface {
	for _, p := range s.Packages {
		for _, i := range p.Interfaces {
			if i.FullName() == name {
				return i
			}
		}
	}
	return nil
}

// World finds a world by its full name, or gives nil.
func (s *Set) World(name string) *World {
	for _, p := range s.Packages {
		for _, w := range p.Worlds {
			if p.path(w.Name) == name {
				return w
			}
		}
	}
	return nil
}

package expr

import "slices"

// Roots are the roots whose values a mapping or condition may look at, so that a caller need not
// build the others.
type Roots struct {
	Names []string // sorted, unique
	All   bool     // it looks at the scope as a whole; Names does not matter
}

// Roots are what the mapping looks at.
func (m *Mapping) Roots() Roots { return m.roots }

func (r *Roots) add(p path) {
	if len(p) == 0 {
		r.All = true
	} else if at, found := slices.BinarySearch(r.Names, p[0]); !found {
		r.Names = slices.Insert(r.Names, at, p[0])
	}
}

func (r *Roots) mapped(m mapped) {
	switch m.kind {
	case isPath:
		r.add(m.path)
	case isText:
		r.pieces(m.pieces)
	}
	for _, field := range m.fields {
		r.mapped(field)
	}
	for _, item := range m.items {
		r.mapped(item)
	}
}

func (r *Roots) pieces(list []piece) {
	for _, p := range list {
		if p.op != "text" {
			r.add(p.path)
		}
		r.pieces(p.then)
		r.pieces(p.els)
	}
}

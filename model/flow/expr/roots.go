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
	case isPath, isPointer:
		r.add(m.path)
	case isText, isDefault:
		r.pieces(m.pieces, 0, map[*partial]bool{})
	}
	for _, item := range m.items {
		r.mapped(item)
	}
}

// pieces adds what a template looks at, depth contexts below the scope.
func (r *Roots) pieces(list []piece, depth int, included map[*partial]bool) {
	for _, p := range list {
		for _, a := range p.args {
			switch {
			case a.is:
			case len(a.path) == 0:
				r.All = r.All || a.root || a.up >= depth
			default:
				r.add(a.path)
			}
		}
		inside := depth
		if p.op == "each" || p.op == "with" || p.op == "section" {
			inside++
		}
		r.pieces(p.then, inside, included)
		r.pieces(p.els, depth, included)
		if p.partial != nil && !included[p.partial] {
			included[p.partial] = true
			r.pieces(p.partial.pieces, 0, included)
		}
	}
}

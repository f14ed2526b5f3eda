package link

import (
	"maps"
	"slices"
)

// Need is a function that a component imports. Interface is empty for one at world level;
// Offered says that the interface is there, without this function.
type Need struct {
	Interface, Func string
	Offered         bool
}

// Missing lists, in the order of the binary, the imported functions that none of hosts has:
// with any of them Bind fails.
func (p *Program) Missing(hosts ...*Hosts) []Need {
	var list []Need
	for _, n := range p.plan.Needs {
		if i := find(hosts, n.Iface); i == nil || i.Funcs[n.Name] == nil {
			list = append(list, Need{n.Iface, n.Name, i != nil})
		}
	}
	return list
}

// Names lists the interfaces that h offers, sorted.
func (h *Hosts) Names() []string { return slices.Sorted(maps.Keys(h.interfaces)) }

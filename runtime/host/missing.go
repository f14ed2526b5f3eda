package host

import (
	"maps"
	"slices"
	"strings"

	"greentic.dev/internal/nearest"
	"greentic.dev/wasm"
)

// Missing is a function that a component imports and this host does not offer.
type Missing struct {
	Interface  string `json:"interface,omitempty"` // empty: a function at world level
	Function   string `json:"function"`
	Capability string `json:"capability,omitempty"` // what it would need, as Import says
	Offered    bool   `json:"offered,omitempty"`    // the interface is offered, without this function
	Nearest    string `json:"nearest,omitempty"`    // an interface that is offered: another version, or a name like it
}

// Missing lists what code imports and this host does not offer, in the order of the binary:
// with any of it Load fails.
func (h *Host) Missing(code *wasm.Component) []Missing {
	var list []Missing
	offered := wasm.Offered(h.hosts)
	for _, n := range code.Missing(h.hosts) {
		m := Missing{Interface: n.Interface, Function: n.Func, Offered: n.Offered}
		if n.Interface != "" {
			m.Capability = capability(n.Interface)
		}
		if !n.Offered {
			m.Nearest = nearestInterface(n.Interface, offered)
		}
		list = append(list, m)
	}
	return list
}

// nearestInterface finds the newest version of an interface among those offered, or one of the
// same package whose name is like it.
func nearestInterface(name string, offered []string) string {
	path, _, _ := strings.Cut(name, "@")
	pkg, _, _ := strings.Cut(path, "/")
	best := ""
	versions := map[string]string{} // of the interfaces of the package, by path
	for _, o := range offered {
		p, _, _ := strings.Cut(o, "@")
		if p == path {
			best = o // sorted, so that the last is the newest
		}
		if strings.HasPrefix(p, pkg+"/") {
			versions[p] = o
		}
	}
	if best == "" {
		best = versions[nearest.Word(path, slices.Sorted(maps.Keys(versions)))]
	}
	return best
}

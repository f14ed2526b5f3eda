package wasm

import (
	"slices"

	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

// Need is an imported function: the exact name of its interface, empty for one at world level,
// and its own.
type Need = link.Need

// Missing lists the imported functions that neither h (which may be nil) nor WASI offers: with
// any of them Bind fails.
func (c *Component) Missing(h *link.Hosts) []Need {
	system := &link.Hosts{}
	wasi.Register(system)
	return c.program.Missing(h, system)
}

// Offered lists the interfaces that h (which may be nil) and WASI offer, sorted.
func Offered(h *link.Hosts) []string {
	system := &link.Hosts{}
	wasi.Register(system)
	names := system.Names()
	if h != nil {
		names = append(names, h.Names()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

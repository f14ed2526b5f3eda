package wasi

import (
	"context"
	"slices"
	"strings"

	"greentic.dev/wasm/link"
)

// version is the one the interfaces are registered under; link matches every 0.2.x to it.
const version = "0.2.9"

// Register adds every interface of this package to h: wasi:io, wasi:clocks, wasi:random,
// wasi:cli, wasi:filesystem and wasi:sockets, whole, in their 0.2 form. Every invocation of
// what is bound with h needs a *State in link.Call.System.
func Register(h *link.Hosts) {
	for _, i := range Interfaces() {
		h.Add(i)
	}
}

// Interfaces is what Register adds.
func Interfaces() []*link.Interface {
	return slices.Concat(ioInterfaces(), clocks(), random(), cli(), filesystem(), sockets())
}

// Face is one interface of WASI, by its name without "wasi:" and version, with functions made by
// Func. Its resources need no destructor: those that hold something end by their own means
// (link.Dropper).
func Face(name string, funcs map[string]link.Func, resources ...string) *link.Interface {
	waits := strings.HasPrefix(name, "io/") || strings.HasPrefix(name, "http/")
	i := &link.Interface{Name: "wasi:" + name + "@" + version, Funcs: funcs, Fixed: Fixed, Quick: !waits,
		Resources: make(map[string]func(context.Context, *link.Call, any), len(resources))}
	for _, r := range resources {
		i.Resources[r] = nil
	}
	return i
}

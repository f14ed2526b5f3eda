package link

import (
	"strings"

	"greentic.dev/wasm/binary"
)

// find looks up an interface by the name a component imports it under: exactly, else by line of
// semver-compatible versions the highest registered, if the package is of the wasi namespace or
// the name has only the line ("a:b/c@1", "a:b/c@0.2": the canonical names of the Explainer).
func (h *Hosts) find(name string) *Interface {
	if h == nil {
		return nil
	}
	if i := h.interfaces[name]; i != nil {
		return i
	}
	path, version, _ := strings.Cut(name, "@")
	line, _, full := binary.VersionLine(version)
	switch {
	case full && !strings.HasPrefix(name, "wasi:"):
		return nil
	case !full && version != "" && !strings.ContainsAny(version, "-+"):
		line = version
	case !full:
		return nil
	}
	var best *Interface
	var highest uint64
	for have, i := range h.interfaces {
		p, v, _ := strings.Cut(have, "@")
		if p != path {
			continue
		}
		if l, patch, ok := binary.VersionLine(v); ok && l == line && (best == nil || patch > highest) {
			best, highest = i, patch
		}
	}
	return best
}

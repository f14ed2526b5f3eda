package link

import (
	"strconv"
	"strings"
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
	line, _, full := semver(version)
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
		if l, patch, ok := semver(v); ok && l == line && (best == nil || patch > highest) {
			best, highest = i, patch
		}
	}
	return best
}

// semver splits a version into its compatibility line ("1", "0.2") and its place on it.
// Pre-releases are compatible with nothing.
func semver(v string) (line string, place uint64, ok bool) {
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return "", 0, false
	}
	var n [3]uint64
	for i, p := range parts {
		var err error
		if n[i], err = strconv.ParseUint(p, 10, 31); err != nil {
			return "", 0, false
		}
	}
	switch {
	case n[0] > 0:
		return parts[0], n[1]<<32 | n[2], true
	case n[1] > 0:
		return "0." + parts[1], n[2], true
	}
	return v, 0, true
}

// hostName is how errors name a host function.
func hostName(iface, name string) string {
	if iface == "" {
		return name
	}
	return iface + "#" + name
}

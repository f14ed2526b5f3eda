package binary

import (
	"strconv"
	"strings"
)

// externName is an import or export name with its attributes. External-id is read and dropped:
// it speaks to tools.
type externName struct {
	name       string
	implements string
	suffix     string
}

// externNameOf reads an import or export name in one of its three binary forms.
func externNameOf(r *reader) externName {
	form := r.byte()
	n := externName{name: r.name()}
	if strings.Contains(n.name, "[get]") || strings.Contains(n.name, "[set]") {
		r.unsupported("accessor")
	}
	if r.err == nil && !validExternName(n.name) {
		r.bad("%q is not a valid import or export name", clip(n.name))
	}
	switch form {
	case 0, 1:
	case 2:
		n.attributes(r)
	default:
		r.bad("name form %#x", form)
	}
	return n
}

func (n *externName) attributes(r *reader) {
	var seen [3]bool
	for left := r.count("attributes"); left > 0 && r.err == nil; left-- {
		kind, value := r.byte(), r.name()
		switch {
		case r.err != nil:
		case int(kind) >= len(seen):
			r.bad("name attribute %#x", kind)
		case seen[kind]:
			r.bad("name attribute %#x is given twice", kind)
		case kind == 0 && !isInterfaceName(value):
			r.bad("%q implements %q, which is not an interface name", clip(n.name), clip(value))
		case kind == 0 && !isPlainName(n.name):
			r.bad("%q is not a plain name, so it cannot implement %q", clip(n.name), clip(value))
		case kind == 0:
			n.implements = value
		case kind == 1:
			_, version, _ := strings.Cut(n.name, "@")
			if !isCanonicalVersion(version) || !isSemver(version+value) {
				r.bad("version suffix %q does not complete %q", clip(value), clip(n.name))
			}
			n.suffix = value
		}
		if int(kind) < len(seen) {
			seen[kind] = true
		}
	}
}

// suits checks what the attributes ask of the item that has the name.
func (n externName) suits(r *reader, s Sort) {
	if r.err == nil && n.implements != "" && s != SortInstance {
		r.bad("%q implements %q, but only instances do", clip(n.name), clip(n.implements))
	}
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

func label(r *reader) string {
	n := r.name()
	if r.err == nil && !isLabel(n) {
		r.bad("%q is not in kebab case", clip(n))
	}
	return n
}

// validExternName accepts plain names ("a-b", "[method]r.f") and interface names
// ("ns:pkg/iface@1.0.0").
func validExternName(s string) bool { return isPlainName(s) || isInterfaceName(s) }

func isPlainName(s string) bool {
	rest, annotated := strings.CutPrefix(s, "[")
	if !annotated {
		return isLabel(s)
	}
	kind, rest, _ := strings.Cut(rest, "]")
	switch kind {
	case "constructor":
		return isLabel(rest)
	case "method", "static":
		a, b, ok := strings.Cut(rest, ".")
		return ok && isLabel(a) && isLabel(b)
	}
	return false
}

func isInterfaceName(s string) bool {
	path, version, versioned := strings.Cut(s, "@")
	if versioned && !isSemver(version) && !isCanonicalVersion(version) {
		return false
	}
	space, rest, _ := strings.Cut(path, ":")
	pkg, iface, ok := strings.Cut(rest, "/")
	return ok && isWords(space) && isWords(pkg) && isLabel(iface)
}

// isWords is isLabel without upper case.
func isWords(s string) bool { return isLabel(s) && s == strings.ToLower(s) }

// isCanonicalVersion accepts a semantic version cut after the first number that is not zero:
// "1", "0.2", "0.0.3", and "0.0.0" (Explainer, "Canonical Interface Name").
func isCanonicalVersion(s string) bool {
	parts := strings.Split(s, ".")
	for i, p := range parts {
		if !isNumber(p) || i < len(parts)-1 && p != "0" {
			return false
		}
	}
	return parts[len(parts)-1] != "0" && len(parts) <= 3 || len(parts) == 3
}

// isSemver accepts versions as semver.org defines them.
func isSemver(s string) bool {
	s, build, built := strings.Cut(s, "+")
	core, pre, isPre := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	if len(parts) != 3 || built && !isDotted(build, true) || isPre && !isDotted(pre, false) {
		return false
	}
	return isNumber(parts[0]) && isNumber(parts[1]) && isNumber(parts[2])
}

// VersionLine splits a version into its compatibility line ("1", "0.2") and its place on it.
// Pre-releases are compatible with nothing.
func VersionLine(v string) (line string, place uint64, ok bool) {
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

// isNumber accepts decimal numbers without leading zeros.
func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && (s[0] != '0' || s == "0") && strings.Trim(s, "0123456789") == ""
}

// isDotted accepts the identifiers of a pre-release or build; numbers may begin with zeros only
// in a build.
func isDotted(s string, build bool) bool {
	for _, p := range strings.Split(s, ".") {
		if p == "" || !build && strings.Trim(p, "0123456789") == "" && p[0] == '0' && p != "0" {
			return false
		}
		for i := 0; i < len(p); i++ {
			if !alnum(p[i]) && p[i] != '-' {
				return false
			}
		}
	}
	return true
}

func alnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// isLabel accepts words of letters and digits joined by single hyphens; a word is all lower or
// all upper case and the first word starts with a letter.
func isLabel(s string) bool {
	for i, word := range strings.Split(s, "-") {
		if word == "" || i == 0 && word[0] >= '0' && word[0] <= '9' {
			return false
		}
		lower, upper := false, false
		for j := 0; j < len(word); j++ {
			c := word[j]
			if !alnum(c) {
				return false
			}
			lower = lower || c >= 'a' && c <= 'z'
			upper = upper || c >= 'A' && c <= 'Z'
		}
		if lower && upper {
			return false
		}
	}
	return true
}

// StrongName folds a name for the uniqueness rule of imports, exports and labels: case does
// not count, nor does an annotation such as [method] (Explainer, "Name uniqueness").
func StrongName(s string) string {
	if strings.HasPrefix(s, "[constructor]") {
		return strings.ToLower(s) // a constructor may share the name of its resource
	}
	if strings.HasPrefix(s, "[") {
		if _, rest, ok := strings.Cut(s, "]"); ok {
			s = rest
			if a, b, ok := strings.Cut(rest, "."); ok && strings.EqualFold(a, b) {
				s = a // [method]foo.foo collides with foo
			}
		}
	}
	return strings.ToLower(s)
}

func unique(r *reader, seen map[string]bool, what, name string) {
	k := StrongName(name)
	if r.err == nil && seen[k] {
		r.bad("duplicate %s name %q", what, clip(name))
	}
	seen[k] = true
}

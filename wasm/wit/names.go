package wit

import (
	"strings"
	"unicode/utf8"
)

// IsLabel accepts words of letters and digits joined by hyphens; a word is all lower or all
// upper case and the first starts with a letter (Explainer: "label").
func IsLabel(s string) bool {
	for i, w := range strings.Split(s, "-") {
		if w == "" || i == 0 && isDigit(w[0]) || w != strings.ToLower(w) && w != strings.ToUpper(w) || span(w, isWordByte) < len(w) {
			return false
		}
	}
	return true
}

// IsVersion accepts versions of Semantic Versioning 2.0.
func IsVersion(s string) bool {
	rest, build, hasBuild := strings.Cut(s, "+")
	rest, pre, hasPre := strings.Cut(rest, "-")
	parts := strings.Split(rest, ".")
	for _, p := range parts {
		if p == "" || len(p) > 19 || span(p, isDigit) < len(p) || len(p) > 1 && p[0] == '0' {
			return false
		}
	}
	for _, p := range strings.Split(pre, ".") {
		if hasPre && (p == "" || span(p, isWordByte) < len(p) || span(p, isDigit) == len(p) && len(p) > 1 && p[0] == '0') {
			return false
		}
	}
	for _, p := range strings.Split(build, ".") {
		if hasBuild && (p == "" || span(p, isWordByte) < len(p)) {
			return false
		}
	}
	return len(parts) == 3
}

// SplitFunc takes the name of a resource function apart: "[method]r.f" is method, r, f.
// Kind is empty for a plain function.
func SplitFunc(name string) (kind, resource, short string) {
	rest, ok := strings.CutPrefix(name, "[")
	if !ok {
		return "", "", name
	}
	kind, rest, _ = strings.Cut(rest, "]")
	resource, short, _ = strings.Cut(rest, ".")
	return kind, resource, short
}

// SplitPath reads the name of an interface or world, "ns:pkg/item@1.0.0": its package, empty,
// and its own name.
func SplitPath(name string) (p *Package, item string, ok bool) {
	path, version, _ := strings.Cut(name, "@")
	pkg, item, _ := strings.Cut(path, "/")
	p = &Package{Version: version}
	p.Namespace, p.Name, _ = strings.Cut(pkg, ":")
	return p, item, IsLabel(p.Namespace) && IsLabel(p.Name) && IsLabel(item) && (version == "" || IsVersion(version))
}

// CleanDocs drops the characters that comments may not hold, and empty lines at the end.
func CleanDocs(text string) string {
	return strings.TrimRight(strings.Map(func(r rune) rune {
		if r == '\r' || forbidden(r) {
			return -1
		}
		return r
	}, text), "\n")
}

// forbidden reports characters that make text look like other text, or that are no text.
func forbidden(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 ||
		r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f ||
		r == 0x149 || r == 0x673 || r == 0xf77 || r == 0xf79 || r == 0x17a3 || r == 0x17a4 || r == 0x17b4 || r == 0x17b5 ||
		r == utf8.RuneError
}

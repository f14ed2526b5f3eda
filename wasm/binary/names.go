package binary

import "strings"

// externName reads an import or export name in one of its three binary forms; attributes of
// the third form are read and dropped, as validation ignores them.
func externName(r *reader, export bool) string {
	form := r.byte()
	name := r.name()
	switch form {
	case 0, 1:
	case 2:
		for n := r.count("attributes"); n > 0 && r.err == nil; n-- {
			switch b := r.byte(); b {
			case 0, 1, 2:
				r.name()
			default:
				r.bad("name attribute %#x", b)
			}
		}
	default:
		r.bad("name form %#x", form)
	}
	if r.err == nil && !validExternName(name, export) {
		r.bad("%q is not a valid import or export name", clip(name))
	}
	return name
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

// validExternName accepts plain names ("a-b", "[method]r.f"), interface names
// ("ns:pkg/iface@1.0.0") and, for imports, the dependency and url forms, which no host
// satisfies but nested components may use.
func validExternName(s string, export bool) bool {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		kind, rest, ok := strings.Cut(rest, "]")
		if !ok {
			return false
		}
		switch kind {
		case "constructor":
			return isLabel(rest)
		case "method", "static":
			a, b, ok := strings.Cut(rest, ".")
			return ok && isLabel(a) && isLabel(b)
		}
		return false
	}
	if isLabel(s) {
		return true
	}
	if i := strings.IndexByte(s, '='); i > 0 && strings.HasSuffix(s, ">") && s[min(i+1, len(s)-1)] == '<' {
		switch s[:i] {
		case "unlocked-dep", "locked-dep", "url", "integrity":
			return !export
		}
	}
	return isInterfaceName(s)
}

func isInterfaceName(s string) bool {
	path, version, versioned := strings.Cut(s, "@")
	if versioned && !isVersion(version) {
		return false
	}
	space, rest, _ := strings.Cut(path, ":")
	pkg, iface, ok := strings.Cut(rest, "/")
	return ok && isWords(space) && isWords(pkg) && isLabel(iface)
}

// isWords is isLabel without upper case.
func isWords(s string) bool { return isLabel(s) && s == strings.ToLower(s) }

// isVersion accepts semantic versions and the canonical short forms "1", "0.2", "0.0.3".
func isVersion(s string) bool {
	s, build, built := strings.Cut(s, "+")
	core, pre, isPre := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	if len(parts) > 3 || built && !isDotted(build) || isPre && !isDotted(pre) {
		return false
	}
	for _, p := range parts {
		if p == "" || len(p) > 20 || len(p) > 1 && p[0] == '0' || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

func isDotted(s string) bool {
	for _, p := range strings.Split(s, ".") {
		if p == "" {
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

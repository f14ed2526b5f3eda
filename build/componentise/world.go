package componentise

import (
	"io/fs"
	"maps"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/internal/nearest"
)

const preview1 = "wasi_snapshot_preview1"

// surface is what a core module imports and exports of interfaces, each name once, sorted.
type surface struct{ imports, exports []string }

// surfaceOf reads the interfaces off the names the linker wrote.
func surfaceOf(sections []section) (surface, error) {
	var s surface
	for _, sec := range sections {
		var err error
		switch sec.id {
		case secImport:
			err = names(sec.body, func(b []byte) ([]byte, error) {
				module, b, err := name(b)
				if err != nil {
					return nil, err
				}
				if module != preview1 {
					s.imports = append(s.imports, module)
				}
				if _, b, err = name(b); err != nil || len(b) < 1 || b[0] != 0 {
					return nil, errForm() // Go imports only functions
				}
				_, b, err = leb(b[1:])
				return b, err
			})
		case secExport:
			err = names(sec.body, func(b []byte) ([]byte, error) {
				export, b, err := name(b)
				if err != nil || len(b) < 1 {
					return nil, errForm()
				}
				if iface, _, ok := strings.Cut(export, "#"); ok && !strings.HasPrefix(iface, "cabi_post_") {
					s.exports = append(s.exports, iface)
				}
				_, b, err = leb(b[1:])
				return b, err
			})
		}
		if err != nil {
			return s, err
		}
	}
	slices.Sort(s.imports)
	slices.Sort(s.exports)
	s.imports, s.exports = slices.Compact(s.imports), slices.Compact(s.exports)
	return s, nil
}

func names(body []byte, each func([]byte) ([]byte, error)) error {
	n, b, err := leb(body)
	for ; n > 0 && err == nil; n-- {
		b, err = each(b)
	}
	return err
}

func name(b []byte) (string, []byte, error) {
	n, b, err := leb(b)
	if err != nil || uint64(n) > uint64(len(b)) {
		return "", nil, errForm()
	}
	return string(b[:n]), b[n:], nil
}

// world is the WIT of a module: a world named guest, with the packages of ours in the same text.
func (s surface) world(further []string) (string, error) {
	if len(s.exports) == 0 {
		return "", fault.New(fault.Invalid, "core module", "it exports no interface").
			WithFix(`import "greentic.dev/sdk/go/greentic" and call greentic.Component`)
	}
	packages, known, err := contract(further)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("package greentic:guest;\n\nworld guest {\n")
	for verb, list := range map[string][]string{"import": s.imports, "export": s.exports} {
		for _, iface := range list {
			if !known[iface] {
				err := fault.Newf(fault.Unsupported, "core module", "it %ss %s, which is no interface of ours", verb, iface)
				if near := nearest.Word(iface, slices.Sorted(maps.Keys(known))); near != "" {
					err = err.WithFix("did you mean " + near + "?")
				}
				return "", err
			}
		}
	}
	for _, iface := range s.imports {
		b.WriteString("  import " + iface + ";\n")
	}
	for _, iface := range s.exports {
		b.WriteString("  export " + iface + ";\n")
	}
	b.WriteString("}\n\n" + packages)
	return b.String(), nil
}

// contract is every WIT package of ours and the further ones in one text, and the names of their interfaces.
func contract(further []string) (text string, known map[string]bool, err error) {
	files, err := fs.Glob(interfaces.FS, "*.wit")
	if err != nil {
		return "", nil, fault.Wrap("interfaces", err)
	}
	for _, file := range files {
		src, err := fs.ReadFile(interfaces.FS, file)
		if err != nil {
			return "", nil, fault.Wrap("interfaces", err)
		}
		further = append(further, string(src))
	}
	known = map[string]bool{}
	var b strings.Builder
	for _, src := range further {
		head, body, _ := strings.Cut(src, ";")
		path, version, _ := strings.Cut(strings.TrimPrefix(head, "package "), "@")
		for _, line := range strings.Split(body, "\n") {
			if rest, ok := strings.CutPrefix(line, "interface "); ok {
				known[path+"/"+strings.TrimSuffix(rest, " {")+"@"+version] = true
			}
		}
		b.WriteString(head + " {\n" + body + "}\n")
	}
	return b.String(), known, nil
}

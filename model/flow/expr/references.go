package expr

import "strings"

// Reference is a path that a condition or a template looks up.
type Reference struct {
	Path   []string // its names and indexes; the first is the root
	At     int      // bytes before it in the source, as near as is known
	Inside bool     // it stands in a block with a context of its own and is looked up there first
}

// References are the paths of one text of a mapping, in order; none when it is no template. The
// error is that of [Compile].
func References(s string) ([]Reference, error) {
	m, err := new(compilation).text(s)
	if err != nil {
		return nil, err
	}
	return located(s, nil, func(add func(path, bool)) {
		switch m.kind {
		case isPath:
			add(m.path, false)
		case isText, isDefault:
			referred(m.pieces, false, add)
		}
	}), nil
}

func referred(pieces []piece, inside bool, add func(path, bool)) {
	for _, p := range pieces {
		for _, a := range p.args {
			if !a.is {
				add(a.path, inside && !a.root)
			}
		}
		own := p.op == "each" || p.op == "with" || p.op == "section"
		referred(p.then, inside || own, add)
		referred(p.els, inside, add)
	}
}

// located finds the paths of src one after the other.
func located(src string, out []Reference, each func(add func(path, bool))) []Reference {
	at := 0
	each(func(p path, inside bool) {
		if len(p) == 0 {
			return
		}
		if i := strings.Index(src[at:], p[0]); i >= 0 {
			at += i
		}
		out = append(out, Reference{Path: p, At: at, Inside: inside})
		at = min(at+len(p[0]), len(src))
	})
	return out
}

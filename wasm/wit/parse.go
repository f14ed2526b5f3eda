package wit

import (
	"io/fs"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
)

// Parse reads WIT sources, by file name, and resolves all names among them. Files may share a
// package and may hold several; a file without a package declaration belongs to the package of
// the files beside it. Errors are Invalid, or Unsupported for what this host does not run, with
// file, line, column and a fix.
func Parse(sources map[string]string) (*Set, error) {
	names := make([]string, 0, len(sources))
	for n := range sources {
		names = append(names, n)
	}
	slices.Sort(names)
	var units []*unit
	for _, n := range names {
		src := &source{name: n, text: sources[n]}
		if len(src.text) > maxSource {
			return nil, fault.Newf(fault.Exhausted, "wit", "source of %d bytes, at most %d are read", len(src.text), maxSource).
				At(fault.Position{File: n})
		}
		us, err := parseFile(src)
		if err != nil {
			return nil, err
		}
		units = append(units, us...)
	}
	return resolve(units)
}

// ParseFS is Parse of all .wit files in a file tree.
func ParseFS(fsys fs.FS) (*Set, error) {
	sources := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".wit") {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		sources[name] = string(text)
		return err
	})
	if err != nil {
		return nil, fault.As(fault.Invalid, "wit", err)
	}
	return Parse(sources)
}

func parseFile(src *source) ([]*unit, error) {
	p := &parser{lex: lexer{src: src}}
	p.next()
	own := &unit{aliases: map[string]*path{}, at: p.tok.at}
	units := []*unit{own}
	if p.is("package") {
		docs := p.tok.docs
		p.next()
		pkg := p.packageName()
		if p.tok.kind != '{' {
			own.pkg, own.docs = pkg, docs
			p.expect(';')
		} else {
			units = append(units, p.nested(pkg, docs))
		}
	}
	for p.tok.kind != eof {
		if p.is("package") {
			docs := p.tok.docs
			p.next()
			units = append(units, p.nested(p.packageName(), docs))
			continue
		}
		p.item(own)
	}
	return units, p.lex.err
}

func (p *parser) nested(pkg *packageName, docs string) *unit {
	u := &unit{pkg: pkg, docs: docs, aliases: map[string]*path{}, nested: true, at: pkg.at}
	p.expect('{')
	for p.tok.kind != '}' && p.tok.kind != eof {
		p.item(u)
	}
	p.expect('}')
	return u
}

// item reads a use, interface or world of a package.
func (p *parser) item(u *unit) {
	if p.take("use") {
		from := p.path()
		as := from.item
		if p.take("as") {
			as = p.name()
		}
		p.expect(';')
		if u.aliases[as.text] != nil {
			p.failAt(as.at, "rename it with as", "%q is already used in this file", as.text)
		}
		u.aliases[as.text] = from
		return
	}
	h := p.header()
	switch {
	case p.take("interface"):
		h.name = p.name()
		u.ifaces = append(u.ifaces, p.interfaceBody(h))
	case p.take("world"):
		h.name = p.name()
		u.worlds = append(u.worlds, p.world(h))
	default:
		p.unexpected("package, use, interface or world")
	}
}

func (p *parser) interfaceBody(h header) *ifaceDecl {
	d := &ifaceDecl{header: h}
	p.expect('{')
	for p.tok.kind != '}' && p.tok.kind != eof {
		h := p.header()
		switch {
		case p.take("use"):
			d.uses = append(d.uses, p.use(h.gate))
		case p.typeStarts():
			d.types = append(d.types, p.typeDecl(h))
		case p.tok.kind == word:
			h.name = p.name()
			p.expect(':')
			d.funcs = append(d.funcs, p.function(h))
		default:
			p.unexpected("a use, type or function")
		}
	}
	p.expect('}')
	return d
}

func (p *parser) use(g Gate) *useDecl {
	u := &useDecl{gate: g, from: p.path()}
	p.expect('.')
	u.names = p.renames()
	p.expect(';')
	return u
}

// renames reads "{a, b as c}".
func (p *parser) renames() []renamed {
	var names []renamed
	p.list('{', '}', func() {
		n := renamed{name: p.name()}
		n.as = n.name
		if p.take("as") {
			n.as = p.name()
		}
		names = append(names, n)
	})
	return names
}

func (p *parser) packageName() *packageName {
	namespace := p.name()
	p.expect(':')
	n := &packageName{namespace: namespace.text, name: p.name().text, at: namespace.at}
	if p.tok.kind == ':' || p.tok.kind == '/' {
		p.unsupported(p.tok.at, "", "nested namespaces and packages are not supported")
	}
	n.version = p.version()
	return n
}

// version reads "@1.0.0" if it is there.
func (p *parser) version() string {
	if p.tok.kind != '@' {
		return ""
	}
	v, _ := p.lex.version()
	p.next()
	return v
}

// externalID reads ("text").
func (p *parser) externalID() {
	if p.tok.kind != '(' {
		p.unexpected("(")
		return
	}
	p.lex.quoted()
	p.next()
	p.expect(')')
}

// header reads the gates before an item and keeps its docs.
func (p *parser) header() header {
	h := header{docs: p.tok.docs}
	for p.tok.kind == '@' {
		p.next()
		gate := p.name()
		var field *string
		key := "version"
		switch gate.text {
		case "since":
			field = &h.gate.Since
		case "deprecated":
			field = &h.gate.Deprecated
		case "unstable":
			field, key = &h.gate.Unstable, "feature"
		case "external-id": // speaks to other tools; it is read and dropped
			p.externalID()
			continue
		default:
			p.failAt(gate.at, "use @since, @unstable or @deprecated", "there is no gate @%s", gate.text)
			return h
		}
		p.expect('(')
		if !p.take(key) {
			p.unexpected(key)
		}
		switch {
		case p.tok.kind != '=':
			p.unexpected("=")
		case key == "version":
			*field, _ = p.lex.version()
			p.next()
		default:
			p.next()
			*field = p.name().text
		}
		p.expect(')')
		if h.gate.Since != "" && h.gate.Unstable != "" {
			p.failAt(gate.at, "keep one of them", "an item is gated by @since or @unstable, not by both")
		}
		if h.docs == "" {
			h.docs = p.tok.docs
		}
	}
	return h
}

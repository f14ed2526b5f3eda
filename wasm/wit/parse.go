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

// parser reads one file. After the first error every token is eof, which ends all loops.
type parser struct {
	lex lexer
	tok token
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

func (p *parser) world(h header) *worldDecl {
	d := &worldDecl{header: h}
	p.expect('{')
	for p.tok.kind != '}' && p.tok.kind != eof {
		h := p.header()
		switch {
		case p.is("import") || p.is("export"):
			d.externs = append(d.externs, p.extern(h))
		case p.take("use"):
			d.uses = append(d.uses, p.use(h.gate))
		case p.take("include"):
			inc := &includeDecl{path: p.path()}
			if p.take("with") {
				inc.names = p.renames()
			}
			if p.tok.kind == ';' || len(inc.names) == 0 {
				p.expect(';')
			}
			d.includes = append(d.includes, inc)
		case p.typeStarts():
			d.types = append(d.types, p.typeDecl(h))
		default:
			p.unexpected("import, export, include, use or a type")
		}
	}
	p.expect('}')
	return d
}

// extern reads an import or export: by path, or with a name of its own.
func (p *parser) extern(h header) *externDecl {
	d := &externDecl{header: h, export: p.is("export")}
	p.next()
	first := p.name()
	if p.tok.kind != ':' {
		d.path = &path{item: first}
		p.expect(';')
		return d
	}
	p.next()
	switch {
	case p.is("func") || p.is("async"):
		d.name = first
		h.name = first
		d.fn = p.function(h)
	case p.take("interface"):
		d.name = first
		h.name = first
		d.iface = p.interfaceBody(h)
	default:
		second := p.name()
		if p.tok.kind == ';' {
			p.unsupported(first.at, "import the interface by its path", "another name for interface %q is not supported", second.text)
		}
		d.path = p.pathAfter(first, second)
		p.expect(';')
	}
	return d
}

// path reads "iface" or "ns:pkg/iface@1.0.0".
func (p *parser) path() *path {
	first := p.name()
	if p.tok.kind != ':' {
		return &path{item: first}
	}
	p.next()
	return p.pathAfter(first, p.name())
}

func (p *parser) pathAfter(namespace, pkg name) *path {
	out := &path{pkg: &packageName{namespace: namespace.text, name: pkg.text, at: namespace.at}}
	p.expect('/')
	out.item = p.name()
	out.pkg.version = p.version()
	return out
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
		case "external-id":
			p.unsupported(gate.at, "remove it", "@external-id is not supported")
			return h
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

func (p *parser) next() { p.tok = p.lex.next(); p.settle() }

// settle makes every token after an error the last.
func (p *parser) settle() {
	if p.lex.err != nil {
		p.tok.kind, p.tok.text, p.tok.docs = eof, "", ""
	}
}

// is reports whether the next token is the bare word s.
func (p *parser) is(s string) bool { return p.tok.kind == word && !p.tok.escaped && p.tok.text == s }

func (p *parser) take(s string) bool {
	if !p.is(s) {
		return false
	}
	p.next()
	return true
}

func (p *parser) expect(kind rune) {
	if p.tok.kind != kind {
		what := string(kind)
		if kind == arrow {
			what = "->"
		}
		p.unexpected(what)
		return
	}
	p.next()
}

// name reads an identifier.
func (p *parser) name() name {
	n := name{p.tok.text, p.tok.at}
	switch {
	case p.tok.kind != word:
		p.unexpected("a name")
	case !p.tok.escaped && keyword(n.text):
		p.failAt(n.at, "write %"+n.text, "%q is a keyword", n.text)
	}
	p.next()
	return n
}

// list reads items between brackets, separated by commas; a last comma is allowed.
func (p *parser) list(open, end rune, item func()) {
	p.expect(open)
	for p.tok.kind != end && p.tok.kind != eof {
		item()
		if p.tok.kind != end {
			p.expect(',')
		}
	}
	p.expect(end)
}

func (p *parser) unexpected(want string) {
	got := "the end"
	if p.tok.kind != eof {
		got = "\"" + p.tok.text + "\""
	}
	p.failAt(p.tok.at, "", "want %s, got %s", want, got)
}

func (p *parser) failAt(at place, fix, format string, args ...any) {
	p.lex.fail(at.off, fix, format, args...)
	p.settle()
}

func (p *parser) unsupported(at place, fix, format string, args ...any) {
	if p.lex.err == nil {
		p.lex.err = at.err(fault.Unsupported, fix, format, args...)
	}
	p.settle()
}

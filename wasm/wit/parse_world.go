package wit

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
		if p.tok.kind == '(' && (second.text == "get" || second.text == "set") {
			p.unsupported(second.at, "make it a function", "accessors (%s) are not supported", second.text)
		}
		switch p.tok.kind {
		case ';': // a name of its own for an interface of this package
			d.name, d.path = first, &path{item: second}
		case ':': // for another one
			p.next()
			d.name, d.path = first, p.pathAfter(second, p.name())
		default:
			d.path = p.pathAfter(first, second)
		}
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

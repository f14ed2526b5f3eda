package wit

import "greentic.dev/greentic/fault"

// parser reads one file. After the first error every token is eof, which ends all loops.
type parser struct {
	lex lexer
	tok token
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

package wit

import (
	"strings"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
)

// maxSource is the longest WIT source that is read, in bytes.
const maxSource = 4 << 20

// source is one text; place is a byte offset in it.
type source struct{ name, text string }

type place struct {
	src *source
	off int
}

// position is the place as people count: lines and characters from 1.
func (p place) position() fault.Position {
	text, off := p.src.text, min(p.off, len(p.src.text))
	start := strings.LastIndexByte(text[:off], '\n') + 1
	end := len(text)
	if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
		end = start + i
	}
	return fault.Position{
		File:    p.src.name,
		Line:    strings.Count(text[:off], "\n") + 1,
		Col:     utf8.RuneCountInString(text[start:off]) + 1,
		Excerpt: strings.TrimRight(text[start:end], "\r"),
	}
}

func (p place) err(kind fault.Kind, fix, format string, args ...any) error {
	return fault.Newf(kind, "wit", format, args...).At(p.position()).WithFix(fix)
}

// token kinds; operators are their own character, "->" is '>'+0x100.
const (
	eof    = 0
	word   = 'a'
	number = '1'
	arrow  = '>' + 0x100
)

type token struct {
	kind    rune
	text    string
	escaped bool   // %word
	docs    string // the doc comments before it
	at      place
}

// lexer cuts a source into tokens. The first error ends it: what follows is eof.
type lexer struct {
	src *source
	pos int
	err error
}

func (l *lexer) fail(off int, fix, format string, args ...any) {
	if l.err == nil {
		l.err = place{l.src, off}.err(fault.Invalid, fix, format, args...)
	}
	l.pos = len(l.src.text)
}

func (l *lexer) next() token {
	docs := l.skip()
	t := token{at: place{l.src, l.pos}, docs: docs}
	rest := l.src.text[l.pos:]
	if rest == "" {
		return t
	}
	switch c := rest[0]; {
	case c == '%' || isLetter(c):
		t.kind, t.escaped = word, c == '%'
		t.text = rest[:span(rest[1:], isWordByte)+1]
		l.pos += len(t.text)
		t.text = strings.TrimPrefix(t.text, "%")
		if !IsLabel(t.text) {
			l.fail(t.at.off, "use words of letters and digits joined by single hyphens, each all lower or all upper case",
				"%q is not an identifier", t.text)
		}
	case isDigit(c):
		t.kind, t.text = number, rest[:span(rest, isDigit)]
		l.pos += len(t.text)
	case strings.HasPrefix(rest, "->"):
		t.kind, t.text = arrow, "->"
		l.pos += 2
	case strings.IndexByte("=,:;(){}<>*/.@_\"", c) >= 0:
		t.kind, t.text = rune(c), rest[:1]
		l.pos++
	default:
		r, _ := utf8.DecodeRuneInString(rest)
		l.fail(l.pos, "remove it", "unexpected character %q", r)
	}
	return t
}

// version reads a semantic version in place of a token. A final dot is not part of it:
// "use a:b/c@1.0.0.{d}".
func (l *lexer) version() (string, place) {
	l.skip()
	at := place{l.src, l.pos}
	rest := l.src.text[l.pos:]
	text := strings.TrimSuffix(rest[:span(rest, func(c byte) bool { return isWordByte(c) || c == '.' || c == '+' })], ".")
	l.pos += len(text)
	if !IsVersion(text) {
		l.fail(at.off, "write a semantic version such as 1.0.0", "%q is not a version", text)
	}
	return text, at
}

// quoted passes a string, in which a backslash takes the next character with it.
func (l *lexer) quoted() {
	l.skip()
	start := l.pos
	if !strings.HasPrefix(l.src.text[l.pos:], "\"") {
		l.fail(start, "", "want a string")
		return
	}
	for l.pos++; l.pos < len(l.src.text); l.pos++ {
		switch l.src.text[l.pos] {
		case '\\':
			l.pos++
		case '"':
			l.pos++
			return
		case '\n':
			l.fail(start, "end it with \"", "string does not end")
			return
		}
	}
	l.fail(start, "end it with \"", "string does not end")
}

// skip passes white space and comments and gives the doc comments among them.
func (l *lexer) skip() string {
	var docs []string
	for l.pos < len(l.src.text) {
		rest := l.src.text[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "//"):
			line, _, _ := strings.Cut(rest, "\n")
			if text, ok := strings.CutPrefix(line, "///"); ok {
				docs = append(docs, strings.TrimRight(strings.TrimPrefix(text, " "), " \t\r"))
			}
			l.comment(line)
		case strings.HasPrefix(rest, "/*"):
			n := blockEnd(rest)
			if n < 0 {
				l.fail(l.pos, "end it with */", "comment does not end")
				return ""
			}
			if strings.HasPrefix(rest, "/**") && n > 4 {
				docs = append(docs, blockDocs(rest[3:n-2])...)
			}
			l.comment(rest[:n])
		default:
			return strings.Join(docs, "\n")
		}
	}
	return strings.Join(docs, "\n")
}

// comment passes a comment after looking for forbidden characters.
func (l *lexer) comment(text string) {
	for i, r := range text {
		if forbidden(r) {
			l.fail(l.pos+i, "remove it", "character %U is not allowed in comments", r)
			return
		}
	}
	l.pos += len(text)
}

// blockEnd is the length of the block comment that s starts with, or -1. They nest.
func blockEnd(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			if depth--; depth == 0 {
				return i + 2
			}
			i++
		}
	}
	return -1
}

func blockDocs(text string) []string {
	var docs []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		line = strings.TrimSpace(line)
		line = strings.TrimPrefix(strings.TrimPrefix(line, "*"), " ")
		docs = append(docs, line)
	}
	return docs
}

func span(s string, ok func(byte) bool) int {
	for i := range len(s) {
		if !ok(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isLetter(c byte) bool   { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' }

// keyword reports whether a bare word is reserved (WIT, "Keywords").
func keyword(s string) bool {
	switch s {
	case "as", "async", "bool", "borrow", "char", "constructor", "enum", "export", "f32", "f64", "flags", "from",
		"func", "future", "import", "include", "interface", "list", "map", "option", "own", "package", "record",
		"resource", "result", "s16", "s32", "s64", "s8", "static", "stream", "string", "tuple", "type", "u16",
		"u32", "u64", "u8", "use", "variant", "with", "world":
		return true
	}
	return false
}

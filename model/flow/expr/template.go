package expr

import (
	"strings"

	"greentic.dev/greentic/fault"
)

// piece is one part of a template.
type piece struct {
	op   string // text, var, if, unless, each, with, section
	text string
	path path
	then []piece
	els  []piece
}

// whole returns the path of a template that is nothing but one {{path}}.
func whole(src string) (string, bool) {
	inner, ok := strings.CutPrefix(src, "{{")
	if !ok {
		return "", false
	}
	if inner, ok = strings.CutSuffix(inner, "}}"); !ok {
		return "", false
	}
	if len(inner) > 1 && inner[0] == '{' && inner[len(inner)-1] == '}' {
		inner = inner[1 : len(inner)-1]
	}
	inner = strings.TrimSpace(inner)
	if _, err := parsePath(inner); err != nil {
		return "", false
	}
	return inner, true
}

// isKey says whether a tag names a translation; those are for the renderer of the message.
func isKey(tag string) bool { return strings.HasPrefix(tag, "i18n:") }

// templateParser reads the Handlebars subset.
type templateParser struct {
	src string
	at  int
}

func (p *templateParser) wrong(at int, msg string) error {
	line := 1 + strings.Count(p.src[:at], "\n")
	start := strings.LastIndexByte(p.src[:at], '\n') + 1
	excerpt, _, _ := strings.Cut(p.src[start:], "\n")
	return fault.Newf(fault.Invalid, "template", "%s", msg).At(fault.Position{Line: line, Col: at - start + 1, Excerpt: excerpt})
}

func parseTemplate(src string) ([]piece, error) {
	p := &templateParser{src: src}
	pieces, end, err := p.pieces(0)
	if err == nil && end != "" {
		err = p.wrong(p.at, "{{"+end+"}} closes nothing")
	}
	return pieces, err
}

// tag reads the tag at p.at, which begins with {{.
func (p *templateParser) tag() (tag, raw string, err error) {
	rest := p.src[p.at:]
	open, shut := "{{", "}}"
	switch {
	case strings.HasPrefix(rest, "{{!--"):
		open, shut = "{{!--", "--}}"
	case strings.HasPrefix(rest, "{{{"):
		open, shut = "{{{", "}}}"
	}
	end := strings.Index(rest[len(open):], shut)
	if end < 0 {
		return "", "", p.wrong(p.at, open+" is not closed")
	}
	raw = rest[:len(open)+end+len(shut)]
	tag = strings.TrimSpace(rest[len(open) : len(open)+end])
	if open == "{{!--" {
		tag = "!"
	}
	return tag, raw, nil
}

// pieces reads up to the end of the source, a closing tag or {{else}}, which it returns.
func (p *templateParser) pieces(depth int) (out []piece, end string, err error) {
	if depth > maxDepth {
		return nil, "", p.wrong(p.at, "nested too deep")
	}
	for p.at < len(p.src) {
		n := strings.Index(p.src[p.at:], "{{")
		if n < 0 {
			n = len(p.src) - p.at
		}
		if n > 0 {
			out = append(out, piece{op: "text", text: p.src[p.at : p.at+n]})
			p.at += n
			continue
		}
		tag, raw, err := p.tag()
		if err != nil {
			return nil, "", err
		}
		switch {
		case strings.HasPrefix(tag, "!"):
			p.at += len(raw)
		case isKey(tag):
			out = append(out, piece{op: "text", text: raw})
			p.at += len(raw)
		case tag == "else" || tag == "^" || strings.HasPrefix(tag, "/"):
			return out, tag, nil
		case strings.HasPrefix(tag, "#"):
			block, err := p.block(tag, raw, depth)
			if err != nil {
				return nil, "", err
			}
			out = append(out, block)
		default:
			way, err := p.path(tag)
			if err != nil {
				return nil, "", err
			}
			out = append(out, piece{op: "var", path: way})
			p.at += len(raw)
		}
	}
	return out, "", nil
}

func (p *templateParser) path(tag string) (path, error) {
	way, err := parsePath(tag)
	if err != nil {
		return nil, p.wrong(p.at, "{{"+tag+"}} is no path; helpers and partials do not exist here")
	}
	return way, nil
}

// block reads {{#word path}}…{{else}}…{{/word}} or {{#path}}…{{/path}}.
func (p *templateParser) block(tag, raw string, depth int) (piece, error) {
	start := p.at
	words := strings.Fields(tag[1:])
	b := piece{op: "section"}
	var name, way string
	switch {
	case len(words) == 1:
		name, way = words[0], words[0]
	case len(words) == 2 && (words[0] == "if" || words[0] == "unless" || words[0] == "each" || words[0] == "with"):
		b.op, name, way = words[0], words[0], words[1]
	default:
		return b, p.wrong(start, "{{"+tag+"}} is not if, unless, each, with or a path")
	}
	var err error
	if b.path, err = p.path(way); err != nil {
		return b, err
	}
	p.at += len(raw)
	var end string
	if b.then, end, err = p.pieces(depth + 1); err != nil {
		return b, err
	}
	if end == "else" || end == "^" {
		_, raw, _ := p.tag()
		p.at += len(raw)
		if b.els, end, err = p.pieces(depth + 1); err != nil {
			return b, err
		}
	}
	if !strings.HasPrefix(end, "/") || strings.TrimSpace(end[1:]) != name {
		return b, p.wrong(start, "{{"+tag+"}} is not closed by {{/"+name+"}}")
	}
	_, raw, _ = p.tag()
	p.at += len(raw)
	return b, nil
}

package expr

import (
	"fmt"
	"strings"

	"greentic.dev/greentic/fault"
)

// piece is one part of a template.
type piece struct {
	op      string // text, var, json, default; if, unless, each, with, section, inverted, ifEq; partial
	text    string
	args    []arg // what it looks at
	then    []piece
	els     []piece
	names   []string // of each and with: as |item index|
	partial *partial
}

// partial is a template that others include; it may include itself.
type partial struct{ pieces []piece }

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
	if _, err := parsePath(inner); err != nil || inner == "else" {
		return "", false
	}
	return inner, true
}

// isKey says whether a tag names a translation; those are for the renderer of the message.
func isKey(tag string) bool { return strings.HasPrefix(tag, "i18n:") }

// templateParser reads the Handlebars subset.
type templateParser struct {
	src      string
	at       int
	strip    bool // a ~ of the tag before takes the white space here
	partials *partials
}

func (p *templateParser) wrong(at int, format string, args ...any) *fault.Error {
	line := 1 + strings.Count(p.src[:at], "\n")
	start := strings.LastIndexByte(p.src[:at], '\n') + 1
	excerpt, _, _ := strings.Cut(p.src[start:], "\n")
	return fault.Newf(fault.Invalid, "template", format, args...).At(fault.Position{Line: line, Col: at - start + 1, Excerpt: excerpt})
}

func parseTemplate(src string, known *partials) ([]piece, error) {
	p := &templateParser{src: src, partials: known}
	pieces, end, err := p.pieces(0)
	if err == nil && end.text != "" {
		err = p.wrong(end.at, "{{%s}} closes nothing", end.text)
	}
	return pieces, err
}

// tag is what stands between braces.
type tag struct {
	at, end     int
	text        string // without braces, ~ and space around it
	left, right bool   // ~ at that side
}

// tag reads the tag at p.at, which begins with {{.
func (p *templateParser) tag() (tag, error) {
	rest := p.src[p.at:]
	open, shuts := "{{", []string{"}}"}
	switch {
	case strings.HasPrefix(rest, "{{!--"), strings.HasPrefix(rest, "{{~!--"):
		open, shuts = rest[:strings.Index(rest, "--")+2], []string{"--}}", "--~}}"}
	case strings.HasPrefix(rest, "{{{"):
		open, shuts = "{{{", []string{"}}}"}
	}
	end, shut := -1, ""
	for _, one := range shuts {
		if n := strings.Index(rest[len(open):], one); n >= 0 && (end < 0 || n < end) {
			end, shut = n, one
		}
	}
	if end < 0 {
		return tag{}, p.wrong(p.at, "%s is not closed", open)
	}
	t := tag{at: p.at, end: p.at + len(open) + end + len(shut), text: "!"}
	if len(shuts) > 1 {
		t.left, t.right = strings.Contains(open, "~"), strings.Contains(shut, "~")
		return t, nil
	}
	t.text, t.left = strings.CutPrefix(rest[len(open):len(open)+end], "~")
	t.text, t.right = strings.CutSuffix(t.text, "~")
	t.text = strings.TrimSpace(t.text)
	if open == "{{" && strings.HasPrefix(t.text, "&") {
		t.text = strings.TrimSpace(t.text[1:])
	}
	return t, nil
}

// literal reads up to the next tag; \{{ is no tag.
func (p *templateParser) literal(out []piece) []piece {
	var b strings.Builder
	for p.at < len(p.src) {
		rest := p.src[p.at:]
		n := strings.Index(rest, "{{")
		if n < 0 {
			n = len(rest)
		}
		b.WriteString(rest[:n])
		if p.at += n; n == len(rest) || n == 0 || rest[n-1] != '\\' {
			break
		}
		text := b.String()
		b.Reset()
		if strings.HasSuffix(text, `\\`) { // an escaped backslash before a tag
			b.WriteString(text[:len(text)-1])
			break
		}
		b.WriteString(text[:len(text)-1])
		end := strings.Index(p.src[p.at:], "}}")
		if end < 0 {
			end = len(p.src) - p.at - 2
		}
		b.WriteString(p.src[p.at : p.at+end+2])
		p.at += end + 2
	}
	text := b.String()
	if p.strip {
		text = strings.TrimLeft(text, " \t\r\n")
		p.strip = false
	}
	if text == "" {
		return out
	}
	return append(out, piece{op: "text", text: text})
}

// take goes past a tag and does what its ~ say.
func (p *templateParser) take(t tag, out []piece) []piece {
	p.at, p.strip = t.end, t.right
	if n := len(out) - 1; t.left && n >= 0 && out[n].op == "text" {
		out[n].text = strings.TrimRight(out[n].text, " \t\r\n")
	}
	return out
}

// pieces reads up to the end of the source, a closing tag or {{else}}, which it returns unread.
func (p *templateParser) pieces(depth int) (out []piece, end tag, err error) {
	if depth > maxDepth {
		return nil, end, p.wrong(p.at, "nested deeper than %d", maxDepth)
	}
	for p.at < len(p.src) {
		if out = p.literal(out); p.at >= len(p.src) {
			break
		}
		t, err := p.tag()
		if err != nil {
			return nil, end, err
		}
		switch {
		case strings.HasPrefix(t.text, "!"):
			out = p.take(t, out)
		case isKey(t.text):
			out = append(p.take(t, out), piece{op: "text", text: "{{" + t.text + "}}"})
		case t.text == "else" || t.text == "^" || strings.HasPrefix(t.text, "else ") || strings.HasPrefix(t.text, "/"):
			if n := len(out) - 1; t.left && n >= 0 && out[n].op == "text" {
				out[n].text = strings.TrimRight(out[n].text, " \t\r\n")
			}
			return out, t, nil
		case strings.HasPrefix(t.text, "#"), strings.HasPrefix(t.text, "^"):
			out = p.take(t, out)
			block, err := p.block(t, t.text, "", depth)
			if err != nil {
				return nil, end, err
			}
			out = append(out, block)
		default:
			out = p.take(t, out)
			one, err := p.inline(t)
			if err != nil {
				return nil, end, err
			}
			out = append(out, one)
		}
	}
	return out, tag{}, nil
}

// inline reads {{path}}, {{json path}}, {{default path value}} and {{> name}}.
func (p *templateParser) inline(t tag) (piece, error) {
	if name, ok := strings.CutPrefix(t.text, ">"); ok {
		return p.include(t, strings.TrimSpace(name))
	}
	words, err := p.arguments(t, t.text)
	if err != nil {
		return piece{}, err
	}
	if len(words) == 1 {
		return piece{op: "var", args: words}, nil
	}
	switch name := words[0].name; {
	case name == "json" && len(words) == 2:
		return piece{op: "json", args: words[1:]}, nil
	case name == "default" && len(words) == 3:
		return piece{op: "default", args: words[1:]}, nil
	}
	return piece{}, p.wrong(t.at, "{{%s}}: there is no such helper", t.text).
		WithFix("write a path, json PATH, default PATH VALUE, or a block: if, unless, each, with, ifEq")
}

// include reads {{> name}} and {{> name path}}.
func (p *templateParser) include(t tag, what string) (piece, error) {
	name, way, _ := strings.Cut(what, " ")
	name = strings.Trim(name, `"'`)
	part, err := p.partials.get(name)
	if err != nil {
		return piece{}, p.wrong(t.at, "partial %s: %v", name, err)
	}
	if part == nil {
		fix := "add it under meta: { greentic: { partials: { " + name + ": TEXT } } } of the flow"
		return piece{}, p.wrong(t.at, "there is no partial %q", name).WithFix(fix)
	}
	one := piece{op: "partial", partial: part}
	if way = strings.TrimSpace(way); way != "" {
		if one.args, err = p.arguments(t, way); err == nil && len(one.args) != 1 {
			err = p.wrong(t.at, "{{%s}} includes with more than one context", t.text)
		}
	}
	return one, err
}

// block reads what follows an opening tag up to and with its closing one: {{#word path}},
// {{#path}}, {{^path}}, each with {{else}} or {{else word path}}. closer is the name that closes it;
// empty: its own.
func (p *templateParser) block(t tag, text, closer string, depth int) (piece, error) {
	b, name, err := p.opening(t, text)
	if err != nil {
		return b, err
	}
	if closer == "" {
		closer = name
	}
	var end tag
	if b.then, end, err = p.pieces(depth + 1); err != nil {
		return b, err
	}
	if word, ok := strings.CutPrefix(end.text, "else "); ok { // {{else if x}}: a block that the same tag closes
		p.take(end, nil)
		inner, err := p.block(end, "#"+word, closer, depth+1)
		b.els = []piece{inner}
		return b, err
	}
	if end.text == "else" || end.text == "^" {
		p.take(end, nil)
		if b.els, end, err = p.pieces(depth + 1); err != nil {
			return b, err
		}
	}
	return b, p.closing(t, end, closer)
}

func (p *templateParser) closing(open, end tag, name string) error {
	if word, ok := strings.CutPrefix(end.text, "/"); !ok || strings.TrimSpace(word) != name {
		return p.wrong(open.at, "{{%s}} is not closed by {{/%s}}", open.text, name)
	}
	p.take(end, nil)
	return nil
}

// opening reads an opening tag: what the block is and which name closes it.
func (p *templateParser) opening(t tag, text string) (b piece, name string, err error) {
	body := strings.TrimSpace(text[1:])
	if before, params, ok := strings.Cut(body, " as |"); ok {
		body = before
		params, closed := strings.CutSuffix(strings.TrimSpace(params), "|")
		if b.names = strings.Fields(params); !closed || len(b.names) == 0 || len(b.names) > 2 {
			return b, "", p.wrong(t.at, "{{%s}}: write as |item| or as |item index|", t.text)
		}
	}
	words, err := p.arguments(t, body)
	if err != nil {
		return b, "", err
	}
	name = words[0].name
	switch {
	case text[0] == '^' && len(words) == 1:
		b.op, b.args = "inverted", words
	case text[0] == '#' && len(words) == 1 && !isBlock(name):
		b.op, b.args = "section", words
	case text[0] == '#' && len(words) == 2 && isBlock(name) && name != "ifEq", text[0] == '#' && len(words) == 3 && name == "ifEq":
		b.op, b.args = name, words[1:]
	default:
		return b, "", p.wrong(t.at, "{{%s}} is none of #if PATH, #unless PATH, #each PATH, #with PATH, #ifEq A B, #PATH and ^PATH", t.text)
	}
	return b, name, nil
}

func isBlock(word string) bool {
	switch word {
	case "if", "unless", "each", "with", "ifEq":
		return true
	}
	return false
}

// partials compiles partials when they are first included.
type partials struct {
	source map[string]string
	ready  map[string]*partial
}

func (p *partials) get(name string) (*partial, error) {
	if p == nil {
		return nil, nil
	}
	if part, ok := p.ready[name]; ok {
		return part, nil
	}
	src, ok := p.source[name]
	if !ok {
		return nil, nil
	}
	part := &partial{}
	p.ready[name] = part // before it is parsed: it may include itself
	var err error
	if part.pieces, err = parseTemplate(src, p); err != nil {
		delete(p.ready, name)
		return nil, fmt.Errorf("%w", err)
	}
	return part, nil
}

package expr

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// arg is what a tag looks at: a path, or a literal.
type arg struct {
	name string // as it was written
	path path
	up   int  // ../ before it
	root bool // @root before it
	lit  any
	is   bool // a literal
}

// arguments reads the words of a tag.
func (p *templateParser) arguments(t tag, text string) ([]arg, error) {
	var list []arg
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		n := wordEnd(text)
		one, ok := readArg(text[:n])
		if !ok {
			return nil, p.wrong(t.at, "{{%s}}: %s is neither a path nor a literal", t.text, text[:n])
		}
		list, text = append(list, one), text[n:]
	}
	if len(list) == 0 {
		return nil, p.wrong(t.at, "{{%s}} is empty", t.text)
	}
	return list, nil
}

// wordEnd is where the first word of s ends: at white space outside of quotes.
func wordEnd(s string) int {
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote && s[i-1] != '\\' {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			return i
		}
	}
	return len(s)
}

func readArg(s string) (arg, bool) {
	a := arg{name: s, is: true}
	switch {
	case len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] && utf8.ValidString(s):
		text := strings.ReplaceAll(s[1:len(s)-1], `\`+s[:1], s[:1])
		a.lit = text
		return a, true
	case s == "true", s == "false":
		a.lit = s == "true"
		return a, true
	case s == "null":
		return a, true
	case s[0] == '-' || s[0] >= '0' && s[0] <= '9':
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			a.lit = i
			return a, true
		}
		var f float64
		if json.Unmarshal([]byte(s), &f) == nil {
			a.lit = f
			return a, true
		}
	}
	a.is = false
	for {
		rest, up := strings.CutPrefix(s, "../")
		if !up {
			break
		}
		a.up, s = a.up+1, rest
	}
	switch {
	case s == ".." || s == "." || s == "" && a.up > 0:
		if s == ".." {
			a.up++
		}
		return a, true
	case strings.HasPrefix(s, "./"):
		s = s[2:]
	case s == "@root":
		a.root = true
		return a, true
	case strings.HasPrefix(s, "@root."):
		a.root, s = true, s[len("@root."):]
	case strings.HasPrefix(s, "@../"): // of the loop around this one
		a.up, s = 1, "@"+s[len("@../"):]
	}
	way, err := parsePath(s)
	a.path = way
	return a, err == nil && a.up <= maxDepth
}

// String is the argument as it was written.
func (a arg) String() string { return a.name }

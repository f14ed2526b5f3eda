package expr

import (
	"strconv"
	"strings"

	"greentic.dev/greentic/fault"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokName
	tokNumber
	tokString
	tokSign
)

type token struct {
	kind  tokenKind
	text  string // of a string: its value
	value any    // of a number
	col   int    // 1-based, in bytes
}

const signs = "&& || == != <= >= ! < > ( ) [ ] . , ? : + - * / %"

// tokenize splits a condition. A hyphen between letters belongs to the name, as in node ids.
func tokenize(src string) ([]token, error) {
	var out []token
	all := strings.Fields(signs)
scan:
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case c == '"' || c == '\'':
			s, n, err := quoted(src[i:])
			if err != nil {
				return nil, wrong(src, i+1, err.Error())
			}
			out = append(out, token{kind: tokString, text: s, col: i + 1})
			i += n
			continue
		case c >= '0' && c <= '9':
			n := numberLength(src[i:])
			v, err := parseNumber(src[i : i+n])
			if err != nil {
				return nil, wrong(src, i+1, "not a number: "+src[i:i+n])
			}
			out = append(out, token{kind: tokNumber, text: src[i : i+n], value: v, col: i + 1})
			i += n
			continue
		case c == '_' || c >= 128 || c|32 >= 'a' && c|32 <= 'z':
			n := wordLength(src[i:])
			out = append(out, token{kind: tokName, text: src[i : i+n], col: i + 1})
			i += n
			continue
		}
		for _, s := range all {
			if strings.HasPrefix(src[i:], s) {
				out = append(out, token{kind: tokSign, text: s, col: i + 1})
				i += len(s)
				continue scan
			}
		}
		return nil, wrong(src, i+1, "unexpected "+strconv.QuoteRune(rune(c)))
	}
	return append(out, token{kind: tokEnd, col: len(src) + 1}), nil
}

func wrong(src string, col int, msg string) *fault.Error {
	return fault.Newf(fault.Invalid, "condition", "%s", msg).At(fault.Position{Line: 1, Col: col, Excerpt: src})
}

// wordLength is the length of a name; a hyphen needs a letter behind it to belong to the name.
func wordLength(s string) int {
	i := 0
	for i < len(s) {
		c := s[i]
		if c == '_' || c >= 128 || c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' {
			i++
			continue
		}
		if c == '-' && i+1 < len(s) && (s[i+1] == '_' || s[i+1]|32 >= 'a' && s[i+1]|32 <= 'z') {
			i++
			continue
		}
		break
	}
	return i
}

func numberLength(s string) int {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || s[i]|32 == 'e' ||
		i > 0 && s[i-1]|32 == 'e' && (s[i] == '-' || s[i] == '+')) {
		i++
	}
	return i
}

func parseNumber(s string) (any, error) {
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i, nil
	}
	return strconv.ParseFloat(s, 64)
}

type unclosed struct{}

func (unclosed) Error() string { return "the text has no closing quote" }

// quoted reads a text in either quote with \n, \t, \r, \\ and escaped quotes; n is its length.
func quoted(s string) (value string, n int, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), i + 1, nil
		case s[i] == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			default:
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", 0, unclosed{}
}

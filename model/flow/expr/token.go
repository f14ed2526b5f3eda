//go:build !wasip1

package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common"

	"greentic.dev/greentic/fault"
)

// source is a condition as the user wrote it, and as CEL can read it: what the ecosystem calls a
// name and CEL does not (node ids with hyphens, the root in, list.0) stands there as an identifier of ours.
type source struct {
	user    string
	cel     string
	cuts    []cut             // where user and cel drift apart, in order
	renamed map[string]string // identifier in cel: name
}

// cut says that behind byte at of cel the user's source is shift bytes further.
type cut struct{ at, shift int }

// alias begins the identifiers that stand for names CEL cannot read.
const alias = "_name"

// readNames finds the names in a condition, and leaves everything else to CEL.
func readNames(src string) source {
	s := source{user: src, renamed: map[string]string{}}
	var b strings.Builder
	operand, dot := false, false // what stands before
	for i := 0; i < len(src); {
		n := 1
		c := src[i]
		name := ""
		switch {
		case c == '"' || c == '\'':
			n = quoted(src[i:])
		case c == '/' && strings.HasPrefix(src[i:], "//"):
			n = strings.IndexByte(src[i:]+"\n", '\n')
		case c >= '0' && c <= '9' && !dot:
			n = numberLength(src[i:])
		case isLetter(c) || c >= '0' && c <= '9':
			n = wordLength(src[i:])
			if quote := i + n; quote < len(src) && (src[quote] == '"' || src[quote] == '\'') && isPrefix(src[i:quote]) {
				n += quoted(src[quote:])
				break
			}
			name = src[i : i+n]
		}
		word := src[i : i+n]
		operator := name == "in" && operand && !dot
		if name != "" && !operator && !isPlain(name, dot) {
			word = s.alias(name)
		}
		b.WriteString(word)
		if i += n; len(word) != n {
			s.cuts = append(s.cuts, cut{b.Len(), i - b.Len()})
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			operand = !operator && (n > 1 || isLetter(c) || c >= '0' && c <= '9' || c == ')' || c == ']' || c == '}')
			dot = c == '.' && n == 1
		}
	}
	s.cel = b.String()
	return s
}

func (s *source) alias(name string) string {
	for id, known := range s.renamed {
		if known == name {
			return id
		}
	}
	id := alias + strconv.Itoa(len(s.renamed))
	s.renamed[id] = name
	return id
}

// name is what the user wrote for an identifier of cel.
func (s *source) name(id string) string {
	if name, ok := s.renamed[id]; ok {
		return name
	}
	return id
}

// names gives the identifiers in a message of CEL their names back.
func (s *source) names(msg string) string {
	for id, name := range s.renamed {
		msg = strings.ReplaceAll(msg, "'"+id+"'", "'"+name+"'")
	}
	return strings.ReplaceAll(msg, "'", "")
}

// isPlain says whether CEL reads a name as an identifier.
func isPlain(name string, member bool) bool {
	switch name {
	case "true", "false", "null":
		return !member
	case "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while":
		return false
	}
	for i := range len(name) {
		if c := name[i]; c == '-' || c >= utf8.RuneSelf {
			return false
		}
	}
	return (name[0] < '0' || name[0] > '9') && !strings.HasPrefix(name, alias)
}

func isPrefix(word string) bool { return len(word) <= 2 && strings.Trim(word, "rRbB") == "" }

func isLetter(c byte) bool { return c == '_' || c >= utf8.RuneSelf || c|32 >= 'a' && c|32 <= 'z' }

// wordLength is the length of a name; a hyphen needs a letter behind it to belong to the name.
func wordLength(s string) int {
	i := 0
	for i < len(s) && (isLetter(s[i]) || s[i] >= '0' && s[i] <= '9' || s[i] == '-' && i+1 < len(s) && isLetter(s[i+1])) {
		i++
	}
	return i
}

func numberLength(s string) int {
	i := 0
	for i < len(s) && (isLetter(s[i]) || s[i] >= '0' && s[i] <= '9' || s[i] == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' ||
		i > 0 && s[i-1]|32 == 'e' && (s[i] == '-' || s[i] == '+')) {
		i++
	}
	return i
}

// quoted is the length of the text that s begins with; CEL finds what is wrong inside.
func quoted(s string) int {
	end := s[:1]
	if strings.HasPrefix(s, strings.Repeat(end, 3)) {
		end = s[:3]
	}
	for i := len(end); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], end):
			return i + len(end)
		}
	}
	return len(s)
}

// offset is the byte of the user's source that CEL means by a location. Of a call CEL names the
// bracket, people look for the function.
func (s *source) offset(at common.Location) int {
	i := 0
	for line := 1; line < at.Line(); line++ {
		i += strings.IndexByte(s.cel[i:]+"\n", '\n') + 1
	}
	for column := at.Column(); column > 0 && i < len(s.cel); column-- {
		_, n := utf8.DecodeRuneInString(s.cel[i:])
		i += n
	}
	i = min(i, len(s.cel))
	if i > 0 && i < len(s.cel) && s.cel[i] == '(' && (isLetter(s.cel[i-1]) || s.cel[i-1] >= '0' && s.cel[i-1] <= '9') {
		for i > 0 && (isLetter(s.cel[i-1]) || s.cel[i-1] >= '0' && s.cel[i-1] <= '9') {
			i--
		}
	}
	shift := 0
	for _, c := range s.cuts {
		if c.at > i {
			break
		}
		shift = c.shift
	}
	return min(i+shift, len(s.user))
}

func (s *source) position(at int) fault.Position {
	return fault.Position{Line: 1, Col: 1 + utf8.RuneCountInString(s.user[:at]), Excerpt: s.user}
}

func (s *source) wrong(at int, msg string) *fault.Error {
	return fault.Newf(fault.Invalid, "condition", "%s", msg).At(s.position(at))
}

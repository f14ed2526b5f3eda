package source

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// MaxBytes is how long a source may be.
	MaxBytes   = 4 << 20
	maxTokens  = 64_000 // the YAML parser's time grows with their square: about a second here
	maxNesting = 100
)

// Pos is a place in a source, 1-based; zero when it is not known.
type Pos struct{ Line, Col int }

// Value is a YAML value with its place. Maps keep their order in Fields.
type Value struct {
	Pos    Pos
	At     string // JSON pointer
	Plain  any    // JSON-like: map[string]any, []any, string, int64, uint64, float64, bool, nil
	Fields []Field
	Items  []*Value
	Quoted bool // a text in quotes: its content begins one column later
}

// Field is one entry of a map; Pos is the place of its key.
type Field struct {
	Key string
	Pos Pos
	*Value
}

// Finding is one thing that keeps a text from being a document.
type Finding struct {
	Pos     Pos
	At      string // JSON pointer, when it is known
	Fix     string
	Message string
}

// Field is the value under key, or nil; also of a nil value and of what is no map.
func (v *Value) Field(key string) *Value {
	if v == nil {
		return nil
	}
	for _, f := range v.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// IsMap says whether the value is a map.
func (v *Value) IsMap() bool {
	_, ok := v.Plain.(map[string]any)
	return ok
}

// Keys are the keys of a map in the order of the document; nil for anything else.
func (v *Value) Keys() []string {
	if v == nil {
		return nil
	}
	var keys []string
	for _, f := range v.Fields {
		keys = append(keys, f.Key)
	}
	return keys
}

// Place is the value way (keys, and indexes of lists) leads to, or the nearest above it, with the place of its key.
func (v *Value) Place(way []string) (Pos, *Value) {
	pos := v.Pos
	for _, key := range way {
		if n, err := strconv.Atoi(key); err == nil && n >= 0 && n < len(v.Items) {
			pos, v = v.Items[n].Pos, v.Items[n]
			continue
		}
		i := slices.IndexFunc(v.Fields, func(f Field) bool { return f.Key == key })
		if i < 0 {
			break
		}
		pos, v = v.Fields[i].Pos, v.Fields[i].Value
	}
	return pos, v
}

// Read parses one YAML document with JSON-like values: no anchors, aliases, merge keys or tags. With
// findings the value is nil or incomplete.
func Read(src []byte) (*Value, []Finding) {
	r := &reader{}
	if len(src) > MaxBytes {
		r.report(Pos{}, "", "split the flow", "the flow is longer than %d bytes", MaxBytes)
		return nil, r.found
	}
	r.lines = strings.Split(string(src), "\n")
	return r.document(src), r.found
}

// reader reads one document.
type reader struct {
	lines []string
	found []Finding
}

func (r *reader) report(p Pos, at, fix, format string, args ...any) {
	r.found = append(r.found, Finding{p, at, fix, fmt.Sprintf(format, args...)})
}

func (r *reader) line(n int) string {
	if n < 1 || n > len(r.lines) {
		return ""
	}
	return strings.TrimSuffix(r.lines[n-1], "\r")
}

func (r *reader) document(src []byte) (v *Value) {
	defer func() {
		if p := recover(); p != nil { // the YAML parser, on hostile input
			r.report(Pos{}, "", "", "the document is not YAML")
			v = nil
		}
	}()
	tokens := lexer.Tokenize(string(src))
	if !r.parseable(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		r.reportYAML(err)
		return nil
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType && d.Body.Type() != ast.CommentGroupType {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) != 1 {
		r.report(Pos{}, "", "", "a flow is one YAML document, not %d", len(bodies))
		return nil
	}
	return r.convert(bodies[0], "", 0)
}

// parseable keeps from the recursive parser what would cost it too much time or stack.
func (r *reader) parseable(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		r.report(Pos{}, "", "split the flow", "the flow has more than %d words and marks", maxTokens)
		return false
	}
	depth, run := 0, 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth = max(depth-1, 0)
		case token.SequenceEntryType, token.MappingKeyType, token.TagType:
			run++
		default:
			run = 0
		}
		if depth > maxNesting || run > maxNesting {
			r.report(Pos{t.Position.Line, t.Position.Column}, "", "", "nested deeper than %d", maxNesting)
			return false
		}
	}
	return true
}

var yamlPlace = regexp.MustCompile(`^\[(\d+):(\d+)\] (.*)`)

func (r *reader) reportYAML(err error) {
	first, _, _ := strings.Cut(err.Error(), "\n")
	var p Pos
	if m := yamlPlace.FindStringSubmatch(first); m != nil {
		_, _ = fmt.Sscan(m[1], &p.Line)
		_, _ = fmt.Sscan(m[2], &p.Col)
		first = m[3]
	}
	fix := ""
	if strings.Contains(r.line(p.Line), "{{") {
		fix = "put templates in quotes"
	}
	r.report(p, "", fix, "%s", first)
}

func place(n ast.Node) Pos {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return Pos{t.Position.Line, t.Position.Column}
	}
	return Pos{}
}

func (r *reader) convert(n ast.Node, at string, depth int) *Value {
	v := &Value{At: at}
	if n == nil {
		return v
	}
	v.Pos = place(n)
	if depth > maxNesting {
		r.report(v.Pos, at, "", "nested deeper than %d", maxNesting)
		return v
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		r.convertMap(v, n.Values, depth)
	case *ast.MappingValueNode:
		r.convertMap(v, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := []any{}
		for i, item := range n.Values {
			child := r.convert(item, fmt.Sprintf("%s/%d", at, i), depth+1)
			v.Items, list = append(v.Items, child), append(list, child.Plain)
		}
		v.Plain = list
	case *ast.StringNode:
		v.Plain = n.Value
		line := r.line(v.Pos.Line)
		v.Quoted = v.Pos.Col >= 1 && v.Pos.Col <= len(line) && strings.IndexByte(`"'`, line[v.Pos.Col-1]) >= 0
	case *ast.LiteralNode:
		v.Plain = n.Value.Value
	case *ast.IntegerNode:
		v.Plain = n.Value
		if u, ok := n.Value.(uint64); ok && u <= math.MaxInt64 {
			v.Plain = int64(u)
		}
	case *ast.FloatNode:
		v.Plain = n.Value
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			r.report(v.Pos, at, "", "the number has no JSON form")
		}
	case *ast.BoolNode:
		v.Plain = n.Value
	case *ast.NullNode, *ast.CommentGroupNode:
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		r.report(v.Pos, at, "write the value out", "anchors, aliases and merge keys are not allowed")
	default:
		r.report(v.Pos, at, "", "%s is not allowed in a flow", strings.ToLower(n.Type().String()))
	}
	return v
}

func (r *reader) convertMap(v *Value, values []*ast.MappingValueNode, depth int) {
	plain := map[string]any{}
	for _, f := range values {
		pos := place(f.Key)
		var key string
		switch k := f.Key.(type) {
		case *ast.StringNode:
			key = k.Value
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
			key = k.GetToken().Value
		default:
			fix := "write the value out"
			if bytes.Contains([]byte(r.line(pos.Line)), []byte("{{")) {
				fix = "put templates in quotes"
			}
			r.report(pos, v.At, fix, "a key must be a plain text")
			continue
		}
		at := v.At + "/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
		if _, double := plain[key]; double {
			r.report(pos, at, "rename or remove one", "the key %q stands twice", key)
			continue
		}
		child := r.convert(f.Value, at, depth+1)
		if child.Pos == (Pos{}) {
			child.Pos = pos
		}
		plain[key] = child.Plain
		v.Fields = append(v.Fields, Field{key, pos, child})
	}
	if len(values) > 0 {
		v.Pos = place(values[0].Key)
	}
	v.Plain = plain
}

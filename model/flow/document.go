package flow

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxSource  = 4 << 20 // bytes
	maxTokens  = 64_000  // the YAML parser's time grows with their square: about a second here
	maxNesting = 100
)

// value is a YAML value with its place. Maps keep their order in fields.
type value struct {
	pos    Pos
	at     string // JSON pointer
	plain  any    // JSON-like: map[string]any, []any, string, int64, uint64, float64, bool, nil
	fields []field
	items  []*value
	quoted bool // a text in quotes: its content begins one column later
}

type field struct {
	key string
	pos Pos
	*value
}

func (v *value) field(key string) *value {
	if v == nil {
		return nil
	}
	for _, f := range v.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

func (v *value) isMap() bool {
	_, ok := v.plain.(map[string]any)
	return ok
}

// readDocument parses one YAML document; what it refuses is reported with class Yaml.
func (c *compiler) readDocument(src []byte) (v *value) {
	if len(src) > maxSource {
		c.report(Pos{}, "", "Yaml", "split the flow", "the flow is longer than %d bytes", maxSource)
		return nil
	}
	defer func() {
		if r := recover(); r != nil { // the YAML parser, on hostile input
			c.report(Pos{}, "", "Yaml", "", "the document is not YAML")
			v = nil
		}
	}()
	tokens := lexer.Tokenize(string(src))
	if !c.parseable(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		c.reportYAML(err)
		return nil
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType && d.Body.Type() != ast.CommentGroupType {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) != 1 {
		c.report(Pos{}, "", "Yaml", "", "a flow is one YAML document, not %d", len(bodies))
		return nil
	}
	return c.convert(bodies[0], "", 0)
}

// parseable keeps from the recursive parser what would cost it too much time or stack.
func (c *compiler) parseable(tokens token.Tokens) bool {
	if len(tokens) > maxTokens {
		c.report(Pos{}, "", "Yaml", "split the flow", "the flow has more than %d words and marks", maxTokens)
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
			c.report(Pos{t.Position.Line, t.Position.Column}, "", "Yaml", "", "nested deeper than %d", maxNesting)
			return false
		}
	}
	return true
}

var yamlPlace = regexp.MustCompile(`^\[(\d+):(\d+)\] (.*)`)

func (c *compiler) reportYAML(err error) {
	first, _, _ := strings.Cut(err.Error(), "\n")
	var p Pos
	if m := yamlPlace.FindStringSubmatch(first); m != nil {
		_, _ = fmt.Sscan(m[1], &p.Line)
		_, _ = fmt.Sscan(m[2], &p.Col)
		first = m[3]
	}
	fix := ""
	if strings.Contains(c.excerpt(p.Line), "{{") {
		fix = "put templates in quotes"
	}
	c.report(p, "", "Yaml", fix, "%s", first)
}

func place(n ast.Node) Pos {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return Pos{t.Position.Line, t.Position.Column}
	}
	return Pos{}
}

func (c *compiler) convert(n ast.Node, at string, depth int) *value {
	v := &value{at: at}
	if n == nil {
		return v
	}
	v.pos = place(n)
	if depth > maxNesting {
		c.report(v.pos, at, "Yaml", "", "nested deeper than %d", maxNesting)
		return v
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		c.convertMap(v, n.Values, depth)
	case *ast.MappingValueNode:
		c.convertMap(v, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		list := []any{}
		for i, item := range n.Values {
			child := c.convert(item, fmt.Sprintf("%s/%d", at, i), depth+1)
			v.items, list = append(v.items, child), append(list, child.plain)
		}
		v.plain = list
	case *ast.StringNode:
		v.plain = n.Value
		line := c.excerpt(v.pos.Line)
		v.quoted = v.pos.Col >= 1 && v.pos.Col <= len(line) && strings.IndexByte(`"'`, line[v.pos.Col-1]) >= 0
	case *ast.LiteralNode:
		v.plain = n.Value.Value
	case *ast.IntegerNode:
		v.plain = n.Value
		if u, ok := n.Value.(uint64); ok && u <= math.MaxInt64 {
			v.plain = int64(u)
		}
	case *ast.FloatNode:
		v.plain = n.Value
		if math.IsInf(n.Value, 0) || math.IsNaN(n.Value) {
			c.report(v.pos, at, "Yaml", "", "the number has no JSON form")
		}
	case *ast.BoolNode:
		v.plain = n.Value
	case *ast.NullNode, *ast.CommentGroupNode:
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		c.report(v.pos, at, "Yaml", "write the value out", "anchors, aliases and merge keys are not allowed")
	default:
		c.report(v.pos, at, "Yaml", "", "%s is not allowed in a flow", strings.ToLower(n.Type().String()))
	}
	return v
}

func (c *compiler) convertMap(v *value, values []*ast.MappingValueNode, depth int) {
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
			if bytes.Contains([]byte(c.excerpt(pos.Line)), []byte("{{")) {
				fix = "put templates in quotes"
			}
			c.report(pos, v.at, "Yaml", fix, "a key must be a plain text")
			continue
		}
		at := v.at + "/" + strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
		if _, double := plain[key]; double {
			c.report(pos, at, "Yaml", "rename or remove one", "the key %q stands twice", key)
			continue
		}
		child := c.convert(f.Value, at, depth+1)
		if child.pos == (Pos{}) {
			child.pos = pos
		}
		plain[key] = child.plain
		v.fields = append(v.fields, field{key, pos, child})
	}
	if len(values) > 0 {
		v.pos = place(values[0].Key)
	}
	v.plain = plain
}

package system

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// entry is one leaf of greentic.yaml: nested keys joined by dots, lists joined by commas.
type entry struct {
	key, value string
	pos        fault.Position
}

func parseFile(name string, src []byte) ([]entry, error) {
	p := fileParser{name: name, lines: strings.Split(string(src), "\n")}
	file, err := parser.ParseBytes(src, 0)
	if wrong := yaml.Error(nil); errors.As(err, &wrong) {
		return nil, fault.Newf(fault.Invalid, "config", "not YAML: %s", wrong.GetMessage()).At(p.position(wrong.GetToken()))
	}
	if err != nil {
		return nil, fault.As(fault.Invalid, "config "+name, err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if err := p.walk("", doc.Body); err != nil {
			return nil, err
		}
	}
	return p.entries, nil
}

type fileParser struct {
	name    string
	lines   []string
	entries []entry
}

func (p *fileParser) at(n ast.Node) fault.Position { return p.position(n.GetToken()) }

func (p *fileParser) position(t *token.Token) fault.Position {
	pos := fault.Position{File: p.name}
	if t != nil && t.Position != nil {
		pos.Line, pos.Col = t.Position.Line, t.Position.Column
		if pos.Line >= 1 && pos.Line <= len(p.lines) {
			pos.Excerpt = p.lines[pos.Line-1]
		}
	}
	return pos
}

func (p *fileParser) walk(prefix string, n ast.Node) error {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			if err := p.walk(prefix, v); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		key := n.Key.GetToken().Value
		if prefix != "" {
			key = prefix + "." + key
		}
		switch v := n.Value.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			return p.walk(key, v)
		case *ast.SequenceNode:
			var items []string
			for _, item := range v.Values {
				items = append(items, item.GetToken().Value)
			}
			p.entries = append(p.entries, entry{key, strings.Join(items, ","), p.at(n.Key)})
		case *ast.NullNode:
			p.entries = append(p.entries, entry{key, "", p.at(n.Key)})
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			p.entries = append(p.entries, entry{key, v.GetToken().Value, p.at(n.Key)})
		default:
			return fault.Newf(fault.Invalid, "config", "%s must be a value, a list or a map", key).At(p.at(n.Key))
		}
		return nil
	}
	return fault.New(fault.Invalid, "config", "the document must be a map of settings").At(p.at(n))
}

func unknownKey(e entry, all []setting) error {
	var keys []string
	for _, s := range all {
		keys = append(keys, s.key)
	}
	err := fault.Newf(fault.Invalid, "config", "unknown key %q", e.key).At(e.pos)
	if near := nearest.Word(e.key, keys); near != "" {
		return err.WithFix("did you mean " + near + "?")
	}
	return err.WithFix("greentic config explain lists every key")
}

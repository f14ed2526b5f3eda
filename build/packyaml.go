package build

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
	"greentic.dev/model/component"
)

const packFile = "pack.yaml"

// project is pack.yaml (formats digest 4.7).
type project struct {
	PackID       string             `yaml:"pack_id"`
	Version      string             `yaml:"version"`
	Kind         string             `yaml:"kind"`
	Publisher    string             `yaml:"publisher"`
	Name         string             `yaml:"name"`
	Bootstrap    map[string]any     `yaml:"bootstrap"`
	Components   []projectComponent `yaml:"components"`
	Dependencies []struct {
		Alias                string   `yaml:"alias"`
		PackID               string   `yaml:"pack_id"`
		VersionReq           string   `yaml:"version_req"`
		RequiredCapabilities []string `yaml:"required_capabilities"`
	} `yaml:"dependencies"`
	Flows []struct {
		ID          string   `yaml:"id"`
		File        string   `yaml:"file"`
		Tags        []string `yaml:"tags"`
		Entrypoints []string `yaml:"entrypoints"`
	} `yaml:"flows"`
	Assets []struct {
		Path string `yaml:"path"`
	} `yaml:"assets"`
	Capabilities []struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
	} `yaml:"capabilities"`
	Extensions map[string]any `yaml:"extensions"`
	Agents     map[string]any `yaml:"agents"`

	name string // for messages
	file *ast.File
	src  string
}

// projectComponent is one component of pack.yaml. What it leaves out comes from the
// component.manifest.json beside the code.
type projectComponent struct {
	ID            string                   `yaml:"id"`
	Version       string                   `yaml:"version"`
	World         string                   `yaml:"world"`
	Supports      []string                 `yaml:"supports"`
	Profiles      *component.Profiles      `yaml:"profiles"`
	Capabilities  *component.Capabilities  `yaml:"capabilities"`
	Wasm          string                   `yaml:"wasm"`
	Operations    []component.Operation    `yaml:"operations"`
	ConfigSchema  any                      `yaml:"config_schema"`
	Resources     *component.Resources     `yaml:"resources"`
	Configurators *component.Configurators `yaml:"configurators"`
}

// parseProject reads pack.yaml, shown in messages as name: no unknown or duplicate keys, no
// anchors. The error is fault.Invalid with position and fix.
func parseProject(name string, src []byte) (*project, error) {
	p := &project{name: name, src: string(src)}
	for _, t := range lexer.Tokenize(p.src) {
		if t.Type == token.AnchorType || t.Type == token.AliasType || t.Type == token.MergeKeyType {
			return nil, p.failAt(t, "anchors and aliases are not allowed").WithFix("write the value out")
		}
	}
	var err error
	if p.file, err = parser.ParseBytes(src, 0); err != nil {
		return nil, p.yamlError(err)
	}
	for _, doc := range p.file.Docs {
		if err := p.known(doc.Body, reflect.TypeFor[project]()); err != nil {
			return nil, err
		}
	}
	if err := yaml.UnmarshalWithOptions(src, p, yaml.Strict()); err != nil {
		return nil, p.yamlError(err)
	}
	for _, need := range [...]struct{ key, value string }{{"pack_id", p.PackID}, {"version", p.Version}} {
		if need.value == "" {
			return nil, p.fail("$", "%s is missing", need.key).WithFix("add " + need.key + " to " + packFile)
		}
	}
	if err := component.CheckVersion(p.Version); err != nil {
		return nil, p.fail("$.version", "%v", err)
	}
	if p.Kind == "" {
		p.Kind = "application"
	}
	if kinds := []string{"application", "provider", "infrastructure", "library"}; !slices.Contains(kinds, p.Kind) {
		return nil, p.fail("$.kind", "kind %q is not one of %s", p.Kind, strings.Join(kinds, ", "))
	}
	if p.Extensions["greentic.components"] != nil {
		err := p.fail("$.extensions", "extension greentic.components: components are not fetched while building").
			WithFix("put the code into the folder and list it under components")
		err.Kind = fault.Unsupported
		return nil, err
	}
	return p, nil
}

func (p *project) yamlError(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return fault.As(fault.Invalid, "pack build "+p.name, err)
	}
	return p.failAt(e.GetToken(), "%s", e.GetMessage())
}

// known refuses keys that the type beside a node has no field for; what is a map or any holds
// anything.
func (p *project) known(node ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.MappingValueNode:
		return p.known(&ast.MappingNode{Values: []*ast.MappingValueNode{n}}, t)
	case *ast.MappingNode:
		if t.Kind() != reflect.Struct {
			return nil
		}
		fields := map[string]reflect.Type{}
		for i := range t.NumField() {
			tag := t.Field(i).Tag.Get("yaml")
			if tag == "" {
				tag = t.Field(i).Tag.Get("json")
			}
			if name, _, _ := strings.Cut(tag, ","); name != "" {
				fields[name] = t.Field(i).Type
			}
		}
		for _, v := range n.Values {
			key := v.Key.GetToken()
			field, ok := fields[key.Value]
			if !ok {
				return p.failAt(key, "unknown key %q", key.Value).WithFix(didYouMean(key.Value, slices.Sorted(maps.Keys(fields))))
			}
			if err := p.known(v.Value, field); err != nil {
				return err
			}
		}
	case *ast.SequenceNode:
		for _, v := range n.Values {
			if t.Kind() == reflect.Slice {
				if err := p.known(v, t.Elem()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func didYouMean(word string, words []string) string {
	if best := nearest.Word(word, words); best != "" {
		return "did you mean " + best + "?"
	}
	return "known are " + strings.Join(words, ", ")
}

// fail is an error at the value that a YAML path names.
func (p *project) fail(path, format string, args ...any) *fault.Error {
	var t *token.Token
	if q, err := yaml.PathString(path); err == nil && p.file != nil {
		if node, err := q.FilterFile(p.file); err == nil {
			t = node.GetToken()
		}
	}
	return p.failAt(t, format, args...)
}

func (p *project) failAt(t *token.Token, format string, args ...any) *fault.Error {
	pos := fault.Position{File: p.name, Line: 1}
	if t != nil && t.Position != nil {
		pos.Line, pos.Col = t.Position.Line, t.Position.Column
	}
	pos.Excerpt = excerpt(p.src, pos.Line)
	return fault.Newf(fault.Invalid, "pack build", format, args...).At(pos)
}

func excerpt(src string, line int) string {
	lines := strings.Split(src, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[line-1], "\r")
}

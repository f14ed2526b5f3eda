package componenttest

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// Ending is how the names of test files end.
const Ending = ".componenttest.yaml"

const (
	maxFile  = 1 << 20 // bytes
	maxCases = 1000
)

// Suite is one test file.
type Suite struct {
	File  string // for messages
	Cases []Case

	src string
}

// Case is one call. What it leaves out is empty: no secrets, no state, no HTTP, and the clock at
// 2026-01-01T00:00:00Z.
type Case struct {
	Name    string            `yaml:"name"`
	Op      string            `yaml:"op"`
	Input   any               `yaml:"input"`
	Config  map[string]any    `yaml:"config"`
	Secrets map[string]string `yaml:"secrets"`
	State   map[string]any    `yaml:"state"`
	HTTP    []Exchange        `yaml:"http"`
	Now     string            `yaml:"now"` // RFC 3339
	Tenant  Tenant            `yaml:"tenant"`

	Output     ast.Node       `yaml:"output"`   // exactly this
	Contains   ast.Node       `yaml:"contains"` // at least this
	Error      *Failure       `yaml:"error"`
	StateAfter map[string]any `yaml:"state_after"` // exactly this under these keys; null: nothing
	Logs       []string       `yaml:"logs"`        // each is part of a line

	line int
}

// Tenant is for whom a case runs.
type Tenant struct {
	ID     string `yaml:"id"` // "test" when empty
	Team   string `yaml:"team"`
	User   string `yaml:"user"`
	Locale string `yaml:"locale"`
}

// Failure is an error that a case expects. Fields left out are not compared; a message is part of the
// component's.
type Failure struct {
	Code      string `yaml:"code"`
	Message   string `yaml:"message"`
	Retryable *bool  `yaml:"retryable"`
	BackoffMS *int64 `yaml:"backoff_ms"`
}

// Exchange is one request a component makes and its answer, in the order of the list.
type Exchange struct {
	Request struct {
		Method  string            `yaml:"method"` // GET when empty
		URL     string            `yaml:"url"`
		Headers map[string]string `yaml:"headers"` // at least these
		JSON    any               `yaml:"json"`    // the body holds at least this
		Body    *string           `yaml:"body"`    // exactly this
	} `yaml:"request"`
	Response struct {
		Status  int               `yaml:"status"` // 200 when 0
		Headers map[string]string `yaml:"headers"`
		JSON    any               `yaml:"json"`
		Body    string            `yaml:"body"`
	} `yaml:"response"`
	Unavailable bool `yaml:"unavailable"` // nobody answers
}

// Find lists the test files of a folder, sorted; a file is itself.
func Find(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.As(fault.NotFound, "component test", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := filepath.Glob(filepath.Join(path, "*"+Ending))
	if err != nil || len(files) == 0 {
		return nil, fault.Newf(fault.NotFound, "component test", "there is no *%s in %s", Ending, path).
			WithFix("write one: cases: [{name: works, op: OPERATION, input: {}, output: {}}]")
	}
	return files, nil
}

// Read reads a test file. The error is fault.Invalid with position and fix, or fault.Unavailable.
func Read(file string) (*Suite, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fault.As(fault.Unavailable, "component test", err)
	}
	return Parse(file, src)
}

// Parse is Read of the text of a file.
func Parse(file string, src []byte) (*Suite, error) {
	s := &Suite{File: file, src: string(src)}
	if len(src) > maxFile {
		return nil, fault.Newf(fault.Exhausted, "component test "+file, "it has %d bytes, more than %d", len(src), maxFile)
	}
	for _, t := range lexer.Tokenize(s.src) {
		if t.Type == token.AnchorType || t.Type == token.AliasType || t.Type == token.MergeKeyType {
			return nil, s.failAt(t, "anchors and aliases are not allowed").WithFix("write the value out")
		}
	}
	var doc struct {
		Cases []ast.Node `yaml:"cases"`
	}
	if err := yaml.UnmarshalWithOptions(src, &doc, yaml.Strict()); err != nil {
		return nil, s.yamlError(err)
	}
	if len(doc.Cases) == 0 || len(doc.Cases) > maxCases {
		return nil, s.failAt(nil, "it has %d cases, want 1 to %d", len(doc.Cases), maxCases).WithFix("cases: [{name: works, op: OPERATION, input: {}, output: {}}]")
	}
	for _, node := range doc.Cases {
		var c Case
		if err := yaml.NodeToValue(node, &c, yaml.Strict()); err != nil {
			return nil, s.yamlError(err)
		}
		first := firstToken(node)
		if c.line = first.Position.Line; c.Name == "" {
			return nil, s.failAt(first, "a case has no name").WithFix("add name, a promise in words")
		}
		if c.Output == nil && c.Contains == nil && c.Error == nil && c.StateAfter == nil && c.Logs == nil {
			return nil, s.failAt(first, "the case %q expects nothing", c.Name).WithFix("add output, contains, error, state_after or logs")
		}
		if c.Error != nil && (c.Output != nil || c.Contains != nil) {
			return nil, s.failAt(first, "the case %q expects both an output and an error", c.Name).WithFix("keep one")
		}
		s.Cases = append(s.Cases, c)
	}
	return s, nil
}

// firstToken is where the first key of a mapping stands; that of the mapping itself is its colon.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

func (s *Suite) yamlError(err error) error {
	var e yaml.Error
	if !errors.As(err, &e) {
		return fault.As(fault.Invalid, "component test "+s.File, err)
	}
	out := s.failAt(e.GetToken(), "%s", e.GetMessage())
	if m := unknownField.FindStringSubmatch(e.GetMessage()); m != nil {
		out.Msg = "unknown key " + m[1]
		all := keys(reflect.TypeFor[Case](), nil)
		if near := nearest.Word(m[1], all); near != "" {
			return out.WithFix("did you mean " + near + "?")
		}
		return out.WithFix("known are " + strings.Join(all, ", "))
	}
	return out
}

// keys are the keys of a struct and of those in it.
func keys(t reflect.Type, all []string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return all
	}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" && !slices.Contains(all, name) {
			all = keys(t.Field(i).Type, append(all, name))
		}
	}
	return all
}

func (s *Suite) failAt(t *token.Token, format string, args ...any) *fault.Error {
	pos := fault.Position{File: s.File, Line: 1}
	if t != nil && t.Position != nil {
		pos.Line, pos.Col = t.Position.Line, t.Position.Column
	}
	if lines := strings.Split(s.src, "\n"); pos.Line <= len(lines) {
		pos.Excerpt = strings.TrimRight(lines[pos.Line-1], "\r")
	}
	return fault.Newf(fault.Invalid, "component test", format, args...).At(pos)
}

package link_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	wire "greentic.dev/wasm/binary"
	"greentic.dev/wasm/core"
	"greentic.dev/wasm/link"
)

// TestReferenceScriptsAgree runs .wast scripts converted by `wasm-tools json-from-wast`, each
// into a folder of its own as script.json with the binaries beside it. GREENTIC_WAST names the
// folder above them all. What this host refuses by name (Unsupported) and what then depends on
// it is counted apart. Scripts call one instance several times, so they run below Invoke, which
// never does that.
func TestReferenceScriptsAgree(t *testing.T) {
	root := os.Getenv("GREENTIC_WAST")
	if root == "" {
		t.Skip("GREENTIC_WAST is not set")
	}
	var table strings.Builder
	var total wastCount
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "script.json" {
			return err
		}
		name, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		t.Run(name, func(t *testing.T) {
			s := runScript(t, path)
			fmt.Fprintf(&table, "%s\t%s\n", name, s.count)
			for _, reason := range s.reasons {
				t.Log(reason)
			}
			for _, failure := range s.failures {
				t.Error(failure)
			}
			total.add(s.count)
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("file\tpassed\trefused by name\tskipped\totherwise by choice\tfailed\n%sall\t%s", table.String(), total)
}

// wastCount is how the directives of a script ended.
type wastCount struct{ passed, refused, skipped, otherwise, failed int }

func (c wastCount) String() string {
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d", c.passed, c.refused, c.skipped, c.otherwise, c.failed)
}

func (c *wastCount) add(o wastCount) {
	c.passed += o.passed
	c.refused += o.refused
	c.skipped += o.skipped
	c.otherwise += o.otherwise
	c.failed += o.failed
}

// wastCommand is one directive as json-from-wast writes it.
type wastCommand struct {
	Type       string
	Line       int
	Name       string
	Module     string
	Instance   string
	Filename   string
	ModuleType string `json:"module_type"`
	Binary     string `json:"binary_filename"`
	Text       string
	Action     struct {
		Type, Module, Field string
		Args                []json.RawMessage
	}
	Expected []json.RawMessage
}

// wastScript is a script being run.
type wastScript struct {
	dir      string
	engine   *core.Engine
	hosts    *link.Hosts
	defined  map[string]wastDefinition
	current  *link.Session
	absent   string // why there is no current instance
	count    wastCount
	reasons  []string
	failures []string
}

// wastDefinition is a component, or why there is none.
type wastDefinition struct {
	program *link.Program
	absent  string
}

// otherwise is where this host does not do what a script wants, by choice: a part of the path
// of the script, a part of what it wants, and why.
var otherwise = [][3]string{
	{"/trap-on-reenter/", "cannot enter component instance", "the text of the specification lets a component and its children call each other"},
	{"/adapter/", "cannot enter component instance", "the text of the specification lets a component call itself"},
	{"/implements-disabled/", "not active", "the attribute is in the text of the specification; nothing gates it here"},
	{"", "is a reexport of an imported function", "Wasmtime lacks it; here the function of the host is called through"},
	{"", "exporting a component from the root component", "Wasmtime lacks it; here it is reflected by nothing and cannot be called"},
	{"", "mismatched resource types", "a host has one resource per name; which of them are equal is what the component says"},
	{"/import/", "expected instance found func", "an instance without functions always links"},
	{"/resources/", "was not found", "a resource without functions always links"},
	{"/resources/", "expected resource found func", "a resource without functions always links"},
	{"/strings/", "unaligned pointer", "a string that a guest tagged as UTF-16 although it is all Latin-1 goes on as Latin-1"},
}

func whyOtherwise(path, text string) string {
	for _, o := range otherwise {
		if strings.Contains(filepath.ToSlash(path), o[0]) && strings.Contains(text, o[1]) {
			return o[2]
		}
	}
	return ""
}

// skipReason is why a directive says nothing about this host.
type skipReason string

func (r skipReason) Error() string { return string(r) }

func runScript(t *testing.T, path string) *wastScript {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var script struct{ Commands []wastCommand }
	if err := json.Unmarshal(text, &script); err != nil {
		t.Fatal(err)
	}
	e, err := core.New(context.Background(), core.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &wastScript{dir: filepath.Dir(path), engine: e, hosts: wastHosts(), defined: map[string]wastDefinition{}, absent: "nothing is instantiated"}
	defer func() {
		s.leave("")
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range script.Commands {
		err := s.run(c)
		at := fmt.Sprintf("line %d %s", c.Line, c.Type)
		switch reason := (*skipReason)(nil); {
		case err == nil:
			s.count.passed++
		case asReason(err, &reason):
			s.count.skipped++
			s.reasons = append(s.reasons, at+": skipped: "+err.Error())
		case fault.Is(err, fault.Unsupported):
			s.count.refused++
			s.reasons = append(s.reasons, at+": refused: "+err.Error())
		case whyOtherwise(path, c.Text) != "":
			s.count.otherwise++
			s.reasons = append(s.reasons, at+": otherwise: "+err.Error()+": "+whyOtherwise(path, c.Text))
		default:
			s.count.failed++
			s.failures = append(s.failures, at+": "+err.Error())
		}
	}
	return s
}

// orNil is r as an error, which it is unless it is nil.
func (r *skipReason) orNil() error {
	if r == nil || *r == "" {
		return nil
	}
	return *r
}

func asReason(err error, to **skipReason) bool {
	r, ok := err.(skipReason)
	*to = &r
	return ok
}

func (s *wastScript) run(c wastCommand) error {
	switch c.Type {
	case "module_definition":
		_, err := s.define(c)
		return err
	case "module":
		d, err := s.define(c)
		if err != nil {
			s.leave(d.absent)
			return err
		}
		return s.instantiate(d)
	case "module_instance":
		return s.instantiate(s.defined[c.Module])
	case "assert_invalid", "assert_malformed":
		_, err := s.compile(c)
		return wantRefused(err, c.Text)
	case "assert_unlinkable":
		program, err := s.compile(c)
		if err == nil {
			_, err = program.Bind(s.hosts)
		}
		return wantRefused(err, c.Text)
	case "assert_uninstantiable":
		program, err := s.compile(c)
		if err != nil {
			return err
		}
		return wantTrap(s.instantiate(wastDefinition{program: program}), c.Text)
	case "action":
		_, _, err := s.invoke(c)
		return err
	case "assert_return":
		got, f, err := s.invoke(c)
		if err != nil {
			return err
		}
		return compareWast(c, f, got)
	case "assert_trap", "assert_exhaustion":
		_, _, err := s.invoke(c)
		return wantTrap(err, c.Text)
	}
	return skipReason("the runner does not know this directive")
}

// compile reads the binary of a directive.
func (s *wastScript) compile(c wastCommand) (*link.Program, error) {
	file := c.Filename
	if c.ModuleType == "text" {
		if file = c.Binary; file == "" {
			return nil, skipReason("text format")
		}
	}
	code, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		return nil, err
	}
	if len(code) > 8 && code[4] == 1 && code[6] == 0 {
		return nil, skipReason("core module")
	}
	decoded, err := wire.Decode(code, wire.Limits{})
	if err != nil {
		return nil, err
	}
	plan, err := link.NewPlan(decoded, wire.Limits{})
	if err != nil {
		return nil, err
	}
	return link.Compile(context.Background(), s.engine, plan)
}

func (s *wastScript) define(c wastCommand) (wastDefinition, error) {
	program, err := s.compile(c)
	d := wastDefinition{program: program}
	if err != nil {
		d.absent = "its component was refused"
	}
	s.defined[c.Name] = d
	return d, err
}

// leave ends the current instance.
func (s *wastScript) leave(why string) {
	if s.current != nil {
		s.current.End()
	}
	s.current, s.absent = nil, why
}

// instantiate makes d the current instance and lets it start.
func (s *wastScript) instantiate(d wastDefinition) error {
	s.leave(d.absent)
	if d.program == nil {
		return skipReason(d.absent)
	}
	b, err := d.program.Bind(s.hosts)
	if err != nil {
		s.absent = "its imports are not supplied"
		return err
	}
	limits := link.Limits{Memory: 32 << 30, Payload: 64 << 20, Handles: 1 << 20, HostCalls: 1 << 20, Depth: 10_000}
	if s.current, err = b.Session(context.Background(), limits); err != nil {
		s.absent = "it did not start"
	}
	return err
}

func (s *wastScript) invoke(c wastCommand) (any, *wire.Func, error) {
	if s.current == nil {
		return nil, nil, skipReason(s.absent)
	}
	if c.Action.Type != "invoke" || c.Action.Module != "" {
		return nil, nil, skipReason("action " + c.Action.Type)
	}
	f, ok := s.current.Func(c.Action.Field)
	if !ok {
		return nil, nil, fault.Newf(fault.NotFound, "", "no function %q", c.Action.Field)
	}
	args := make([]any, len(c.Action.Args))
	for i, a := range c.Action.Args {
		v, err := wastValue(a, f.Params[i].Type)
		if err != nil {
			return nil, nil, err
		}
		args[i] = v
	}
	v, err := s.current.Call(c.Action.Field, args)
	return v, f, err
}

func compareWast(c wastCommand, f *wire.Func, got any) error {
	if len(c.Expected) == 0 && f.Result == nil {
		return nil
	}
	if len(c.Expected) != 1 || f.Result == nil {
		return fmt.Errorf("%d results are expected", len(c.Expected))
	}
	want, err := wastValue(c.Expected[0], f.Result)
	if err != nil {
		return err
	}
	if !wastEqual(got, want) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}

// wantRefused accepts refusals for any reason that is the component's.
func wantRefused(err error, text string) error {
	switch reason := (*skipReason)(nil); {
	case err == nil:
		return fmt.Errorf("accepted, want: %s", text)
	case asReason(err, &reason):
		return err
	case fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unsupported) || fault.Is(err, fault.Exhausted):
		return nil
	}
	return fmt.Errorf("refused with another kind: %w", err)
}

// traps is how this host says what scripts call a trap: a part of theirs and a part of ours.
var traps = [][2]string{
	{"out-of-bounds", "outside the memory"}, {"out of bounds", "outside the memory"}, {"beyond end of memory", "outside the memory"},
	{"cannot leave", "cannot leave"}, {"cannot enter", "cannot enter"}, {"unreachable", "unreachable"},
	{"unaligned", "not aligned"}, {"not aligned", "not aligned"}, {"unknown handle", "does not exist"}, {"wrong type", "is a resource, not a"},
	{"while borrowed", "is lent to a call"}, {"discriminant", "discriminant"}, {"`char`", "is not a char"}, {"utf-8", "not valid UTF-8"},
	{"", "is longer than 268435455"}, // the specification's limit of strings comes first
}

// wantTrap accepts the trap that text speaks of, or a limit of this host before it.
func wantTrap(err error, text string) error {
	switch reason := (*skipReason)(nil); {
	case asReason(err, &reason), fault.Is(err, fault.Exhausted):
		return reason.orNil()
	case fault.Is(err, fault.Invalid):
		for _, t := range traps {
			if strings.Contains(text, t[0]) && strings.Contains(err.Error(), t[1]) {
				return nil
			}
		}
	}
	return fmt.Errorf("got %v, want a trap: %s", err, text)
}

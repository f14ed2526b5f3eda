package flowcheck_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/devkit/flowcheck"
	"greentic.dev/model/flow"
)

// packed copies the helpdesk pack, so that a test may add to it.
func packed(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pack")
	if err := os.CopyFS(dir, os.DirFS("../../examples/helpdesk/pack")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checked puts a flow of one call where name says and checks it.
func checked(t *testing.T, k *flowcheck.Checker, name, component, operation string) flow.Diagnostics {
	t.Helper()
	src := "id: x\ntype: messaging\nnodes:\n  a:\n    component.exec: { component: " + component + ", operation: " + operation + ", input: { summary: x } }\n"
	if err := os.WriteFile(name, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	_, found := k.Check(t.Context(), name, []byte(src))
	return found
}

// classes are the classes and severities of findings.
func classes(found flow.Diagnostics) string {
	var out []string
	for _, d := range found {
		out = append(out, d.Class+" "+d.Severity)
	}
	return strings.Join(out, ", ")
}

func TestWhatAFlowMayCall(t *testing.T) {
	dir := packed(t)
	alone := t.TempDir()
	for _, c := range []struct{ name, folder, component, operation, want string }{
		{"what the pack has", dir, "helpdesk.tickets", "open", ""},
		{"what nobody has", dir, "no.one", "open", "PACK_FLOW_COMPONENT_MISSING error"},
		{"an operation that is not declared", dir, "helpdesk.tickets", "quote", "Operation warning"},
		{"a component, outside a pack", alone, "helpdesk.tickets", "open", "Pack warning, PACK_FLOW_COMPONENT_MISSING error"},
		{"a builtin, outside a pack", alone, "emit.response", "open", "Pack warning"},
	} {
		name := filepath.Join(c.folder, "x.ygtc")
		var checker flowcheck.Checker
		found := checked(t, &checker, name, c.component, c.operation)
		if got := classes(found); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
		for _, d := range found {
			if d.File != name || d.Fix == "" {
				t.Errorf("%s: %+v", c.name, d)
			}
		}
	}
}

// What is wrong with the pack is said as pack build says it, once for all its flows.
func TestABrokenPackIsToldOnce(t *testing.T) {
	dir := packed(t)
	name := filepath.Join(dir, "flows", "helpdesk.ygtc") // pack.yaml has it as helpdesk, here it is x
	var checker flowcheck.Checker
	first := checked(t, &checker, name, "no.one", "open")
	if classes(first) != "Pack error" || filepath.Base(first[0].File) != "pack.yaml" || first[0].Line == 0 || !strings.Contains(first[0].Message, `calls itself "x"`) {
		t.Errorf("%+v", first)
	}
	if again := checked(t, &checker, name, "no.one", "open"); len(again) != 0 {
		t.Errorf("%+v", again)
	}
}

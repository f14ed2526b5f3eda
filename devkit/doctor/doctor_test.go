package doctor

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// configured is a configuration that keeps compiled code in a folder of the test; vars are further
// variables of the environment.
func configured(t *testing.T, vars map[string]string) *system.Config {
	t.Helper()
	cache := t.TempDir()
	config, err := system.Load("", func(key string) string {
		if key == "GREENTIC_CACHE" {
			return cache
		}
		return vars[key]
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func binaryOf(t *testing.T, name string) []byte {
	t.Helper()
	code, err := os.ReadFile(filepath.Join("../../cmd/greentic/testdata/components", name))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func examined(t *testing.T, config *system.Config, code []byte) Diagnosis {
	t.Helper()
	d, err := Examine(t.Context(), config, code, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Each binary has what is wrong with it as the first finding, of the kind that decides the exit code.
func TestWhatStopsAComponentIsNamedFirst(t *testing.T) {
	config := configured(t, nil)
	for _, c := range []struct {
		name, code string
		kind       fault.Kind
	}{
		{"core.wasm", "core_module", fault.Invalid},
		{"old.wasm", "old_format", fault.Unsupported},
		{"truncated.wasm", "malformed", fault.Invalid},
		{"memory64.wasm", "unsupported_feature", fault.Unsupported},
		{"exceptions.wasm", "unsupported_feature", fault.Unsupported},
		{"async.wasm", "unsupported_feature", fault.Unsupported},
		{"illtyped.wasm", "ill_typed", fault.Invalid},
		{"missing.wasm", "interface_version", fault.Unsupported},
	} {
		d := examined(t, config, binaryOf(t, c.name))
		if d.OK || len(d.Findings) == 0 {
			t.Errorf("%s: %+v", c.name, d)
			continue
		}
		if f := d.Findings[0]; f.Severity != Error || f.Code != c.code || f.Kind != c.kind {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
	d := examined(t, config, []byte("not a component"))
	if d.OK || d.Findings[0].Code != "not_a_component" || d.Findings[0].Fix == "" {
		t.Errorf("%+v", d)
	}
}

func TestWhatCostsDoesNotStop(t *testing.T) {
	d := examined(t, configured(t, nil), binaryOf(t, "starts.wasm"))
	if !d.OK || d.Count(Error) != 0 || d.Count(Warning) != 1 || d.Count(Note) != 2 {
		t.Errorf("%+v", d)
	}
}

func TestTheConfiguredMemoryIsTheLimit(t *testing.T) {
	over := func(d Diagnosis) int {
		return slices.IndexFunc(d.Findings, func(f Finding) bool { return f.Code == "memory_over_limit" && f.Kind == fault.Exhausted })
	}
	code := binaryOf(t, "unkept.wasm") // begins with 2 MiB
	if d := examined(t, configured(t, map[string]string{"GREENTIC_LIMITS_MEMORY_MIB": "2"}), code); over(d) != -1 {
		t.Errorf("2 MiB: %+v", d)
	}
	if d := examined(t, configured(t, map[string]string{"GREENTIC_LIMITS_MEMORY_MIB": "1"}), code); over(d) != 0 {
		t.Errorf("1 MiB: %+v", d)
	}
}

// A finding about imports names them and where they come from, functions of one interface together;
// errors stand before warnings, warnings before notes.
func TestImportsAreGroupedByInterface(t *testing.T) {
	d := examined(t, configured(t, nil), binaryOf(t, "missing.wasm"))
	at := slices.IndexFunc(d.Findings, func(f Finding) bool { return f.Where != nil && f.Where.Interface == "acme:mail/outbox@3.0.0" })
	if at < 0 || !reflect.DeepEqual(d.Findings[at].Where.Functions, []string{"post", "recall"}) {
		t.Errorf("%+v", d)
	}
	order := []Severity{Error, Warning, Note}
	if !slices.IsSortedFunc(d.Findings, func(a, b Finding) int { return slices.Index(order, a.Severity) - slices.Index(order, b.Severity) }) {
		t.Errorf("%+v", d)
	}
}

// Where a finding has an offset it is beside the message, not in it, and what was being done is
// left out.
func TestMessagesSayTheCauseOnly(t *testing.T) {
	f := examined(t, configured(t, nil), binaryOf(t, "memory64.wasm")).Findings[0]
	if f.Where == nil || f.Where.Offset == nil || *f.Where.Offset != 8 || f.Where.String() != " (component offset 0x8)" {
		t.Errorf("%+v", f.Where)
	}
	if strings.Contains(f.Message, offsetPrefix) || !strings.Contains(f.Message, "memory64") {
		t.Error(f.Message)
	}
	if whole := (*Site)(nil).String(); whole != "" {
		t.Error(whole)
	}
}

func TestADiagnosisIsStableJSON(t *testing.T) {
	offset := 64
	d := Diagnosis{Findings: []Finding{
		{Severity: Error, Code: "unsupported_feature", Message: "m", Where: &Site{Offset: &offset}, Fix: "f", Kind: fault.Unsupported},
		{Severity: Note, Code: "no_producers", Message: "m"},
	}}
	b, err := json.Marshal(d)
	want := `{"ok":false,"findings":[{"severity":"error","code":"unsupported_feature","message":"m","where":{"offset":64},"fix":"f"},{"severity":"note","code":"no_producers","message":"m"}]}`
	if err != nil || string(b) != want {
		t.Errorf("%s %v", b, err)
	}
}

func TestAnEndedContextIsNoFinding(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := Examine(ctx, configured(t, nil), binaryOf(t, "starts.wasm"), nil)
	if !fault.Is(err, fault.Canceled) || len(d.Findings) != 0 {
		t.Errorf("%+v %v", d, err)
	}
}

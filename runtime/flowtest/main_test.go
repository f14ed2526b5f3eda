package flowtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/model/flow/flowtest"
	run "greentic.dev/runtime/flowtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTests(d run.Deps) *run.Tests {
	d.Open, d.Now = func(now func() time.Time) kv.DB { return memory.New(now) }, time.Now
	return run.New(d)
}

// written puts a flow and its test into a folder of its own and returns the test.
func written(t *testing.T, flow, test string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.ygtc": "id: main\ntype: messaging\nnodes:\n" + flow, "main.flowtest.yaml": test} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "main.flowtest.yaml")
}

func play(t *testing.T, name string) *run.File {
	t.Helper()
	f, err := newTests(run.Deps{}).Play(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range f.Wrong {
		t.Fatal(w)
	}
	return f
}

// passes fails the test with whatever came out differently.
func passes(t *testing.T, flow, test string) *run.File {
	t.Helper()
	f := play(t, written(t, flow, test))
	for _, r := range f.Results {
		for _, m := range r.Failures {
			t.Errorf("%s: %s: %s: %s\n%s", r.Case, m.Pos, m.Step, m.Message, m.Diff)
		}
	}
	return f
}

// fails wants one mismatch with these words, and returns it.
func fails(t *testing.T, flow, test, words string) flowtest.Mismatch {
	t.Helper()
	f := play(t, written(t, flow, test))
	var all []flowtest.Mismatch
	for _, r := range f.Results {
		all = append(all, r.Failures...)
	}
	if len(all) != 1 || !strings.Contains(all[0].Message, words) {
		t.Fatalf("%+v, want %q", all, words)
	}
	return all[0]
}

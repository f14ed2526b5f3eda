package systemtest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"greentic.dev/examples/helpdesk"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
	"greentic.dev/system/systemtest"
)

// testConfig is a configuration whose folders belong to the test, except for compiled code,
// which all tests of this machine share.
func testConfig(t testing.TB, overrides ...system.Override) *system.Config {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	all := append([]system.Override{
		{Key: "data", Value: filepath.Join(dir, "data")}, {Key: "keys", Value: filepath.Join(dir, "keys")},
		{Key: "cache", Value: filepath.Join(base, "greentic", "code")}, {Key: "log.level", Value: "warn"},
	}, overrides...)
	c, err := system.Load("", func(string) string { return "" }, all)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testLog writes what the system logs to the test's output.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// helpdeskFolder is the example's source folder, as the binary carries it.
func helpdeskFolder(t testing.TB) string {
	t.Helper()
	source, err := fs.Sub(helpdesk.Files, "pack")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "helpdesk")
	if err := os.CopyFS(dir, source); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openSystem(t testing.TB, c *system.Config, o system.Options, packs ...string) *system.System {
	t.Helper()
	o.Log = testLog(t)
	s, err := system.Open(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packs {
		if _, err := s.Load(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestTheHelpdeskAnswersAsItsScriptPromises(t *testing.T) {
	src, err := helpdesk.Files.ReadFile("script.yaml")
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := systemtest.ParseScripts(src)
	if err != nil {
		t.Fatal(err)
	}
	s := openSystem(t, testConfig(t), system.Options{Ephemeral: true}, helpdeskFolder(t))
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	turns := 0
	for _, script := range scripts {
		t.Run(script.Name, func(t *testing.T) {
			for i, step := range script.Turns {
				turns++
				m := step.Message(fmt.Sprintf("%s-%d", script.Session, turns), script.Session, script.Locale)
				body, err := json.Marshal(m)
				if err != nil {
					t.Fatal(err)
				}
				tenant := s.Tenant()
				tenant.User = greentic.UserID(script.Session)
				result, err := s.Turn(t.Context(), greentic.Trigger{ID: m.ID, Tenant: tenant, Kind: greentic.KindMessage, Route: "script", Key: script.Session, Body: body})
				if err == nil {
					err = result.Err
				}
				if err == nil {
					err = step.Check(result.Replies, result.Status)
				}
				if err != nil {
					t.Fatalf("turn %d (%s%v): %v", i+1, step.Say, step.Click, err)
				}
			}
		})
	}
}

func stderrLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// turn takes one text through a turn of the conversation "k".
func turn(t *testing.T, s *system.System, id, text string) runner.TurnResult {
	t.Helper()
	body, err := json.Marshal(greentic.Message{ID: id, Channel: "script", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Turn(t.Context(), greentic.Trigger{ID: id, Tenant: s.Tenant(), Kind: greentic.KindMessage, Route: "script", Key: "k", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

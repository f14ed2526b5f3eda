package system_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

func noEnv(string) string { return "" }

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "greentic.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLaterLayersWinAndEachValueKnowsItsSource(t *testing.T) {
	file := write(t, "listen: 127.0.0.1:1\ntenant: acme\nlimits:\n  pack_mib: 128\npacks: [a.gtpack, b]\n")
	env := map[string]string{"GREENTIC_TENANT": "beta", "GREENTIC_LOCALE": "de"}
	c, err := system.Load(file, func(k string) string { return env[k] }, []system.Override{{Key: "locale", Value: "fr", Flag: "--locale"}})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:1" || c.Tenant != "beta" || c.Locale != "fr" || c.PackBytes != 128<<20 || len(c.Packs) != 2 {
		t.Fatalf("got %+v", c)
	}
	want := map[string]string{"listen": file + ":1:1", "tenant": "GREENTIC_TENANT", "locale": "--locale", "limits.pack_mib": file + ":4:3", "workers": "default"}
	for _, e := range c.Explain() {
		if w, ok := want[e.Key]; ok && e.Source != w {
			t.Errorf("%s comes from %q, want %q", e.Key, e.Source, w)
		}
	}
}

func TestAPasswordIsNotExplained(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://u:secret-word@h/d":               "postgres://u:xxxxx@h/d",
		"postgres://u:secret@word/x@h/d":             "postgres://u:xxxxx@h/d",
		"postgres://h/d?user=u&password=secret-word": "postgres://h/d?user=u&password=xxxxx",
		"redis://h:6379/1?namespace=x":               "redis://h:6379/1?namespace=x",
	} {
		c, err := system.Load("", func(string) string { return "" }, []system.Override{{Key: "store", Value: url, Flag: "--store"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Explain() {
			if e.Key == "store" && e.Value != want {
				t.Errorf("%s is shown as %s, want %s", url, e.Value, want)
			}
		}
	}
}

func TestBadConfigurationIsRefusedWithLineAndSuggestion(t *testing.T) {
	for name, c := range map[string]struct {
		text, fix string
		line      int
	}{
		"unknown key":  {"tenant: a\nlisten_on: x\n", "", 2},
		"misspelt key": {"tennant: a\n", "did you mean tenant?", 1},
		"bad number":   {"limits:\n  pack_mib: many\n", "", 2},
		"zero":         {"workers: 0\n", "", 1},
		"bad word":     {"log:\n  level: loud\n", "", 2},
		"not a map":    {"- a\n- b\n", "", 1},
		"not YAML":     {"tenant: a\nlisten: [b\n", "", 2},
		"twice":        {"tenant: a\ntenant: b\n", "", 2},
		"no time":      {"limits:\n  step_time: 0s\n", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := system.Load(write(t, c.text), noEnv, nil)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("err = %v", err)
			}
			pos, fix, _ := fault.Detail(err)
			if pos.Line != c.line || c.fix != "" && fix != c.fix {
				t.Fatalf("line %d fix %q in %v", pos.Line, fix, err)
			}
		})
	}
}

func TestANamedFileMustExist(t *testing.T) {
	if _, err := system.Load(filepath.Join(t.TempDir(), "none.yaml"), noEnv, nil); !fault.Is(err, fault.NotFound) {
		t.Fatalf("err = %v", err)
	}
}

func TestAStoreThatCannotBeOpenedIsAnErrorNotAPanic(t *testing.T) {
	c, err := system.Load("", noEnv, []system.Override{{Key: "data", Value: t.TempDir()}, {Key: "keys", Value: t.TempDir()},
		{Key: "store", Value: "sqlite:" + filepath.Join(t.TempDir(), "none", "x.db")}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := system.Open(t.Context(), c, system.Options{Log: slog.New(slog.DiscardHandler)}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("err = %v", err)
	}
}

package system_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

func open(t *testing.T, data, bus string, ephemeral bool) error {
	t.Helper()
	c, err := system.Load("", noEnv, []system.Override{{Key: "data", Value: data}, {Key: "bus", Value: bus}, {Key: "keys", Value: t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := system.Open(t.Context(), c, system.Options{Log: slog.New(slog.DiscardHandler), Ephemeral: ephemeral})
	if err == nil {
		err = s.Close()
	}
	return err
}

func TestTheBusIsChosenByURLAndStartsOnlyWhenUsed(t *testing.T) {
	for url, ok := range map[string]bool{"": true, "memory:": true, "embedded:": true, "nats://127.0.0.1:1": true, "kafka://x:1": false, "nats:": false, "embedded:elsewhere": false} {
		data := t.TempDir()
		if err := open(t, data, url, false); ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", url, err)
		}
		if _, err := os.Stat(filepath.Join(data, "bus")); !os.IsNotExist(err) {
			t.Errorf("%q: a bus that nobody used left its folder: %v", url, err)
		}
	}
	if err := open(t, filepath.Join(t.TempDir(), "none"), "embedded:", true); err != nil {
		t.Errorf("ephemeral: %v", err)
	}
}

func TestAPasswordOfTheBusIsNotExplained(t *testing.T) {
	c, err := system.Load("", noEnv, []system.Override{{Key: "bus", Value: "nats://me:hunter2@host:4222"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Explain() {
		if e.Key == "bus" && (strings.Contains(e.Value, "hunter2") || !strings.Contains(e.Value, "host:4222")) {
			t.Errorf("explained as %s", e.Value)
		}
	}
	if c.Bus != "nats://me:hunter2@host:4222" {
		t.Errorf("the bus is %s", c.Bus)
	}
}

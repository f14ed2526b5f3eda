package dev

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/devkit/scaffold"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is a developer at a pack that is being served.
type desk struct {
	testing.TB
	system *system.System
	loop   *Loop
	folder string
	events chan Event
	said   int
}

// sits begins a pack, changes it as files say, and serves it; build is Options.Build.
func sits(t testing.TB, build func(ctx context.Context, project string) error, files map[string]string) *desk {
	t.Helper()
	d := &desk{TB: t, folder: filepath.Join(t.TempDir(), "greeter"), events: make(chan Event, 1000)}
	if _, err := scaffold.Pack(d.folder, "chat", nil, nil); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		d.save(name, content)
	}
	keys := t.TempDir()
	getenv := func(name string) string { return map[string]string{"GREENTIC_KEYS": keys}[name] }
	config, err := system.Load("", getenv, nil)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	d.system, err = system.Open(t.Context(), config, system.Options{Log: quiet, Getenv: getenv, Ephemeral: true, Token: "token", Dev: true,
		Ended: func(tenant greentic.TenantCtx, key string, r runner.TurnResult) { d.loop.Ended(tenant, key, r) }})
	if err != nil {
		t.Fatal(err)
	}
	d.loop, err = Open(t.Context(), Options{System: d.system, Folder: d.folder, Log: quiet, Now: time.Now, Build: build, Tell: func(e Event) { d.events <- e }})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.system.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- d.loop.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("the loop ended: %v", err)
		}
		if err := d.system.Drain(ctx); err != nil {
			t.Errorf("draining: %v", err)
		}
		if err := d.system.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return d
}

func (d *desk) save(name, content string) {
	d.Helper()
	name = filepath.Join(d.folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		d.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		d.Fatal(err)
	}
}

// replaces saves a file with one text in place of another.
func (d *desk) replaces(name, old, fresh string) {
	d.Helper()
	raw, err := os.ReadFile(filepath.Join(d.folder, filepath.FromSlash(name)))
	if err != nil || !strings.Contains(string(raw), old) {
		d.Fatalf("%s has no %q (%v)", name, old, err)
	}
	d.save(name, strings.ReplaceAll(string(raw), old, fresh))
}

// hears waits for an event that is as wanted.
func (d *desk) hears(what string, wanted func(Event) bool) Event {
	d.Helper()
	enough := time.After(time.Minute)
	for {
		select {
		case e := <-d.events:
			if wanted(e) {
				return e
			}
		case <-enough:
			d.Fatalf("%s was not told", what)
		}
	}
}

// sees waits for a state that is not being worked on and follows a save of a file.
func (d *desk) sees(phase, changed string) State {
	d.Helper()
	e := d.hears(changed+" "+phase, func(e Event) bool {
		return e.State != nil && e.State.Phase == phase && (changed == "" || slices.Contains(e.State.Changed, changed))
	})
	return *e.State
}

// says takes a message through its turn and gives the replies.
func (d *desk) says(text string) string {
	d.Helper()
	d.said++
	id := strconv.Itoa(d.said)
	body, err := json.Marshal(greentic.Message{ID: id, Channel: "cli", Conversation: "c", Text: text, From: &greentic.Actor{ID: "u"}})
	if err != nil {
		d.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(d.Context(), time.Minute)
	defer cancel()
	r, err := d.system.Turn(ctx, greentic.Trigger{ID: id, Tenant: d.system.Tenant(), Kind: greentic.KindMessage, Route: "cli", Key: "c", Body: body})
	if err != nil {
		d.Fatal(err)
	}
	var replies []string
	for _, reply := range r.Replies {
		replies = append(replies, reply.Text)
	}
	return strings.Join(replies, "\n")
}

//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"greentic.dev/build/guest"
	"greentic.dev/devkit/dev"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/devkit/vendored"
	"greentic.dev/examples/helpdesk"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

// workshop is a pack that is served from a folder that is worked on.
type workshop struct {
	dir    string
	system *system.System
	loop   *dev.Loop
	states chan dev.State
	said   int
}

// development measures from a save to the reply of what was saved: medians, of eleven saves of a flow
// with two components, and of five of a Go component.
func development(ctx context.Context) (list []figure, err error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	source, err := fs.Sub(helpdesk.Files, "pack")
	desk := filepath.Join(dir, "desk")
	if err == nil {
		err = os.CopyFS(desk, source)
	}
	if err != nil {
		return nil, err
	}
	ms, err := worked(ctx, dir, desk, "flows/helpdesk.ygtc", "{{i18n:welcome.text}}", "%s", 11)
	if err != nil {
		return nil, err
	}
	list = append(list, figure{Name: "dev_flow_change", Value: ms, Unit: "ms from save to reply", Bar: bar(300)})
	greeter := filepath.Join(dir, "greeter")
	if err := begin(greeter); err != nil {
		return list, err
	}
	ms, err = worked(ctx, dir, greeter, "components/hello/main.go", `config.Greeting + ", " + in.Name + "!"`, "%q", 5)
	if err != nil {
		return list, err
	}
	return append(list, figure{Name: "dev_go_change", Value: ms, Unit: "ms from save to reply", Bar: bar(5000)}), nil
}

// begin makes a pack whose flow says what a Go component of its own says.
func begin(dir string) error {
	sdk, err := vendored.Go()
	if err != nil {
		return err
	}
	if _, err := scaffold.Pack(dir, "chat", nil, nil); err != nil {
		return err
	}
	if _, err := scaffold.Component(filepath.Join(dir, "components", "hello"), "go", nil, sdk); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"pack.yaml":       "pack_id: greeter\nversion: 0.1.0\nkind: application\npublisher: me\nname: Greeter\ncomponents:\n  - { id: hello, wasm: components/hello/component.wasm }\n",
		"flows/main.ygtc": "id: main\ntype: messaging\ntags: [default]\nnodes:\n  greet:\n    greet: { name: Ada }\n    routing: out\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// worked serves a folder as greentic dev does and measures saves of a file in it.
func worked(ctx context.Context, dir, folder, name, old, form string, times int) (ms float64, err error) {
	getenv := func(name string) string {
		if own, ok := map[string]string{"GREENTIC_KEYS": filepath.Join(dir, "keys"), "GREENTIC_CACHE": filepath.Join(dir, "cache")}[name]; ok {
			return own
		}
		return os.Getenv(name)
	}
	config, err := system.Load("", getenv, nil)
	if err != nil {
		return 0, err
	}
	w := &workshop{dir: folder, states: make(chan dev.State, 1000)}
	quiet := slog.New(slog.DiscardHandler)
	w.system, err = system.Open(ctx, config, system.Options{Log: quiet, Getenv: getenv, Ephemeral: true, Dev: true,
		Ended: func(t greentic.TenantCtx, key string, r runner.TurnResult) { w.loop.Ended(t, key, r) }})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.system.Close()) }()
	w.loop, err = dev.Open(ctx, dev.Options{System: w.system, Folder: w.dir, Log: quiet, Now: time.Now,
		Tell: func(e dev.Event) {
			if e.State != nil && e.State.Phase != dev.Building {
				w.states <- *e.State
			}
		},
		Build: func(ctx context.Context, project string) error {
			b, err := guest.Build(ctx, project, guest.Options{Engine: w.system.Engine(), Getenv: getenv, Look: exec.LookPath})
			if err != nil {
				return err
			}
			return b.Write(project)
		}})
	if err == nil {
		err = w.system.Start(ctx)
	}
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- w.loop.Run(ctx) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-ran, w.system.Drain(ctx))
	}()
	for w.loop.State().Phase != dev.Ready { // also once the components are built
		select {
		case <-w.states:
		case <-ctx.Done():
			return 0, fmt.Errorf("%v: %+v", ctx.Err(), w.loop.State())
		}
	}
	return w.median(ctx, name, old, form, times)
}

// median saves a file some times with another text in place of old, and each time waits for a reply
// that says it.
func (w *workshop) median(ctx context.Context, name, old, form string, times int) (float64, error) {
	saved := name
	name = filepath.Join(w.dir, filepath.FromSlash(name))
	src, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(src, []byte(old)) {
		return 0, fmt.Errorf("%s has no %q: %v", name, old, err)
	}
	var all []float64
	for i := range times {
		text := "Hello for the " + strconv.Itoa(i) + "th time"
		began := time.Now()
		if err := os.WriteFile(name, bytes.ReplaceAll(src, []byte(old), fmt.Appendf(nil, form, text)), 0o644); err != nil {
			return 0, err
		}
		for served := false; !served; {
			select {
			case s := <-w.states:
				if s.Phase != dev.Ready {
					return 0, fmt.Errorf("the save is %s: %+v", s.Phase, s.Problems)
				}
				served = slices.Contains(s.Changed, saved)
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		reply, err := w.says(ctx)
		if err != nil || reply != text {
			return 0, fmt.Errorf("after a save of %q it says %q: %v", text, reply, err)
		}
		all = append(all, float64(time.Since(began).Microseconds())/1e3)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// says begins a conversation and gives the first reply.
func (w *workshop) says(ctx context.Context) (string, error) {
	w.said++
	id := strconv.Itoa(w.said)
	body, err := json.Marshal(greentic.Message{ID: id, Channel: "bench", Conversation: id, Text: "hello", From: &greentic.Actor{ID: "u"}})
	if err != nil {
		return "", err
	}
	r, err := w.system.Turn(ctx, greentic.Trigger{ID: id, Tenant: w.system.Tenant(), Kind: greentic.KindMessage, Route: "bench", Key: id, Body: body})
	if err != nil || len(r.Replies) == 0 {
		return "", errors.Join(err, r.Err)
	}
	return r.Replies[0].Text, nil
}

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
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"greentic.dev/devkit/dev"
	"greentic.dev/examples/helpdesk"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

// workshop is the helpdesk, served from a folder that is worked on.
type workshop struct {
	dir    string
	system *system.System
	loop   *dev.Loop
	states chan dev.State
	said   int
}

// development measures from a save to the reply of what was saved: the median of eleven.
func development(ctx context.Context) (list []figure, err error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	w := &workshop{dir: filepath.Join(dir, "pack"), states: make(chan dev.State, 1000)}
	source, err := fs.Sub(helpdesk.Files, "pack")
	if err == nil {
		err = os.CopyFS(w.dir, source)
	}
	if err != nil {
		return nil, err
	}
	getenv := func(name string) string {
		return map[string]string{"GREENTIC_KEYS": filepath.Join(dir, "keys"), "GREENTIC_CACHE": filepath.Join(dir, "cache")}[name]
	}
	config, err := system.Load("", getenv, nil)
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	w.system, err = system.Open(ctx, config, system.Options{Log: quiet, Getenv: getenv, Ephemeral: true, Dev: true,
		Ended: func(t greentic.TenantCtx, key string, r runner.TurnResult) { w.loop.Ended(t, key, r) }})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.system.Close()) }()
	w.loop, err = dev.Open(ctx, dev.Options{System: w.system, Folder: w.dir, Log: quiet, Now: time.Now, Tell: func(e dev.Event) {
		if e.State != nil && e.State.Phase != dev.Building {
			w.states <- *e.State
		}
	}})
	if err == nil {
		err = w.system.Start(ctx)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	ran := make(chan error, 1)
	go func() { ran <- w.loop.Run(ctx) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-ran, w.system.Drain(ctx))
	}()
	ms, err := w.median(ctx, "flows/helpdesk.ygtc", "{{i18n:welcome.text}}")
	return append(list, figure{Name: "dev_flow_change", Value: ms, Unit: "ms from save to reply", Bar: bar(300)}), err
}

// median saves a file eleven times with another text in place of old, and each time waits for a reply
// that says it.
func (w *workshop) median(ctx context.Context, name, old string) (float64, error) {
	name = filepath.Join(w.dir, filepath.FromSlash(name))
	src, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(src, []byte(old)) {
		return 0, fmt.Errorf("%s has no %q: %v", name, old, err)
	}
	<-w.states // as it was
	var all []float64
	for i := range 11 {
		text := "Hello for the " + strconv.Itoa(i) + "th time"
		began := time.Now()
		if err := os.WriteFile(name, bytes.ReplaceAll(src, []byte(old), []byte(text)), 0o644); err != nil {
			return 0, err
		}
		select {
		case s := <-w.states:
			if s.Phase != dev.Ready {
				return 0, fmt.Errorf("the save is %s: %+v", s.Phase, s.Problems)
			}
		case <-ctx.Done():
			return 0, ctx.Err()
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

//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/build"
	"greentic.dev/greentic"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
	"greentic.dev/wasm"
)

// bed is a runner over a store, with a connector that takes every reply at once.
type bed struct {
	db      kv.DB
	run     *runner.Runner
	engine  *wasm.Engine
	http    *egress.Client
	server  *httptest.Server     // where the component of three sends to
	arrived sync.Map             // conversation to chan queue.Outgoing
	used    func() time.Duration // processor time of the store's server; nil without one
}

// opener opens a store in a folder.
type opener func(ctx context.Context, dir string) (kv.DB, error)

const route = "bench"

// Deliver implements runner.Deliverer.
func (b *bed) Deliver(_ context.Context, o queue.Outgoing) error {
	if c, ok := b.arrived.Load(o.Key); ok {
		c.(chan queue.Outgoing) <- o
	}
	return nil
}

// replies is where the replies of a conversation arrive; whoever asks takes them.
func (b *bed) replies(key string) chan queue.Outgoing {
	c, _ := b.arrived.LoadOrStore(key, make(chan queue.Outgoing, 16))
	return c.(chan queue.Outgoing)
}

// lay makes a bed in dir that is not started yet. flow is the source of its only flow.
func lay(ctx context.Context, dir string, open opener, flow string) (b *bed, err error) {
	b = &bed{}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	pack, err := packOf(ctx, filepath.Join(dir, "pack"), strings.ReplaceAll(flow, "URL", b.server.URL))
	if err != nil {
		return b, err
	}
	if b.engine, err = wasm.New(ctx, wasm.Options{}); err != nil {
		return b, err
	}
	grant, err := egress.ParseGrant(strings.TrimPrefix(b.server.URL, "http://"))
	if err != nil {
		return b, err
	}
	if b.db, err = open(ctx, dir); err != nil {
		return b, err
	}
	b.http = egress.New(egress.Options{})
	releases := release.New(host.New(host.Deps{Engine: b.engine, HTTP: b.http}, host.Options{}), loader.NewStore(filepath.Join(dir, "packs")),
		loader.Policy{AllowUnsignedUnsafe: true}, []egress.Grant{grant})
	served, err := releases.Serve(ctx, pack)
	if err == nil {
		err = served.Warm(ctx)
	}
	if err != nil {
		return b, err
	}
	b.run = runner.New(runner.Deps{DB: b.db, Releases: releases, Deliver: map[string]runner.Deliverer{route: b}, Log: slog.New(slog.DiscardHandler), Now: time.Now, NewID: rand.Text},
		runner.Options{Workers: 64})
	return b, nil
}

// asker is a component that sends what its input says; see its source beside it.
const asker = "runtime/host/testdata/asker.wasm"

func packOf(ctx context.Context, dir, flow string) (*loader.Verified, error) {
	code, err := os.ReadFile(asker)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{
		"pack.yaml": "pack_id: bench.turns\nversion: 1.0.0\nkind: application\npublisher: bench\nflows:\n  - { id: main, file: flows/main.ygtc, tags: [default] }\n" +
			"components:\n  - { id: bench.asker, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/asker.wasm }\n",
		"flows/main.ygtc":       "id: main\ntype: messaging\n" + flow,
		"components/asker.wasm": string(code),
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	built, err := build.Pack(ctx, dir, build.Options{})
	if err != nil {
		return nil, err
	}
	v, _, err := loader.LoadBytes(ctx, "bench", built.Bytes, loader.Policy{AllowUnsignedUnsafe: true})
	return v, err
}

// close drains the runner and frees everything.
func (b *bed) close() error {
	var errs []error
	if b.run != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		errs = append(errs, b.run.Drain(ctx))
	}
	if b.db != nil {
		errs = append(errs, b.db.Close())
	}
	if b.http != nil {
		b.http.Close()
	}
	if b.engine != nil {
		errs = append(errs, b.engine.Close(context.Background()))
	}
	b.server.Close()
	return errors.Join(errs...)
}

func (b *bed) tenant() greentic.TenantCtx { return greentic.TenantCtx{Env: "bench", Tenant: "bench"} }

// message is what a user says.
func (b *bed) message(key, id string) greentic.Trigger {
	body, _ := json.Marshal(greentic.Message{ID: id, Channel: route, Conversation: key, From: &greentic.Actor{ID: "user"}, Text: "hello"})
	return greentic.Trigger{ID: id, Tenant: b.tenant(), Kind: greentic.KindMessage, Route: route, Key: key, Body: body}
}

// pace is what conversations that never rest reach.
type pace struct {
	rate   float64 // turns a second
	cpu    float64 // microseconds of processor a turn, of this whole process
	server float64 // the same of the store's server, 0 without one
	p99    float64 // milliseconds from the message to its reply
}

// converse keeps n conversations busy for d: each sends its next message when the reply to the
// last has been delivered.
func (b *bed) converse(ctx context.Context, name string, n int, d time.Duration) (pace, error) {
	ctx, cancel := context.WithTimeout(ctx, d+time.Minute)
	defer cancel()
	var all sync.WaitGroup
	took, errs := make([][]time.Duration, n), make([]error, n)
	used := b.used
	if used == nil {
		used = func() time.Duration { return 0 }
	}
	begin, server, start := cpu(), used(), time.Now()
	for i := range n {
		all.Go(func() {
			key := fmt.Sprintf("%s-%d", name, i)
			replies := b.replies(key)
			for time.Since(start) < d && errs[i] == nil {
				sent := time.Now()
				if _, errs[i] = b.run.Accept(ctx, b.message(key, fmt.Sprintf("%s-%d", key, len(took[i])))); errs[i] != nil {
					return
				}
				select {
				case o := <-replies:
					if strings.Contains(o.Reply.Text, "wrong") { // an apology is no answer
						errs[i] = errors.New(o.Reply.Text)
					}
				case <-ctx.Done():
					errs[i] = fmt.Errorf("%s got no reply: %w", key, ctx.Err())
				}
				took[i] = append(took[i], time.Since(sent))
			}
		})
	}
	all.Wait()
	whole := slices.Concat(took...)
	if err := errors.Join(errs...); err != nil || len(whole) == 0 {
		return pace{}, err
	}
	each := func(used time.Duration) float64 { return float64(used.Microseconds()) / float64(len(whole)) }
	lasted, own, theirs := time.Since(start), each(cpu()-begin), each(used()-server)
	slices.Sort(whole)
	return pace{rate: float64(len(whole)) / lasted.Seconds(), cpu: own, server: theirs, p99: float64(whole[len(whole)*99/100].Microseconds()) / 1e3}, nil
}

//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
)

// waiting answers and waits; when nobody writes it says so.
const waiting = `nodes:
  answer:
    emit.response: { text: "answer {{input.input.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next, timeout: 24h, on_timeout: late }
    routing: [{ to: answer }]
  late:
    emit.response: { text: "nobody wrote" }
    routing: out
`

const (
	inboxEntries   = 10_000
	parkedSessions = 100_000
	dueSessions    = 1_000 // of them, over dueWithin
	dueWithin      = 2 * time.Second
	ahead          = 5 * time.Second // until the first is due
)

// recovery measures a restart over a full inbox: from the opening of the store to the first reply
// and to the last.
func recovery(ctx context.Context) (list []figure, err error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	before, err := lay(ctx, dir, onSQLite, echo)
	if err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	errs := make([]error, 64)
	for w := range errs { // it accepts without having been started: nothing runs
		all.Go(func() {
			for i := w; i < inboxEntries && errs[w] == nil; i += len(errs) {
				_, errs[w] = before.run.Accept(ctx, before.message(fmt.Sprintf("c-%d", i%1000), fmt.Sprintf("m-%d", i)))
			}
		})
	}
	all.Wait()
	if err := errors.Join(errors.Join(errs...), before.close()); err != nil {
		return nil, err
	}
	begin := time.Now()
	b, err := lay(ctx, dir, onSQLite, echo)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	arrived := make(chan queue.Outgoing, inboxEntries)
	for c := range 1000 {
		b.arrived.Store(fmt.Sprintf("c-%d", c), arrived)
	}
	if err := b.run.Start(ctx); err != nil {
		return nil, err
	}
	var first time.Duration
	for n := range inboxEntries {
		select {
		case <-arrived:
			if n == 0 {
				first = time.Since(begin)
			}
		case <-time.After(time.Minute):
			return nil, fmt.Errorf("%d of %d entries were answered", n, inboxEntries)
		}
	}
	return []figure{
		{Name: "recovery_10k", Value: first.Seconds(), Unit: "s from the start to the first answer", Bar: bar(3)},
		{Name: "recovery_10k_last", Value: time.Since(begin).Seconds(), Unit: "s from the start to the last answer"},
	}, nil
}

// parked measures a process over 100 000 conversations that wait: its memory, and how late it is
// when a thousand of their waits end within two seconds.
func parked(ctx context.Context) (list []figure, err error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b, err := lay(ctx, dir, onSQLite, waiting)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.run.Start(ctx); err != nil {
		return nil, err
	}
	if _, err := b.converse(ctx, "first", 1, 10*time.Millisecond); err != nil {
		return nil, err
	}
	due, err := b.park(ctx, "first-0")
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	arrived := make(chan queue.Outgoing, len(due))
	for key := range due {
		b.arrived.Store(key, arrived)
	}
	var latest time.Duration
	for range due {
		select {
		case o := <-arrived:
			latest = max(latest, time.Since(due[o.Key]))
		case <-time.After(ahead + time.Minute):
			return nil, errors.New("a wait did not end")
		}
	}
	return []figure{
		{Name: "parked_100k", Value: residentMiB(os.Getpid()), Unit: "MiB resident, this whole process", Bar: bar(300)},
		{Name: "parked_100k_late", Value: latest.Seconds(), Unit: "s, the latest of 1000 waits that end in 2 s", Bar: bar(1)},
	}, nil
}

// park stores copies of a session under many keys, and says when the waits of some of them end.
func (b *bed) park(ctx context.Context, like string) (due map[string]time.Time, err error) {
	var model session.Session
	err = b.db.View(ctx, b.tenant(), func(r kv.Reader) (err error) {
		model, err = session.Load(r, like)
		return err
	})
	if err != nil {
		return nil, err
	}
	// The runner of the bed looks for due times of others every five seconds; these are its own
	// because they are there when it does.
	due = map[string]time.Time{}
	begin := time.Now()
	for from := 0; from < parkedSessions; from += 1000 {
		err := b.db.Update(ctx, b.tenant(), func(x kv.Txn) error {
			for i := from; i < from+1000; i++ {
				s := session.Session{Key: fmt.Sprintf("parked-%d", i), Release: model.Release, Flow: model.Flow, Cursor: model.Cursor, Origin: model.Origin,
					Reason: model.Reason, Due: begin.Add(24 * time.Hour), Began: begin, Updated: begin}
				s.Origin.Tenant.Session = s.Key
				if _, err := session.Save(x, b.tenant(), s); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	end := time.Now().Add(ahead).Truncate(time.Microsecond)
	err = b.db.Update(ctx, b.tenant(), func(x kv.Txn) error {
		for i := range dueSessions {
			s, err := session.Load(x, fmt.Sprintf("parked-%d", i*(parkedSessions/dueSessions)))
			if err != nil {
				return err
			}
			s.Due = end.Add(dueWithin * time.Duration(i) / dueSessions)
			due[s.Key] = s.Due
			if _, err := session.Save(x, b.tenant(), s); err != nil {
				return err
			}
		}
		return nil
	})
	return due, err
}

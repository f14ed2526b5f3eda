package nats

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
)

// stream is the stream of one tenant.
type stream struct {
	jetstream.Stream
	mu    sync.Mutex
	marks []mark // where the stream ended, oldest first
}

type mark struct {
	at   time.Time
	last uint64
}

// stream finds or makes the tenant's stream.
func (b *Bus) stream(ctx context.Context, l *link, t greentic.TenantCtx) (*stream, error) {
	scope, err := bus.Scope(t)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	s := l.streams[scope]
	l.mu.Unlock()
	if s != nil {
		return s, nil
	}
	made, err := l.ensure(ctx, jetstream.StreamConfig{
		Name: streamName(scope), Description: "events of " + scope, Metadata: map[string]string{"env": string(t.Env), "tenant": string(t.Tenant)},
		Subjects: []string{subject(eventKind, t, ">"), subject(retryKind, t, "*")},
		MaxAge:   bus.Retention, MaxBytes: b.o.MaxBytes, Discard: jetstream.DiscardNew, // a full bus refuses; it forgets nothing
		Duplicates: bus.Window, Replicas: b.replicas,
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams[scope] == nil {
		l.streams[scope] = &stream{Stream: made}
	}
	return l.streams[scope], nil
}

func (l *link) forget(t greentic.TenantCtx) {
	scope, _ := bus.Scope(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.streams, scope)
}

// ensure leaves a stream that exists as it is: an operator may have changed it.
func (l *link) ensure(ctx context.Context, c jetstream.StreamConfig) (jetstream.Stream, error) {
	within, cancel := deadline(ctx)
	defer cancel()
	s, err := l.js.Stream(within, c.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		s, err = l.js.CreateStream(within, c)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			s, err = l.js.Stream(within, c.Name)
		}
	}
	return s, failure(ctx, "bus", err)
}

// sweepOften removes what everybody has handled. Events stay for the window, so that a repeated
// ID is recognised also after the server restarted.
func (b *Bus) sweepOften(ctx context.Context, l *link) {
	tick := time.NewTicker(bus.Window / 2)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		b.sweep(ctx, l)
	}
}

func (b *Bus) sweep(ctx context.Context, l *link) {
	l.mu.Lock()
	var all []*stream
	for _, s := range l.streams {
		all = append(all, s)
	}
	l.mu.Unlock()
	for _, s := range all {
		within, cancel := deadline(ctx)
		if err := s.sweep(within, b.o.Now()); err != nil && ctx.Err() == nil {
			b.o.Log.Warn("handled events could not be removed", "error", err)
		}
		cancel()
	}
}

// sweep purges up to the first event that is younger than the window or that a consumer still needs.
func (s *stream) sweep(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	s.marks = append(s.marks, mark{now, info.State.LastSeq})
	old := -1
	for i, m := range s.marks {
		if now.Sub(m.at) > bus.Window {
			old = i
		}
	}
	if old < 0 {
		return nil
	}
	upTo := s.marks[old].last
	s.marks = s.marks[old:]
	consumers := s.ListConsumers(ctx)
	for c := range consumers.Info() {
		switch {
		case c.NumAckPending > 0:
			upTo = min(upTo, c.AckFloor.Stream)
		case c.NumPending > 0:
			upTo = min(upTo, c.Delivered.Stream)
		}
	}
	if err := consumers.Err(); err != nil || upTo < info.State.FirstSeq {
		return err
	}
	return s.Purge(ctx, jetstream.WithPurgeSequence(upTo+1))
}

package system

import (
	"context"
	"os"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// shared says whether other processes may work on the same record store. Only a file, which belongs to the
// process that has locked the data folder, and memory surely have one owner.
func (s *System) shared() bool {
	scheme, _, _ := strings.Cut(s.config.Store, ":")
	switch scheme {
	case "", "sqlite", "memory":
		return false
	}
	return !s.options.Ephemeral
}

// shards keeps this process's part of all conversations.
func (s *System) shards() (*shard.Keeper, error) {
	name := s.config.RunnerName
	if name == "" {
		if host, err := os.Hostname(); err == nil && greentic.CheckID("host", host) == nil {
			name = host
		}
	} else if err := greentic.CheckID("runner_name", name); err != nil {
		return nil, err
	}
	return shard.New(s.db, shard.Options{Name: name, TTL: s.config.LeaseTTL, Now: s.now, NewID: newID, Exclusive: !s.shared()}), nil
}

// chatKey signs the tokens of web chat. Each process on one store must accept those of the
// others, so there it is kept in the store.
func (s *System) chatKey(ctx context.Context) (key string, err error) {
	if !s.shared() {
		return s.folder.secret("webchat.key")
	}
	fresh, err := (*folder)(nil).secret("webchat.key")
	if err != nil {
		return "", err
	}
	const name = "secret/webchat.key"
	err = s.db.System(ctx, func(x kv.Txn) error {
		kept, err := x.Get(name)
		if err == nil {
			key = string(kept)
			return nil
		}
		if key = fresh; !fault.Is(err, fault.NotFound) {
			return err
		}
		return x.Put(name, []byte(fresh), 0)
	})
	return key, fault.Wrap("webchat key", err)
}

// patient is a store that waits while the one below is away, for at most a time.
type patient struct {
	kv.DB
	patience time.Duration
}

func (p patient) View(ctx context.Context, t greentic.TenantCtx, fn func(kv.Reader) error) error {
	return p.wait(ctx, func() error { return p.DB.View(ctx, t, fn) })
}

func (p patient) Update(ctx context.Context, t greentic.TenantCtx, fn func(kv.Txn) error) error {
	return p.wait(ctx, func() error { return p.DB.Update(ctx, t, fn) })
}

// wait repeats do while it fails for want of a store and has surely left nothing behind.
func (p patient) wait(ctx context.Context, do func() error) error {
	if p.patience <= 0 {
		return do()
	}
	enough := time.NewTimer(p.patience)
	defer enough.Stop()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := do()
		if _, _, code := fault.Detail(err); !fault.Is(err, fault.Unavailable) || code == "outcome_unknown" {
			return err
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
			continue
		case <-enough.C:
		case <-ctx.Done():
		}
		again.Stop()
		return err
	}
}

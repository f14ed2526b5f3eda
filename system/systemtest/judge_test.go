package systemtest_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/backing/shard"
	"greentic.dev/greentic"
)

// judge looks at everything once no process runs any more: what arrived, and what the store holds.
func (s *storm) judge(store string) {
	s.Helper()
	for _, err := range s.wrong {
		s.Error(err)
	}
	if s.Failed() {
		return // conversations were left half held
	}
	if len(s.blows) < s.kills {
		s.Errorf("only %d kills", len(s.blows))
	}
	for _, broken := range s.sink.broken {
		s.Error(broken)
	}
	effects := s.sink.effectsOf()
	used := 0
	for _, t := range s.talks {
		got := s.sink.of[t.lane()]
		if err := t.verdict(got, effects); err != nil {
			s.Error(err)
		}
		if t.kind == "effect" {
			used += len(got)
		}
		delete(s.sink.of, t.lane())
	}
	for lane, got := range s.sink.of {
		s.Errorf("nobody spoke as %s, which got %q", lane, textsOf(got))
	}
	if used != len(effects) && !s.Failed() {
		s.Errorf("%d turns called the outside, %d messages asked for it", len(effects), used)
	}
	if s.Failed() {
		return // the store would only say it again
	}
	db, err := s.open(store)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { s.check(db.Close()) }()
	s.check(s.nothingWaits(db))
	s.check(s.sessionsAndLetters(db))
}

func (s *storm) check(err error) {
	s.Helper()
	if err != nil {
		s.Error(err)
	}
}

// open opens the store of the processes, which are gone.
func (s *storm) open(store string) (kv.DB, error) {
	if store == "" {
		return sqlite.Open(s.Context(), filepath.Join(s.data, "greentic.db"), sqlite.Options{})
	}
	if strings.HasPrefix(store, "redis") {
		return redis.Open(s.Context(), store, redis.Options{})
	}
	return postgres.Open(s.Context(), store, postgres.Options{})
}

// nothingWaits wants no message, no reply and no time of a wait left.
func (s *storm) nothingWaits(db kv.DB) error {
	return db.System(s.Context(), func(x kv.Txn) error {
		for n := range shard.Count {
			err := queue.Work(x, n, 0, func(_ string, l queue.Lane) bool { s.Errorf("a message of %s/%s waits", l.Tenant, l.Key); return true },
				func(_ string, d queue.Destination) bool {
					s.Errorf("a reply for %s/%s waits", d.Tenant, d.Key)
					return true
				})
			due, _, e := queue.NextDue(x, n, time.Now().AddDate(1, 0, 0), 100)
			for _, d := range due {
				s.Errorf("%s of %s/%s is still to come", d.ID, d.Tenant, d.Key)
			}
			if err = errors.Join(err, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// sessionsAndLetters wants the session of every conversation, except where the last message was
// poison, and one dead letter for each such message.
func (s *storm) sessionsAndLetters(db kv.DB) error {
	var want, got []string
	for _, t := range s.talks {
		if t.kind == "webchat" {
			continue
		}
		tenant := greentic.TenantCtx{Env: "local", Tenant: t.tenant}
		for i, m := range t.says {
			if m.text == "boom" {
				want = append(want, t.turns[fmt.Sprint(i)])
			}
		}
		err := db.View(s.Context(), tenant, func(x kv.Reader) error {
			stored, err := session.Read(x, t.key)
			if open := stored.Revision() > 0; err == nil && open != (t.says[len(t.says)-1].text != "boom") {
				s.Errorf("%s: its session is there: %t", t.lane(), open)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for n := range 4 {
		err := db.View(s.Context(), greentic.TenantCtx{Env: "local", Tenant: greentic.TenantID(fmt.Sprintf("tenant-%d", n))}, func(x kv.Reader) error {
			letters, err := queue.Letters(x, "", 0)
			for _, l := range letters {
				got = append(got, l.ID)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.Errorf("%d dead letters of %d poisoned messages", len(got), len(want))
	}
	return nil
}

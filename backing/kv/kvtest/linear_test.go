package kvtest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/testserver"
)

var (
	postgresServer testserver.Postgres
	redisServer    testserver.Redis
)

func TestMain(m *testing.M) {
	code := m.Run()
	if postgresServer.Close() != nil || redisServer.Close() != nil {
		code = 1
	}
	os.Exit(code)
}

// state is all that the clients touch: an epoch in the system scope and two keys of a tenant.
type state struct {
	epoch byte
	keys  [2]byte
}

// call is one operation and what it said.
type call struct {
	op         string // get, put-if, require, bump
	key        int
	want, next byte
	got        byte // get
	ok         bool // the others
}

// fenced is the sequential specification: what a call may say in a state, and the state after it.
var fenced = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(s, in, out any) (bool, any) {
		was, asked, said := s.(state), in.(call), out.(call)
		after, may := was, true
		switch asked.op {
		case "get":
			return said.got == was.keys[asked.key], was
		case "put-if":
			may = was.keys[asked.key] == asked.want
			after.keys[asked.key] = asked.next
		case "require":
			may = was.epoch == asked.want
			after.keys[asked.key] = asked.next
		case "bump":
			may = was.epoch == asked.want
			after.epoch = asked.next
		}
		if !said.ok {
			after = was
		}
		return said.ok == may, after
	},
}

var errOther = fault.New(fault.Conflict, "", "it has another value")

func first(x kv.Reader, key string) (byte, error) {
	v, err := x.Get(key)
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return v[0], nil
}

// do performs a call.
func (c call) do(ctx context.Context, db kv.DB) (call, error) {
	tenant, key := greentic.DefaultTenant(), fmt.Sprintf("key/%d", c.key)
	putIf := func(x kv.Txn, key string) error {
		has, err := first(x, key)
		if err == nil && has != c.want {
			err = errOther
		}
		if err != nil {
			return err
		}
		return x.Put(key, []byte{c.next}, 0)
	}
	var err error
	switch c.op {
	case "get":
		err = db.View(ctx, tenant, func(x kv.Reader) (err error) {
			c.got, err = first(x, key)
			return err
		})
		return c, err
	case "put-if":
		err = db.Update(ctx, tenant, func(x kv.Txn) error { return putIf(x, key) })
	case "require":
		err = db.Update(ctx, tenant, func(x kv.Txn) error {
			var want []byte
			if c.want != 0 {
				want = []byte{c.want}
			}
			if err := x.Require("epoch", want); err != nil {
				return err
			}
			return x.Put(key, []byte{c.next}, 0)
		})
	case "bump":
		err = db.System(ctx, func(x kv.Txn) error { return putIf(x, "epoch") })
	}
	c.ok = err == nil
	if fault.Is(err, fault.Conflict) {
		err = nil
	}
	return c, err
}

// history runs seeded clients at the same time and records what they asked and heard.
func history(ctx context.Context, seed uint64, handles []kv.DB) ([]porcupine.Operation, error) {
	const clients, calls = 6, 30
	var all sync.WaitGroup
	begin, parts, errs := time.Now(), make([][]porcupine.Operation, clients), make([]error, clients)
	for client := range clients {
		all.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(client)))
			for range calls {
				c := call{op: []string{"get", "get", "put-if", "put-if", "require", "bump"}[random.IntN(6)],
					key: random.IntN(2), want: byte(random.IntN(3)), next: byte(1 + random.IntN(2))}
				asked := time.Since(begin).Nanoseconds()
				said, err := c.do(ctx, handles[client%len(handles)])
				if err != nil {
					errs[client] = err
					return
				}
				parts[client] = append(parts[client], porcupine.Operation{ClientId: client, Input: c, Output: said, Call: asked, Return: time.Since(begin).Nanoseconds()})
			}
		})
	}
	all.Wait()
	var list []porcupine.Operation
	for client, part := range parts {
		if errs[client] != nil {
			return nil, errs[client]
		}
		list = append(list, part...)
	}
	return list, nil
}

// TestFencedUpdatesAreLinearizable compares seeded histories with the specification.
func TestFencedUpdatesAreLinearizable(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (handles []kv.DB, err error){
		"memory": func(*testing.T) ([]kv.DB, error) { return []kv.DB{memory.New(time.Now)}, nil },
		"sqlite": func(t *testing.T) ([]kv.DB, error) {
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "kv.db"), sqlite.Options{})
			return []kv.DB{db}, err
		},
		"postgres": func(t *testing.T) ([]kv.DB, error) {
			url := postgresServer.URL(t)
			return twice(func() (kv.DB, error) { return postgres.Open(t.Context(), url, postgres.Options{}) })
		},
		"redis": func(t *testing.T) ([]kv.DB, error) {
			url := redisServer.URL(t)
			return twice(func() (kv.DB, error) { return redis.Open(t.Context(), url, redis.Options{}) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				handles, err := open(t)
				if err != nil {
					t.Fatal(err)
				}
				list, err := history(t.Context(), seed, handles)
				for _, db := range handles {
					if err := db.Close(); err != nil {
						t.Error(err)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := porcupine.CheckOperationsTimeout(fenced, list, 30*time.Second); got != porcupine.Ok {
					t.Fatalf("seed %d: the history of %d calls is %s", seed, len(list), got)
				}
			}
		})
	}
}

func twice(open func() (kv.DB, error)) ([]kv.DB, error) {
	a, err := open()
	if err != nil {
		return nil, err
	}
	b, err := open()
	return []kv.DB{a, b}, err
}

// The check itself must notice a store whose updates overwrite each other, one that shows old values, and
// a lease that does not fence.
func TestHistoriesOfBrokenStoresAreNotLinearizable(t *testing.T) {
	for name, wrap := range map[string]func() kv.DB{
		"unserialised": func() kv.DB { return unserialised{memory.New(time.Now), false} },
		"lagging":      func() kv.DB { return &lagging{DB: memory.New(time.Now), shown: memory.New(time.Now)} },
		"remembers": func() kv.DB {
			return &broken{DB: memory.New(time.Now), txn: func(x kv.Txn) kv.Txn { return requireNothing{x} }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				list, err := history(t.Context(), seed, []kv.DB{wrap()})
				if err != nil {
					t.Fatal(err)
				}
				if porcupine.CheckOperationsTimeout(fenced, list, 30*time.Second) == porcupine.Illegal {
					return
				}
			}
			t.Error("no history of 50 was refused")
		})
	}
}

package kvtest_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/kvtest"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/greentic"
)

// dirty reads each key and each page of a view for itself.
type dirty struct{ kv.DB }

func (d dirty) View(ctx context.Context, t greentic.TenantCtx, fn func(kv.Reader) error) error {
	return fn(dirtyReader{ctx, d.DB, t})
}

type dirtyReader struct {
	ctx    context.Context
	db     kv.DB
	tenant greentic.TenantCtx
}

func (r dirtyReader) Get(key string) (v []byte, err error) {
	err = r.db.View(r.ctx, r.tenant, func(x kv.Reader) error {
		v, err = x.Get(key)
		return err
	})
	return v, err
}

func (r dirtyReader) Scan(from, to string, limit int, fn func(string, []byte) bool) error {
	for more := true; more; {
		n := 0
		err := r.db.View(r.ctx, r.tenant, func(x kv.Reader) error {
			return x.Scan(from, to, 100, func(k string, v []byte) bool {
				from, more = k+"\x00", fn(k, v)
				n++
				return more
			})
		})
		if err != nil {
			return err
		}
		more = more && n == 100
		runtime.Gosched()
	}
	return nil
}

// lagging shows views the state before the last update.
type lagging struct {
	kv.DB
	shown kv.DB
	mu    sync.Mutex
	last  func() error
}

func (l *lagging) View(ctx context.Context, t greentic.TenantCtx, fn func(kv.Reader) error) error {
	return l.shown.View(ctx, t, fn)
}

func (l *lagging) Update(ctx context.Context, t greentic.TenantCtx, fn func(kv.Txn) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil {
		if err := l.last(); err != nil {
			return err
		}
	}
	l.last = func() error { return l.shown.Update(ctx, t, fn) }
	return l.DB.Update(ctx, t, fn)
}

// unserialised runs each update on a state of its own and then writes whatever it wrote; with
// checks it refuses to overwrite what changed meanwhile, which is called snapshot isolation.
type unserialised struct {
	kv.DB
	checks bool
}

func (u unserialised) Update(ctx context.Context, t greentic.TenantCtx, fn func(kv.Txn) error) error {
	for {
		x := buffered{dirtyReader: dirtyReader{ctx, u.DB, t}, read: map[string]string{}, wrote: map[string]*string{}}
		if err := fn(x); err != nil {
			return err
		}
		runtime.Gosched()
		changed := false
		err := u.DB.Update(ctx, t, func(c kv.Txn) error {
			for key := range x.wrote {
				v, _ := c.Get(key)
				changed = changed || u.checks && string(v) != x.read[key]
			}
			for key, v := range x.wrote {
				if changed {
					break
				}
				if v == nil {
					_ = c.Delete(key)
				} else {
					_ = c.Put(key, []byte(*v), 0)
				}
			}
			return nil
		})
		if err != nil || !changed {
			return err
		}
	}
}

type buffered struct {
	dirtyReader
	read  map[string]string
	wrote map[string]*string
}

func (x buffered) Get(key string) ([]byte, error) {
	v, err := x.dirtyReader.Get(key)
	x.read[key] = string(v)
	runtime.Gosched()
	return v, err
}

func (x buffered) Put(key string, value []byte, _ time.Duration) error {
	s := string(value)
	x.wrote[key] = &s
	return nil
}

func (x buffered) Delete(key string) error {
	x.wrote[key] = nil
	return nil
}

func (buffered) Index(string, []byte) error   { return nil }
func (buffered) Require(string, []byte) error { return nil }

// remembers is a handle that looks at a required key once.
type remembers struct {
	kv.DB
	had map[string]error
}

func (r remembers) Update(ctx context.Context, t greentic.TenantCtx, fn func(kv.Txn) error) error {
	return r.DB.Update(ctx, t, func(x kv.Txn) error { return fn(remembering{x, r.had}) })
}

type remembering struct {
	kv.Txn
	had map[string]error
}

func (x remembering) Require(key string, value []byte) error {
	id := key + "=" + string(value)
	if _, ok := x.had[id]; !ok {
		x.had[id] = x.Txn.Require(key, value)
	}
	return x.had[id]
}

// TestBrokenSharingIsCaughtByName is TestBrokenStoresAreCaughtByName for what several do at once.
func TestBrokenSharingIsCaughtByName(t *testing.T) {
	for promise, wrap := range map[string]func(db, other kv.DB) kv.DB{
		"a view of many pages is a snapshot while writers write":         func(db, _ kv.DB) kv.DB { return dirty{db} },
		"a view sees every update that returned before":                  func(db, other kv.DB) kv.DB { return &lagging{DB: db, shown: other} },
		"no update is lost between two handles":                          func(db, _ kv.DB) kv.DB { return unserialised{db, false} },
		"two updates that read both keys and write one do not both pass": func(db, _ kv.DB) kv.DB { return unserialised{db, true} },
		"two updates do not both find a range empty":                     func(db, _ kv.DB) kv.DB { return unserialised{db, true} },
		"a required system key fences every handle":                      func(db, _ kv.DB) kv.DB { return remembers{db, map[string]error{}} },
	} {
		t.Run(promise, func(t *testing.T) {
			clock := kvtest.NewClock()
			db := wrap(memory.New(clock.Now), memory.New(clock.Now))
			caught(t, promise, clock, kvtest.Home{Shares: true, Open: func() (kv.DB, error) { return db, nil }})
		})
	}
}

func TestAStoreThatForgetsIsCaughtByName(t *testing.T) {
	clock := kvtest.NewClock()
	caught(t, "reopening keeps everything", clock, kvtest.Home{Keeps: true, Open: func() (kv.DB, error) { return memory.New(clock.Now), nil }})
}

package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/runner"
)

// shop is a server whose handler says what to answer; it runs requests side by side.
func shop(t testing.TB, handle func(path, key string, r *http.Request) string) *upstream {
	u := &upstream{called: make(chan struct{}, 100)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		u.mu.Lock()
		u.calls, u.keys = append(u.calls, r.URL.Path), append(u.keys, r.Header.Get("Idempotency-Key"))
		u.mu.Unlock()
		_, _ = w.Write([]byte(handle(r.URL.Path, r.Header.Get("Idempotency-Key"), r)))
	}))
	t.Cleanup(u.Close)
	return u
}

const eachItem = `
nodes:
  all:
    POST /order/{{item}}
    out_map: { n: "{{result.n}}" }
    meta: { greentic: { for_each: { items: [a, b, c, d, e, f], concurrency: WIDTH } } }
    routing: [{ to: say }]
  say:
    emit.response: { text: "{{#each all}}{{n}} {{/each}}" }
    routing: out
`

func TestItemsRunSideBySideAndAreRecordedInTheirOrder(t *testing.T) {
	var barrier sync.WaitGroup // of the first three: they answer when all of them are there
	barrier.Add(3)
	u := shop(t, func(path, _ string, _ *http.Request) string {
		if strings.Contains("abc", path[len(path)-1:]) {
			barrier.Done()
			barrier.Wait()
		}
		return fmt.Sprintf(`{"n":%q}`, path[len("/order/"):])
	})
	r := newSQLiteRig(t)
	run, _ := r.startCalling(u, caller(t, u, strings.Replace(eachItem, "WIDTH", "3", 1)))
	result, err := run.Turn(t.Context(), say("c", "1", "go"))
	if err != nil || result.Err != nil || len(result.Replies) != 1 || result.Replies[0].Text != "a b c d e f " || result.Steps != 8 {
		t.Fatalf("%v %v %+v", err, result.Err, result)
	}
	keys := slices.Clone(u.keys)
	if slices.Sort(keys); len(slices.Compact(keys)) != 6 || keys[0] != "turn-2/1.0/1" {
		t.Errorf("idempotency keys %q", keys)
	}
	var steps []string
	err = r.db.View(t.Context(), greentic.DefaultTenant(), func(x kv.Reader) error {
		return record.List(x, "c", 0, 0, func(rec record.Turn) bool {
			for _, s := range rec.Steps {
				steps = append(steps, strings.TrimSpace(s.Do+" "+s.Branch))
			}
			return true
		})
	})
	want := "fork,invoke 0,end 0,invoke 1,end 1,invoke 2,end 2,invoke 3,end 3,invoke 4,end 4,invoke 5,end 5,emit,end"
	if err != nil || strings.Join(steps, ",") != want {
		t.Errorf("recorded %v, %v", steps, err)
	}
	calls := len(u.paths())
	again, err := run.Replay(t.Context(), greentic.DefaultTenant(), "c", runner.ReplayOptions{})
	if err != nil || !again.Equal || len(u.paths()) != calls {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestFinishedItemsAreNotRunAgainAfterACrash(t *testing.T) {
	r := newSQLiteRig(t)
	d := &dying{DB: r.db, dead: make(chan struct{})}
	u := shop(t, func(path, _ string, _ *http.Request) string {
		if path == "/order/d" {
			d.die() // this call is made, and nobody will know
		}
		return fmt.Sprintf(`{"n":%q}`, path[len("/order/"):])
	})
	v := caller(t, u, strings.Replace(eachItem, "WIDTH", "1", 1))
	run := r.makeCalling(d, u, v)
	if err := run.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	accept(t, run, say("c", "1", "go"))
	<-d.dead
	over, cancel := context.WithCancel(t.Context())
	cancel()
	_ = run.Drain(over)
	r.reopen()
	run, _ = r.startCalling(u, v)
	if got := r.channel.replies(t, "c", 1); got[0] != "a b c d e f " {
		t.Errorf("replies %q", got)
	}
	if got := strings.Join(u.paths(), ""); got != "/order/a/order/b/order/c/order/d/order/d/order/e/order/f" {
		t.Errorf("called %s", got)
	}
	if u.keys[3] != u.keys[4] || u.keys[3] != "turn-2/1.3/1" {
		t.Errorf("idempotency keys %q", u.keys)
	}
	again, err := run.Replay(t.Context(), greentic.DefaultTenant(), "c", runner.ReplayOptions{})
	if err != nil || !again.Equal {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestAfterAFailureNoMoreBranchesBeginAndWhatRanIsUndone(t *testing.T) {
	flow := `
nodes:
  both:
    emit.log: { a: 1 }
    meta: { greentic: { parallel: { branches: [one, two, three], concurrency: 1 } } }
    routing: [{ to: end }]
  one:
    POST /one
    meta: { greentic: { compensate: undo } }
    routing: out
  two:
    POST /two
    routing: out
  three:
    POST /three
    routing: out
  undo:
    POST /undo
    routing: out
  end: { emit.response: { text: "never" } }
`
	u := shop(t, func(path, _ string, _ *http.Request) string {
		if path == "/two" {
			return `{"ok":false,"error":{"code":"sold_out","message":"no more"}}`
		}
		return `{}`
	})
	r := newRig(t)
	run, _ := r.startCalling(u, caller(t, u, flow))
	result, err := run.Turn(t.Context(), say("c", "1", "go"))
	if err != nil || result.Err == nil || !strings.Contains(result.Err.Error(), "sold_out: branch two: no more") {
		t.Errorf("%v, %v", err, result.Err)
	}
	if got := strings.Join(u.paths(), " "); got != "/one /two /undo" {
		t.Errorf("called %s", got)
	}
	again, err := run.Replay(t.Context(), greentic.DefaultTenant(), "c", runner.ReplayOptions{})
	if err != nil || !again.Equal {
		raw, _ := json.Marshal(again)
		t.Errorf("%s, %v", raw, err)
	}
}

func TestABranchTriesAgainWhileOthersGoOn(t *testing.T) {
	flow := strings.Replace(strings.Replace(eachItem, "WIDTH", "6", 1), "    out_map:", "    retry: { attempts: 3, backoff: 1 }\n    out_map:", 1)
	var mu sync.Mutex
	tries := map[string]int{}
	u := shop(t, func(path, _ string, _ *http.Request) string {
		mu.Lock()
		defer mu.Unlock()
		if tries[path]++; tries[path] < 3 && path != "/order/a" {
			return busy
		}
		return fmt.Sprintf(`{"n":%d}`, tries[path])
	})
	r := newRig(t)
	run, _ := r.startCalling(u, caller(t, u, flow))
	begin := time.Now()
	result, err := run.Turn(t.Context(), say("c", "1", "go"))
	if err != nil || result.Err != nil || result.Replies[0].Text != "1 3 3 3 3 3 " {
		t.Fatalf("%v %v %+v after %v", err, result.Err, result.Replies, time.Since(begin))
	}
	again, err := run.Replay(t.Context(), greentic.DefaultTenant(), "c", runner.ReplayOptions{})
	if err != nil || !again.Equal {
		raw, _ := json.Marshal(again)
		t.Errorf("%s, %v", raw, err)
	}
}

// stumbling is a store whose next writes fail.
type stumbling struct {
	kv.DB
	fail atomic.Int32
}

func (s *stumbling) Update(ctx context.Context, t greentic.TenantCtx, do func(kv.Txn) error) error {
	if s.fail.Add(-1) >= 0 {
		return fault.New(fault.Unavailable, "kv", "it is away")
	}
	return s.DB.Update(ctx, t, do)
}

func TestAStoreThatIsAwayForAWhileRepeatsNoItem(t *testing.T) {
	for _, width := range []string{"1", "3"} {
		r := newRig(t)
		d := &stumbling{DB: r.db}
		u := shop(t, func(path, _ string, _ *http.Request) string {
			if path == "/order/c" {
				d.fail.Store(2)
			}
			return fmt.Sprintf(`{"n":%q}`, path[len("/order/"):])
		})
		run := r.makeCalling(d, u, caller(t, u, strings.Replace(eachItem, "WIDTH", width, 1)))
		if err := run.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		accept(t, run, say("c", "1", "go"))
		if got := r.channel.replies(t, "c", 1); got[0] != "a b c d e f " {
			t.Errorf("replies %q", got)
		}
		paths := u.paths()
		if slices.Sort(paths); len(paths) != 6 || len(slices.Compact(paths)) != 6 {
			t.Errorf("width %s: called %s", width, paths)
		}
		if err := run.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestBranchesEndWithTheTimeOfTheirTurn(t *testing.T) {
	u := shop(t, func(path, _ string, r *http.Request) string {
		if path == "/order/b" {
			<-r.Context().Done()
		}
		return fmt.Sprintf(`{"n":%q}`, path[len("/order/"):])
	})
	r := newRig(t)
	r.options.TurnTime = 300 * time.Millisecond
	run, _ := r.startCalling(u, caller(t, u, strings.Replace(eachItem, "WIDTH", "2", 1)))
	result, err := run.Turn(t.Context(), say("c", "1", "go"))
	if err != nil || result.Err == nil || !strings.Contains(result.Err.Error(), "timeout: branch 1: ") {
		t.Fatalf("%v %+v", err, result)
	}
	again, err := run.Replay(t.Context(), greentic.DefaultTenant(), "c", runner.ReplayOptions{})
	if err != nil || !again.Equal {
		raw, _ := json.Marshal(again)
		t.Errorf("%s, %v", raw, err)
	}
}

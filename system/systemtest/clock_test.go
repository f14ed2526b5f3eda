package systemtest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/system"
)

func TestAClockThatJumpsLosesNothing(t *testing.T) {
	needsProcesses(t)
	t.Parallel()
	c := chatting(t, chaosPack(t, "http://127.0.0.1:1"))
	c.Drift = true
	s := startServer(t, c)
	user := newClient(t, s.url)
	var texts []string
	for i, by := range []string{"10m", "-20m", "24h", "-24h"} {
		texts = append(texts, fmt.Sprint(2*i), fmt.Sprint(2*i+1))
		if err := user.post("clock", 2*i, texts[2*i]); err != nil {
			t.Fatal(err)
		}
		ask(t, s, "/clock?by="+by)
		until := time.Now().Add(20 * time.Second)
		for err := user.post("clock", 2*i+1, texts[2*i+1]); err != nil; err = user.post("clock", 2*i+1, texts[2*i+1]) {
			if time.Now().After(until) || strings.Contains(err.Error(), ": 40") { // its token has expired, or comes from the future, by that clock
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		ask(t, s, "/clock?by="+inverse(by))
		if err := user.post("clock", 2*i+1, texts[2*i+1]); err != nil {
			t.Fatal(err)
		}
		user.answered(t, texts...)
	}
}

func inverse(by string) string {
	if back, ok := strings.CutPrefix(by, "-"); ok {
		return back
	}
	return "-" + by
}

// timersPack speaks again when nobody has said anything for an hour, and does something every hour.
func timersPack(t *testing.T) string {
	t.Helper()
	return writeFiles(t, map[string]string{
		"pack.yaml": `pack_id: test.timers
version: 1.0.0
kind: application
publisher: test
flows:
  - { id: main, file: flows/main.ygtc, tags: [default] }
  - { id: tick, file: flows/tick.ygtc, tags: [] }
extensions:
  greentic.events.v1:
    version: "1"
    inline:
      schedules:
        - { id: hourly, cron: "0 * * * *", zone: UTC, catch_up: all, flow: tick }
`,
		"flows/main.ygtc": `id: main
type: messaging
tags: [default]
nodes:
  say:
    emit.response: { text: "armed {{response.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next, timeout: 1h, on_timeout: late }
    routing: [{ to: say }]
  late:
    emit.response: { text: "late" }
    routing: out
`,
		"flows/tick.ygtc": "id: tick\ntype: event\nnodes:\n  tick:\n    emit.log: { tick: true }\n    routing: out\n",
	})
}

// clocked is a server whose clock is moved, and what it has done by then.
type clocked struct {
	t *testing.T
	*server
	ops *system.Operator
}

func newClocked(t *testing.T) *clocked {
	t.Helper()
	c := chatting(t, timersPack(t), "data", t.TempDir(), "keys", t.TempDir(), "cache", t.TempDir())
	c.Drift = true
	s := startServer(t, c)
	config, err := system.Load("", func(string) string { return "" }, []system.Override{{Key: "data", Value: c.Settings["data"]}})
	if err != nil {
		t.Fatal(err)
	}
	ops, err := system.OpenOperator(t.Context(), config, system.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &clocked{t, s, ops}
}

func (c *clocked) jump(by time.Duration) { ask(c.t, c.server, "/clock?by="+by.String()) }

func (c *clocked) call(path string, out any) {
	c.t.Helper()
	if err := c.ops.Call(c.t.Context(), "GET", path, nil, out); err != nil {
		c.t.Fatal(err)
	}
}

// fired are the ids of the turns of a conversation that a due time started, which must differ.
func (c *clocked) fired(key string) (ids []string) {
	c.t.Helper()
	var page struct {
		Turns []struct {
			Turn string `json:"turn"`
		} `json:"turns"`
	}
	c.call("/v1/turns?limit=1000&session="+url.QueryEscape(key), &page)
	seen := map[string]bool{}
	for _, line := range page.Turns {
		var rec struct {
			Trigger struct {
				ID   string        `json:"id"`
				Kind greentic.Kind `json:"kind"`
			} `json:"trigger"`
		}
		c.call("/v1/turns/"+line.Turn, &rec)
		if rec.Trigger.Kind == greentic.KindMessage {
			continue
		}
		if seen[rec.Trigger.ID] {
			c.t.Fatalf("%s fired twice", rec.Trigger.ID)
		}
		seen[rec.Trigger.ID] = true
		ids = append(ids, rec.Trigger.ID)
	}
	return ids
}

// until waits for n fires of a conversation. A due time is found within 5 s of its clock.
func (c *clocked) until(key string, n int) {
	c.t.Helper()
	for late := time.Now().Add(60 * time.Second); ; time.Sleep(50 * time.Millisecond) { // between looks
		ids := c.fired(key)
		switch {
		case len(ids) == n:
			return
		case len(ids) > n:
			c.t.Fatalf("%s fired %d times, want %d: %q", key, len(ids), n, ids)
		case time.Now().After(late):
			c.t.Fatalf("%s fired %d times, want %d: %q", key, len(ids), n, ids)
		}
	}
}

// The end of a wait and each time of a schedule come once, whether the clock jumps over them forwards,
// back behind them when they have come, or back before they have.
func TestWhatIsDueComesOnceWhenTheClockJumps(t *testing.T) {
	needsProcesses(t)
	t.Parallel()
	const cron = "test.timers/hourly"
	quarter := time.Now().Truncate(time.Hour).Add(75 * time.Minute) // past the next hour: no test runs over a full one
	c := newClocked(t)
	c.jump(time.Until(quarter))
	c.until(cron, 1)
	user := newClient(t, c.url)
	say := func(i int) {
		t.Helper()
		if err := user.post("timers", i, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	var sessions struct {
		Sessions []struct {
			Key string `json:"key"`
		} `json:"sessions"`
	}
	say(0)
	for len(sessions.Sessions) == 0 {
		c.call("/v1/sessions", &sessions)
	}
	wait := sessions.Sessions[0].Key

	c.jump(70 * time.Minute) // forwards over both
	c.until(wait, 1)
	c.until(cron, 2)
	c.jump(-70 * time.Minute) // back behind both
	say(1)                    // waits until a quarter past again
	c.jump(-3 * time.Hour)    // back before it is due, and further than all before
	c.jump(3 * time.Hour)
	c.until(wait, 1)
	c.jump(70 * time.Minute) // where it was: the hour has come already, the second wait has not
	c.until(wait, 2)
	c.jump(60 * time.Minute)
	c.until(cron, 3)
	c.until(wait, 2)
	c.jump(-130 * time.Minute)
	user.reads(t, "armed 0", "late", "armed 1", "late")
}

package systemtest_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chatting is a child that serves the flow chain over web chat, with further settings.
func chatting(t *testing.T, pack string, settings ...string) child {
	t.Helper()
	m := map[string]string{"data": t.TempDir(), "keys": filepath.Join(pack, "..", "keys"), "cache": filepath.Join(pack, "..", "cache"), "log.level": "error"}
	for i := 0; i < len(settings); i += 2 {
		m[settings[i]] = settings[i+1]
	}
	return child{Settings: m, Pack: pack}
}

// ask sends control requests to the door for tests.
func ask(t *testing.T, s *server, path string) {
	t.Helper()
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Post(s.side+path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", path, resp.StatusCode)
	}
}

// answered reads until there are n answers, those of the flow chain to 0, 1, 2 and so on.
func (c *client) answered(t *testing.T, texts ...string) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) { // between polls
		err := c.poll()
		if err == nil && len(c.texts) >= len(texts) {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("%d answers to %d messages: %v", len(c.texts), len(texts), err)
		}
	}
	if err := chained(c.texts, texts); err != nil {
		t.Fatal(err)
	}
}

func needsProcesses(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts server processes")
	}
}

func TestAFullDiskRefusesMessagesWith503AndRecovers(t *testing.T) {
	needsProcesses(t)
	c := chatting(t, chaosPack(t, "http://127.0.0.1:1"))
	c.Disk = "12m"
	s, err := launch(c, ownMounts(), t.Output())
	if err != nil {
		t.Skipf("skip: no file system of its own can be mounted: %v", err)
	}
	t.Cleanup(s.kill)
	select {
	case <-s.ready:
	case <-s.gone:
		t.Skipf("skip: no file system of its own can be mounted: %v", s.cmd.ProcessState)
	}
	user := newClient(t, s.url)
	var texts []string
	for i := 0; ; i++ {
		text := fmt.Sprint(i, strings.Repeat("x", 200_000))
		err := user.post("full", i, text)
		if err == nil {
			texts = append(texts, text)
		} else if strings.Contains(err.Error(), ": 503 ") && strings.Contains(err.Error(), "full") {
			break
		} else {
			t.Fatalf("message %d: %.300v", i, err)
		}
		if i > 200 {
			t.Fatal("the disk does not get full")
		}
	}
	ask(t, s, "/disk?size=200m")
	text := fmt.Sprint(len(texts), strings.Repeat("x", 200_000)) // the refused one, again
	if err := user.post("full", len(texts), text); err != nil {
		t.Fatalf("with space again: %.300v", err)
	}
	user.answered(t, append(texts, text)...)
}

// database is a server that can be stopped and started.
type database interface {
	URL(t testing.TB) string
	Stop() error
	Start() error
}

func TestADatabaseThatIsGoneForAWhileLosesNothing(t *testing.T) {
	needsProcesses(t)
	for name, db := range map[string]database{"PostgreSQL": &postgresServer, "Redis": &redisServer} {
		for _, patience := range []string{"0s", "30s"} {
			t.Run(name+", patience "+patience, func(t *testing.T) {
				c := chatting(t, chaosPack(t, "http://127.0.0.1:1"), "store", db.URL(t), "lease_ttl", "1s", "store_patience", patience)
				s := startServer(t, c)
				user := newClient(t, s.url)
				user.http = &http.Client{Timeout: 40 * time.Second}
				texts := []string{"0", "1"}
				if err := user.post("gone", 0, "0"); err != nil {
					t.Fatal(err)
				}
				user.answered(t, "0")
				if err := db.Stop(); err != nil {
					t.Fatal(err)
				}
				accepted := make(chan error, 1)
				go func() { accepted <- user.post("gone", 1, "1") }()
				time.Sleep(3 * time.Second) // how long it is gone
				if patience == "0s" {
					if err := <-accepted; err == nil || !strings.Contains(err.Error(), ": 503 ") {
						t.Errorf("while it is gone: %v", err)
					}
				}
				if err := db.Start(); err != nil {
					t.Fatal(err)
				}
				if patience == "0s" {
					accepted <- user.post("gone", 1, "1") // as a client does with a 503
					for err := <-accepted; err != nil; err = user.post("gone", 1, "1") {
						if !strings.Contains(err.Error(), ": 503 ") {
							t.Fatal(err)
						}
						time.Sleep(50 * time.Millisecond)
					}
				} else if err := <-accepted; err != nil {
					t.Fatalf("a patient process: %v", err)
				}
				user.answered(t, texts...)
			})
		}
	}
}

func TestAClockThatJumpsLosesNothing(t *testing.T) {
	needsProcesses(t)
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
			if time.Now().After(until) || strings.Contains(err.Error(), ": 403 ") { // its token has expired by that clock
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

func TestTwoRunnersOfOneNameShareTheWork(t *testing.T) {
	needsProcesses(t)
	pack, store := chaosPack(t, "http://127.0.0.1:1"), postgresServer.URL(t)
	one := startServer(t, chatting(t, pack, "store", store, "lease_ttl", "1s", "runner_name", "twin"))
	two := startServer(t, chatting(t, pack, "store", store, "lease_ttl", "1s", "runner_name", "twin"))
	for n := range 8 {
		user := newClient(t, one.url)
		var texts []string
		for i := range 6 {
			user.base = []string{one.url, two.url}[(i+n)%2]
			texts = append(texts, fmt.Sprint(i))
			if err := user.post("twin", i, texts[i]); err != nil {
				t.Fatal(err)
			}
		}
		user.answered(t, texts...)
	}
	for _, s := range []*server{one, two} {
		if err := s.end(20 * time.Second); err != nil {
			t.Error(err)
		}
	}
}

func TestAMessageOverTheLimitIsRefusedByNameAndLeavesNothing(t *testing.T) {
	needsProcesses(t)
	pack := chaosPack(t, "http://127.0.0.1:1")
	for size, want := range map[int]string{2 << 20: ": 413 ", 9 << 20: ": 4"} {
		c := chatting(t, pack)
		if size > 8<<20 {
			c.Settings["limits.body_mib"] = "32"
		}
		s := startServer(t, c)
		user := newClient(t, s.url)
		err := user.post("big", 0, strings.Repeat("x", size))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %.300v", size, err)
		}
		if err := user.post("big", 1, "1"); err != nil {
			t.Fatal(err)
		}
		user.answered(t, "1")
		if len(user.activities) != 2 {
			t.Errorf("%d bytes: %d activities are in the transcript", size, len(user.activities))
		}
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
}

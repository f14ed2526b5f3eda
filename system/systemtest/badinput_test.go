package systemtest_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"greentic.dev/internal/testserver"
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

// answered reads until all texts have an answer, which must be those of the flow chain.
func (c *client) answered(t *testing.T, texts ...string) {
	t.Helper()
	c.collect(t, len(texts))
	if err := chained(c.texts, texts); err != nil {
		t.Fatal(err)
	}
}

// reads reads until there are as many answers, which must be these.
func (c *client) reads(t *testing.T, answers ...string) {
	t.Helper()
	c.collect(t, len(answers))
	if !slices.Equal(c.texts, answers) {
		t.Fatalf("answers %q, want %q", c.texts, answers)
	}
}

// collect reads until there are n answers.
func (c *client) collect(t *testing.T, n int) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) { // between polls
		err := c.poll()
		if err == nil && len(c.texts) >= n {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("%d answers of %d: %v", len(c.texts), n, err)
		}
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
	t.Parallel()
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
	Close() error
}

// Two processes live through the outage of a server: one refuses what it cannot store, one is patient.
// Both go on by themselves.
func TestADatabaseThatIsGoneForAWhileLosesNothing(t *testing.T) {
	needsProcesses(t)
	t.Parallel()
	for _, c := range []struct {
		name string
		db   database
		gone time.Duration
	}{{"PostgreSQL", &testserver.Postgres{}, 30 * time.Second}, {"Redis", &testserver.Redis{}, 5 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if err := c.db.Close(); err != nil {
					t.Error(err)
				}
			})
			pack := chaosPack(t, "http://127.0.0.1:1")
			user := func(patience string) *client {
				u := newClient(t, startServer(t, chatting(t, pack, "store", c.db.URL(t), "lease_ttl", "1s", "store_patience", patience)).url)
				u.http = &http.Client{Timeout: 2 * time.Minute}
				if err := u.post("gone", 0, "0"); err != nil {
					t.Fatal(err)
				}
				u.answered(t, "0")
				return u
			}
			refused, patient := user("0s"), user("90s")
			if err := c.db.Stop(); err != nil {
				t.Fatal(err)
			}
			back := time.After(c.gone)
			accepted := make(chan error, 1)
			go func() { accepted <- patient.post("gone", 1, "1") }()
			if err := refused.post("gone", 1, "1"); err == nil || !strings.Contains(err.Error(), ": 503 ") {
				t.Errorf("while it is gone: %v", err)
			}
			select {
			case err := <-accepted:
				t.Fatalf("the patient process did not wait: %v", err)
			case <-back:
			}
			if err := c.db.Start(); err != nil {
				t.Fatal(err)
			}
			for err := refused.post("gone", 1, "1"); err != nil; err = refused.post("gone", 1, "1") { // as a client does with a 503
				if !strings.Contains(err.Error(), ": 503 ") {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Millisecond)
			}
			if err := <-accepted; err != nil {
				t.Fatalf("a patient process: %v", err)
			}
			refused.answered(t, "0", "1")
			patient.answered(t, "0", "1")
		})
	}
}

func TestTwoRunnersOfOneNameShareTheWork(t *testing.T) {
	needsProcesses(t)
	t.Parallel()
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
	t.Parallel()
	pack := chaosPack(t, "http://127.0.0.1:1")
	for size, limit := range map[int]string{2 << 20: "1048576", 9 << 20: "8388608"} { // of a request, as configured; of a stored value
		c := chatting(t, pack)
		if size > 8<<20 {
			c.Settings["limits.body_mib"] = "32"
		}
		s := startServer(t, c)
		user := newClient(t, s.url)
		err := user.post("big", 0, strings.Repeat("x", size))
		if err == nil || !strings.Contains(err.Error(), ": 413 ") || !strings.Contains(err.Error(), limit) {
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

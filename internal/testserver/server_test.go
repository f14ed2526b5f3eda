package testserver_test

import (
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/internal/testserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is what both kinds of server can do.
type server interface {
	URL(testing.TB) string
	Start() error
	Stop() error
	Kill() error
	Close() error
	PID() int
}

// dial says whether somebody listens behind a URL.
func dial(t *testing.T, text string) error {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	address := u.Path
	if dir := u.Query().Get("host"); dir != "" {
		address = dir + "/.s.PGSQL.5432"
	}
	c, err := net.Dial("unix", address)
	if err != nil {
		return err
	}
	return c.Close()
}

func TestAServerIsStoppedKilledStartedAgainAndGoneAfterClose(t *testing.T) {
	for name, s := range map[string]server{"postgres": &testserver.Postgres{}, "redis": &testserver.Redis{}} {
		t.Run(name, func(t *testing.T) {
			first := s.URL(t)
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if dial(t, first) == nil {
					t.Error("it still listens after close")
				}
			}()
			if second := s.URL(t); second == first {
				t.Errorf("two tests get %s", first)
			}
			for _, end := range []func() error{s.Stop, s.Kill} {
				process, err := os.FindProcess(s.PID())
				if err != nil {
					t.Fatal(err)
				}
				if err := dial(t, first); err != nil {
					t.Fatal(err)
				}
				if err := end(); err != nil {
					t.Fatal(err)
				}
				if dial(t, first) == nil || process.Signal(syscall.Signal(0)) == nil {
					t.Error("it still runs")
				}
				if err := s.Start(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A skipped test has no failure, a required one has; the folder named does not hold the programs.
func TestAMissingToolIsANamedSkip(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("REQUIRE_ALL", "")
	var r testserver.Redis
	skipped := true
	t.Run("missing", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		r.URL(t)
		skipped = false
	})
	if !skipped {
		t.Error("a test without its server was not skipped")
	}
	if _, err := r.Open(t.Context()); !errors.Is(err, testserver.ErrMissing) {
		t.Errorf("a program without its server is told %v", err)
	}
	if err := r.Close(); err != nil || os.Getenv("PATH") == "" {
		t.Error(err)
	}
}

package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Postgres is a PostgreSQL server on a Unix socket. The zero value starts it at first use; it may be used
// by several tests at once.
type Postgres struct{ process }

// nobody is the user PostgreSQL runs as where the tests run as root, which it refuses.
const nobody = 65534

// Open starts the server, if it does not run, and names a schema that no other call was given. Without
// PostgreSQL it fails with [ErrMissing].
func (p *Postgres) Open(ctx context.Context) (url string, err error) {
	n, err := p.open(func() error { return p.create(ctx) }, p.start)
	return fmt.Sprintf("postgres://greentic@localhost/postgres?host=%s&schema=test_%d", p.dir, n), err
}

// URL is Open for a test, which is skipped without PostgreSQL, or fails if REQUIRE_ALL is set.
func (p *Postgres) URL(t testing.TB) string {
	t.Helper()
	url, err := p.Open(t.Context())
	require(t, err)
	return url
}

func uid() uint32 {
	if os.Getuid() == 0 {
		return nobody
	}
	return uint32(max(os.Getuid(), 0))
}

func (p *Postgres) program(name string) (string, error) {
	path, err := find(name, "/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return path, nil
}

// create makes the cluster.
func (p *Postgres) create(ctx context.Context) error {
	initdb, err := p.program("initdb")
	if err != nil {
		return err
	}
	if err := p.folder(uid()); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, initdb, "-D", filepath.Join(p.dir, "data"), "-U", "greentic", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.SysProcAttr = p.dir, attributes(uid())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (p *Postgres) start() error {
	path, err := p.program("postgres")
	if err != nil {
		return err
	}
	args := []string{"-D", filepath.Join(p.dir, "data"), "-k", p.dir}
	for _, s := range []string{"listen_addresses=", "fsync=on", "synchronous_commit=on", "shared_buffers=64MB", "max_connections=100", "logging_collector=off"} {
		args = append(args, "-c", s)
	}
	if err := p.spawn(uid(), path, args...); err != nil {
		return err
	}
	return p.await(func() error {
		text, err := os.ReadFile(filepath.Join(p.dir, "data", "postmaster.pid"))
		if err != nil {
			return err
		}
		if lines := strings.Split(string(text), "\n"); len(lines) < 8 || strings.TrimSpace(lines[7]) != "ready" || lines[0] != fmt.Sprint(p.cmd.Process.Pid) {
			return errors.New("it is starting")
		}
		c, err := net.Dial("unix", filepath.Join(p.dir, ".s.PGSQL.5432"))
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// Start starts a server that was stopped or killed, on what it has stored.
func (p *Postgres) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.start()
}

// Stop shuts the server down: it breaks its connections and writes everything.
func (p *Postgres) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signal(syscall.SIGINT)
}

// Kill ends all processes of the server at once, as a crash does.
func (p *Postgres) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signal(syscall.SIGQUIT) // "immediate": the postmaster kills its children; what was not synced is recovered from the log
}

// PID is the process id of the running server.
func (p *Postgres) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// Close stops the server and deletes what it stored.
func (p *Postgres) Close() error { return p.close(syscall.SIGQUIT) }

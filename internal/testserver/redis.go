package testserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Redis is a Redis server on a Unix socket in its own folder, where no other server can be met, with an
// append-only file that is synced every second. The zero value starts it at first use; it may be used by
// several tests at once.
type Redis struct{ process }

func (r *Redis) socket() string { return filepath.Join(r.dir, "redis.sock") }

// Open starts the server, if it does not run, and names a namespace that no other call was given. Without
// Redis it fails with [ErrMissing].
func (r *Redis) Open(context.Context) (url string, err error) {
	n, err := r.open(r.create, r.start)
	return fmt.Sprintf("redis+unix://%s?namespace=test_%d", r.socket(), n), err
}

// URL is Open for a test, which is skipped without Redis, or fails if REQUIRE_ALL is set.
func (r *Redis) URL(t testing.TB) string {
	t.Helper()
	url, err := r.Open(t.Context())
	require(t, err)
	return url
}

func (r *Redis) create() error {
	if _, err := find("redis-server"); err != nil {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return r.folder(uint32(max(os.Getuid(), 0)))
}

func (r *Redis) start() error {
	path, err := find("redis-server")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	err = r.spawn(uint32(max(os.Getuid(), 0)), path, "--port", "0", "--unixsocket", r.socket(), "--dir", r.dir,
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no")
	if err != nil {
		return err
	}
	return r.await(func() error {
		c, err := net.DialTimeout("unix", r.socket(), time.Second)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		if _, err := c.Write([]byte("PING\r\n")); err != nil {
			return err
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if err == nil && !strings.HasPrefix(line, "+PONG") { // it is loading
			err = errors.New(strings.TrimSpace(line))
		}
		return err
	})
}

// Start starts a server that was stopped or killed, on what it has stored.
func (r *Redis) Start() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.start()
}

// Stop shuts the server down; it writes everything.
func (r *Redis) Stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signal(syscall.SIGTERM)
}

// Kill ends the server at once, as a crash does.
func (r *Redis) Kill() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signal(syscall.SIGKILL)
}

// PID is the process id of the running server.
func (r *Redis) PID() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cmd.Process.Pid
}

// Close stops the server and deletes what it stored.
func (r *Redis) Close() error { return r.close(syscall.SIGKILL) }

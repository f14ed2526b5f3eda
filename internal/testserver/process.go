package testserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds a start or a stop.
const patience = 30 * time.Second

// process is one server: its folder, and the running process or none.
type process struct {
	mu      sync.Mutex
	dir     string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cmd has ended
	names   int           // databases given out
	failure error         // of the first start
}

// find is a program of the given name on the PATH or in one of the folders.
func find(name string, folders ...string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	for _, pattern := range folders {
		found, err := filepath.Glob(filepath.Join(pattern, name))
		if err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", fmt.Errorf("%s is not installed", name)
}

// require skips the test for want of a tool; with REQUIRE_ALL it fails.
func require(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("REQUIRE_ALL") == "":
		t.Skipf("skip: %v", err)
	default:
		t.Fatal(err)
	}
}

// ErrMissing says that the programs of a server are not installed.
var ErrMissing = errors.New("a tool is missing")

// open makes the server at first use, starts it if it does not run, and counts the databases given out.
func (p *process) open(create, start func() error) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir == "" && p.failure == nil {
		p.failure = create()
	}
	if err = p.failure; err == nil && p.cmd == nil {
		err = start()
	}
	p.names++
	return p.names, err
}

// spawn starts the server and keeps it until it ends. A server does not outlive the process of its
// test, so the thread that started it must stay as long.
func (p *process) spawn(uid uint32, path string, args ...string) error {
	log, err := os.OpenFile(filepath.Join(p.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.dir, log, log, attributes(uid)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is seen by whoever used it
		}
		_ = log.Close()
	}()
	if err := <-started; err != nil {
		return err
	}
	p.cmd, p.ended = cmd, ended
	return nil
}

// await calls ready until it succeeds.
func (p *process) await(ready func() error) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			text, _ := os.ReadFile(filepath.Join(p.dir, "server.log"))
			return fmt.Errorf("the server ended: %s", text)
		case <-deadline.C:
			return fmt.Errorf("the server does not get ready: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// signal ends the server and waits until it is gone.
func (p *process) signal(how syscall.Signal) error {
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(how) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("the server did not end after %s", how)
	}
	p.cmd = nil
	return nil
}

// close ends the server for good.
func (p *process) close(how syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.signal(how)
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}

// folder makes the folder of the server, owned by uid.
func (p *process) folder(uid uint32) (err error) {
	if p.dir, err = os.MkdirTemp("", "testserver"); err != nil {
		return err
	}
	return os.Chown(p.dir, int(uid), -1)
}

//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/examples/helpdesk"
)

// echo answers in one step and waits for the next message.
const echo = `nodes:
  answer:
    emit.response: { text: "answer {{input.input.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: answer }]
`

// three has three steps, of which the first changes something outside: after it the turn is
// checkpointed.
const three = `nodes:
  send:
    component.exec: { component: bench.asker, operation: "URL", input: "p" }
    routing: [{ to: answer }]
  answer:
    emit.response: { text: "answer {{input.input.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: send }]
`

func onSQLite(ctx context.Context, dir string) (kv.DB, error) {
	return sqlite.Open(ctx, filepath.Join(dir, "greentic.db"), sqlite.Options{})
}

// turns measures durable turns on SQLite, fsync on: accept, run, commit, deliver.
func turns(ctx context.Context) ([]figure, error) {
	one, many, err := turnsOn(ctx, onSQLite, nil, echo)
	if err != nil {
		return nil, err
	}
	list := []figure{
		{Name: "turn_sqlite_1", Value: one.rate, Unit: "turns/s", Bar: bar(1000), higher: true},
		{Name: "turn_sqlite_1_cpu", Value: one.cpu, Unit: "us CPU"},
		{Name: "turn_sqlite_64", Value: many.rate, Unit: "turns/s", Bar: bar(10000), higher: true},
		{Name: "turn_sqlite_64_p99", Value: many.p99, Unit: "ms", Bar: bar(20)},
		{Name: "turn_sqlite_64_cpu", Value: many.cpu, Unit: "us CPU", Bar: bar(150)},
	}
	if _, many, err = turnsOn(ctx, onSQLite, nil, three); err != nil {
		return list, err
	}
	return append(list, figure{Name: "turn_3step", Value: many.rate, Unit: "turns/s, HTTP client and server included", Bar: bar(5000), higher: true},
		figure{Name: "turn_3step_cpu", Value: many.cpu, Unit: "us CPU, HTTP client and server included"}), nil
}

// turnsOn measures one conversation and 64 of them over a store. used is the processor time of its
// server, nil without one.
func turnsOn(ctx context.Context, open opener, used func() time.Duration, flow string) (one, many pace, err error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return one, many, err
	}
	defer os.RemoveAll(dir)
	b, err := lay(ctx, dir, open, flow)
	if err != nil {
		return one, many, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.used = used
	if err := b.run.Start(ctx); err != nil {
		return one, many, err
	}
	if one, err = b.converse(ctx, "one", 1, 2*time.Second); err != nil {
		return one, many, err
	}
	if _, err = b.converse(ctx, "warm", 64, time.Second); err != nil {
		return one, many, err
	}
	many, err = b.converse(ctx, "many", 64, 4*time.Second)
	return one, many, err
}

// product measures the product itself: a turn by command line, the start of a server, its memory.
func product(ctx context.Context) ([]figure, error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	bin, pack := filepath.Join(dir, "greentic"), filepath.Join(dir, "pack")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/greentic").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %v: %s", err, out)
	}
	source, err := fs.Sub(helpdesk.Files, "pack")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(pack, source); err != nil {
		return nil, err
	}
	env := append(os.Environ(), "GREENTIC_KEYS="+filepath.Join(dir, "keys"), "GREENTIC_CACHE="+filepath.Join(dir, "cache"), "GREENTIC_DATA="+filepath.Join(dir, "data"))
	file := filepath.Join(dir, "helpdesk.gtpack")
	if _, err := command(ctx, env, bin, "pack", "build", pack, "--out", file); err != nil {
		return nil, err
	}
	message := []string{"run", file, "--message", "my printer is broken", "--json"}
	if _, err := command(ctx, env, bin, message...); err != nil { // fills the cache
		return nil, err
	}
	var best time.Duration
	for range 5 {
		used, err := command(ctx, env, bin, message...)
		if err != nil {
			return nil, err
		}
		if best == 0 || used < best {
			best = used
		}
	}
	list := []figure{{Name: "run_message", Value: float64(best.Microseconds()) / 1e3, Unit: "ms CPU, whole process"}}
	ready, resident, err := startServer(ctx, env, bin)
	if err != nil {
		return list, err
	}
	return append(list,
		figure{Name: "start_warm", Value: float64(ready.Microseconds()) / 1e3, Unit: "ms to ready", Bar: bar(300)},
		figure{Name: "idle_memory", Value: resident, Unit: "MiB resident", Bar: bar(80)}), nil
}

// command runs the binary and returns the processor time it used.
func command(ctx context.Context, env []string, bin string, args ...string) (time.Duration, error) {
	c := exec.CommandContext(ctx, bin, args...)
	c.Env = env
	if out, err := c.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), nil
}

// startServer starts `up --demo` twice and measures the second start: caches warm.
func startServer(ctx context.Context, env []string, bin string) (ready time.Duration, resident float64, err error) {
	for range 2 {
		c := exec.CommandContext(ctx, bin, "up", "--demo", "--listen", "127.0.0.1:0", "--json")
		c.Env = env
		out, err := c.StdoutPipe()
		if err != nil {
			return 0, 0, err
		}
		begin := time.Now()
		if err := c.Start(); err != nil {
			return 0, 0, err
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			return 0, 0, fmt.Errorf("up --demo did not get ready: %w", err)
		}
		ready = time.Since(begin)
		resident = residentMiB(c.Process.Pid)
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			return 0, 0, err
		}
		if err := c.Wait(); err != nil {
			return 0, 0, fmt.Errorf("up --demo after SIGTERM: %w", err)
		}
	}
	return ready, resident, nil
}

func residentMiB(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

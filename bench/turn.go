//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"greentic.dev/examples/helpdesk"
	"greentic.dev/greentic"
	"greentic.dev/system"
)

// echo is a flow of one step that waits for the next message.
var echo = map[string]string{
	"pack.yaml":       "pack_id: bench.echo\nversion: 1.0.0\nkind: application\npublisher: bench\nflows:\n  - { id: echo, file: flows/echo.ygtc, tags: [default] }\n",
	"flows/echo.ygtc": "id: echo\ntype: messaging\nnodes:\n  answer:\n    emit.response: { text: \"answer {{input.input.text}}\" }\n    routing: [{ to: pause }]\n  pause:\n    session.wait: { reason: next }\n    routing: [{ to: answer }]\n",
}

// turns measures durable turns on SQLite, fsync on: accept, run, commit.
func turns(ctx context.Context) ([]figure, error) {
	dir, err := os.MkdirTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range echo {
		file := filepath.Join(dir, "echo", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	c, err := system.Load("", func(string) string { return "" }, []system.Override{
		{Key: "data", Value: filepath.Join(dir, "data")}, {Key: "keys", Value: filepath.Join(dir, "keys")}, {Key: "workers", Value: "64"}})
	if err != nil {
		return nil, err
	}
	s, err := system.Open(ctx, c, system.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if _, err := s.Load(ctx, filepath.Join(dir, "echo")); err != nil {
		return nil, err
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = s.Drain(ctx) }()
	one, _, err := converse(ctx, s, 1, 2*time.Second)
	if err != nil {
		return nil, err
	}
	many, cost, err := converse(ctx, s, 64, 4*time.Second)
	return []figure{
		{Name: "turn_sqlite_1", Value: one, Unit: "turns/s", Bar: bar(1000), higher: true},
		{Name: "turn_sqlite_64", Value: many, Unit: "turns/s", Bar: bar(10000), higher: true},
		{Name: "turn_sqlite_64_cpu", Value: cost, Unit: "us CPU", Bar: bar(150)},
	}, err
}

// converse keeps n conversations busy and returns turns per second and processor time per turn.
func converse(ctx context.Context, s *system.System, n int, d time.Duration) (rate, cost float64, err error) {
	var all sync.WaitGroup
	counts, errs := make([]int, n), make([]error, n)
	begin, start := cpu(), time.Now()
	for i := range n {
		all.Go(func() {
			key := fmt.Sprintf("c%d-%d", n, i)
			for time.Since(start) < d {
				body, _ := json.Marshal(greentic.Message{ID: key, Channel: "bench", Text: "hello"})
				r, err := s.Turn(ctx, greentic.Trigger{ID: fmt.Sprintf("%s-%d", key, counts[i]), Tenant: s.Tenant(), Kind: greentic.KindMessage, Route: "bench", Key: key, Body: body})
				if err == nil {
					err = r.Err
				}
				if err != nil {
					errs[i] = err
					return
				}
				counts[i]++
			}
		})
	}
	all.Wait()
	total := 0
	for i := range counts {
		total += counts[i]
		if errs[i] != nil {
			err = errs[i]
		}
	}
	used := cpu() - begin
	return float64(total) / time.Since(start).Seconds(), float64(used.Microseconds()) / float64(total), err
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

//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/internal/testserver"
)

// servers measures the one-step turns of group turns on local database servers that it starts.
func servers(ctx context.Context) (list []figure, err error) {
	var pg testserver.Postgres
	var rd testserver.Redis
	defer func() { err = errors.Join(err, pg.Close(), rd.Close()) }()
	for _, s := range []struct {
		name   string
		bar    float64
		says   string // how durable a commit is
		server interface {
			Open(context.Context) (string, error)
			PID() int
		}
		open func(ctx context.Context, url string) (kv.DB, error)
	}{
		{"postgres", 3000, "fsync on", &pg, func(ctx context.Context, url string) (kv.DB, error) {
			return postgres.Open(ctx, url, postgres.Options{})
		}},
		{"redis", 6000, "appendfsync everysec", &rd, func(ctx context.Context, url string) (kv.DB, error) {
			return redis.Open(ctx, url, redis.Options{})
		}},
	} {
		name := "turn_" + s.name + "_64"
		url, err := s.server.Open(ctx)
		if errors.Is(err, testserver.ErrMissing) {
			fmt.Fprintf(os.Stderr, "skip: %s: %v\n", name, err)
			continue
		}
		if err != nil {
			return list, err
		}
		open := func(ctx context.Context, _ string) (kv.DB, error) { return s.open(ctx, url) }
		one, many, err := turnsOn(ctx, open, func() time.Duration { return treeCPU(s.server.PID()) }, echo)
		if err != nil {
			return list, err
		}
		list = append(list,
			figure{Name: "turn_" + s.name + "_1", Value: one.rate, Unit: "turns/s, " + s.says},
			figure{Name: name, Value: many.rate, Unit: "turns/s, " + s.says, Bar: bar(s.bar), higher: true},
			figure{Name: name + "_p99", Value: many.p99, Unit: "ms"},
			figure{Name: name + "_cpu", Value: many.cpu, Unit: "us CPU"})
		if many.server > 0 {
			list = append(list, figure{Name: name + "_server_cpu", Value: many.server, Unit: "us CPU of the server"})
		}
	}
	return list, nil
}

// tick is what Linux counts processor time in (proc_pid_stat(5): sysconf(_SC_CLK_TCK)).
const tick = time.Second / 100

// treeCPU is the processor time of a process and its children, those that have ended included; 0
// where the system does not say.
func treeCPU(pid int) (used time.Duration) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		_, rest, ok := strings.Cut(string(raw), ") ") // behind the name: state, parent, …
		f := strings.Fields(rest)
		if err != nil || !ok || len(f) < 15 || file != fmt.Sprintf("/proc/%d/stat", pid) && f[1] != strconv.Itoa(pid) {
			continue
		}
		for _, n := range f[11:15] { // utime, stime and those of ended children
			ticks, _ := strconv.ParseInt(n, 10, 64)
			used += time.Duration(ticks) * tick
		}
	}
	return used
}

package wasi

import (
	"context"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"

	"greentic.dev/wasm/canon"
)

// born is a world as a guest sees it while an image of it is made.
func born(t *testing.T, cfg Config) (*world, func() string) {
	t.Helper()
	b := Birth(cfg)
	if b == nil {
		t.Fatal("there is no birth")
	}
	w := newWorld(t, Config{})
	w.state = b.System().(*State)
	return w, func() string { return b.Spoilt(w.state) }
}

func TestABirthIsSpoiltByWhatAnImageCannotHold(t *testing.T) {
	files := Config{Files: fstest.MapFS{"a": {Data: []byte("x")}}}
	root := canon.Handle{Rep: asset{path: ".", dir: true}}
	for name, c := range map[string]struct {
		cfg  Config
		do   func(w *world)
		says string
	}{
		"nothing":       {Config{}, func(*world) {}, ""},
		"environment":   {Config{}, func(w *world) { w.call("cli/environment get-environment") }, ""},
		"random":        {Config{}, func(w *world) { w.call("random/random get-random-u64") }, ""},
		"the time":      {Config{}, func(w *world) { w.call("clocks/wall-clock now") }, ""},
		"preopens":      {files, func(w *world) { w.call("filesystem/preopens get-directories") }, ""},
		"type of root":  {files, func(w *world) { w.call("filesystem/types [method]descriptor.get-type", root) }, ""},
		"a file":        {files, func(w *world) { w.call("filesystem/types [method]descriptor.stat-at", root, canon.Flags{}, "a") }, "it looked for a file"},
		"the directory": {files, func(w *world) { w.call("filesystem/types [method]descriptor.read-directory", root) }, "it looked for a file"},
		"input": {Config{}, func(w *world) {
			w.call("io/streams [method]input-stream.blocking-read", canon.Handle{Rep: stdin}, uint64(1))
		}, "it read its input"},
		"output": {Config{}, func(w *world) {
			w.call("io/streams [method]output-stream.write", canon.Handle{Rep: stdout}, []byte("x"))
		}, "it wrote output"},
		"sleep": {Config{}, func(w *world) {
			p := w.call("clocks/monotonic-clock subscribe-duration", uint64(time.Hour))
			_, _ = w.try("io/poll [method]pollable.block", p)
		}, "it slept"},
	} {
		t.Run(name, func(t *testing.T) {
			w, spoilt := born(t, c.cfg)
			if c.do(w); spoilt() != c.says {
				t.Errorf("%q, want %q", spoilt(), c.says)
			}
		})
	}
}

// touched is input, output and files that tell when they are used.
type touched struct{ yes *bool }

func (x touched) Read([]byte) (int, error)     { *x.yes = true; return 0, io.EOF }
func (x touched) Write(b []byte) (int, error)  { *x.yes = true; return len(b), nil }
func (x touched) Open(string) (fs.File, error) { *x.yes = true; return nil, fs.ErrNotExist }

func TestNoBirthShowsAnythingOfAnInvocation(t *testing.T) {
	looked := false
	sleep := func(context.Context, time.Duration) error { looked = true; return nil }
	w, _ := born(t, Config{Files: touched{&looked}, Stdin: touched{&looked}, Stdout: touched{&looked}, Stderr: touched{&looked}, Sleep: sleep})
	w.call("io/streams [method]input-stream.blocking-read", canon.Handle{Rep: stdin}, uint64(1))
	w.call("io/streams [method]output-stream.write", canon.Handle{Rep: stderr}, []byte("x"))
	w.call("filesystem/types [method]descriptor.stat", canon.Handle{Rep: asset{path: ".", dir: true}})
	_, _ = w.try("io/poll [method]pollable.block", w.call("clocks/monotonic-clock subscribe-duration", uint64(9)))
	if looked {
		t.Error("a guest that was being born reached the world of an invocation")
	}
}

func TestTheClockDoesNotGoBackAfterBirth(t *testing.T) {
	w, _ := born(t, Config{})
	var last uint64
	for range 1000 {
		now := w.call("clocks/monotonic-clock now").(uint64)
		if now <= last {
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
	if now := newWorld(t, Config{}).call("clocks/monotonic-clock now").(uint64); now < last {
		t.Errorf("%d after %d", now, last)
	}
}

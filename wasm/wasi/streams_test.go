package wasi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

const (
	inRead   = "io/streams [method]input-stream.read"
	inBlock  = "io/streams [method]input-stream.blocking-read"
	outCheck = "io/streams [method]output-stream.check-write"
	outWrite = "io/streams [method]output-stream.write"
	outBlock = "io/streams [method]output-stream.blocking-write-and-flush"
)

func TestAnEmptyWorldReadsNothingAndDiscardsOutput(t *testing.T) {
	w := newWorld(t, Config{})
	in, out := w.call("cli/stdin get-stdin"), w.call("cli/stdout get-stdout")
	if got := failure(t, w.call(inRead, in, uint64(10))); got != "closed" {
		t.Errorf("read gives %s", got)
	}
	if r := w.call(outBlock, out, []byte("hi")); r != any(canon.OK(nil)) {
		t.Errorf("write gives %#v", r)
	}
	for _, f := range []string{"cli/environment get-environment", "cli/environment get-arguments", "filesystem/preopens get-directories"} {
		if list := w.call(f).([]any); len(list) != 0 {
			t.Errorf("%s gives %v", f, list)
		}
	}
	if cwd := w.call("cli/environment initial-cwd"); cwd != any(canon.Option{}) {
		t.Errorf("initial-cwd gives %v", cwd)
	}
}

func TestStandardStreamsCarryBytes(t *testing.T) {
	var out, errs bytes.Buffer
	w := newWorld(t, Config{Stdin: iotest.OneByteReader(strings.NewReader("hello")), Stdout: &out, Stderr: &errs})
	in := w.call("cli/stdin get-stdin")
	for _, want := range []string{"h", "e"} {
		if got := ok[[]byte](t, w.call(inBlock, in, uint64(100))); string(got) != want {
			t.Errorf("read %q, want %q", got, want)
		}
	}
	if n := ok[uint64](t, w.call("io/streams [method]input-stream.skip", in, uint64(math.MaxUint64))); n != 1 {
		t.Errorf("skipped %d, want 1", n)
	}
	if n := ok[uint64](t, w.call("io/streams [method]output-stream.blocking-splice", w.call("cli/stdout get-stdout"), in, uint64(9))); n != 1 {
		t.Errorf("spliced %d, want 1", n)
	}
	w.call(outWrite, w.call("cli/stderr get-stderr"), []byte("oops"))
	w.call("io/streams [method]output-stream.write-zeroes", w.call("cli/stderr get-stderr"), uint64(2))
	if out.String() != "l" || errs.String() != "oops\x00\x00" {
		t.Errorf("stdout %q, stderr %q", out.String(), errs.String())
	}
}

func TestAFloodOfOutputEndsAtTheLimit(t *testing.T) {
	var out bytes.Buffer
	w := newWorld(t, Config{Stdout: &out, OutputLimit: 10_000})
	h := w.call("cli/stdout get-stdout")
	written := 0
	for range 100 {
		r := w.call(outBlock, h, make([]byte, 4096)).(canon.Result)
		if r.IsErr {
			break
		}
		written++
	}
	if written != 2 || out.Len() != 10_000 {
		t.Errorf("%d writes, %d bytes; want 2 and 10000", written, out.Len())
	}
	for _, f := range []string{outCheck, "io/streams [method]output-stream.flush"} {
		if got := failure(t, w.call(f, w.call("cli/stderr get-stderr"))); got != "closed" {
			t.Errorf("%s gives %s", f, got)
		}
	}
}

func TestCheckWriteNeverPermitsMoreThanTheLimit(t *testing.T) {
	w := newWorld(t, Config{OutputLimit: 7})
	if n := ok[uint64](t, w.call(outCheck, w.call("cli/stdout get-stdout"))); n != 7 {
		t.Errorf("permits %d, want 7", n)
	}
}

func TestAWriteBeyondThePermitTraps(t *testing.T) {
	w := newWorld(t, Config{})
	h := w.call("cli/stdout get-stdout")
	for name, args := range map[string][]any{
		outBlock: {h, make([]byte, 4097)},
		outWrite: {h, make([]byte, maxWrite+1)},
		"io/streams [method]output-stream.write-zeroes": {h, uint64(math.MaxUint64)},
	} {
		if _, err := w.try(name, args...); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHugeReadsAreBounded(t *testing.T) {
	w := newWorld(t, Config{Stdin: zeroes{}})
	if got := ok[[]byte](t, w.call(inRead, w.call("cli/stdin get-stdin"), uint64(math.MaxUint64))); len(got) > maxRead {
		t.Errorf("read %d bytes at once", len(got))
	}
}

type zeroes struct{}

func (zeroes) Read(b []byte) (int, error) { return len(b), nil }

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

func TestAReaderThatNeverGivesAByteFailsABlockingRead(t *testing.T) {
	w := newWorld(t, Config{Stdin: silent{}})
	in := w.call("cli/stdin get-stdin")
	if got := ok[[]byte](t, w.call(inRead, in, uint64(5))); len(got) != 0 {
		t.Errorf("read %q", got)
	}
	r := w.call(inBlock, in, uint64(5))
	if got := failure(t, r); got != "last-operation-failed" {
		t.Fatalf("blocking-read gives %s", got)
	}
	e := r.(canon.Result).Value.(canon.Variant).Value
	if text := w.call("io/error [method]error.to-debug-string", e); text != io.ErrNoProgress.Error() {
		t.Errorf("the error says %v", text)
	}
	if code := w.call("filesystem/types filesystem-error-code", e); code != any(canon.Option{}) {
		t.Errorf("a stream error has file code %v", code)
	}
}

func TestStreamsOfTheWrongDirectionAndForeignHandlesTrap(t *testing.T) {
	w := newWorld(t, Config{})
	for name, args := range map[string][]any{
		inRead:                                   {w.call("cli/stdout get-stdout"), uint64(1)},
		outWrite:                                 {w.call("cli/stdin get-stdin"), []byte("x")},
		outCheck:                                 {own("something else")},
		"io/poll [method]pollable.block":         {own(stdout)},
		"io/error [method]error.to-debug-string": {own(stdout)},
		"io/poll poll":                           {[]any{own(stdout)}},
		"filesystem/types [method]descriptor.is-same-object": {own(stdin), own(stdin)},
		"random/random get-random-bytes":                     {"ten"},
		"cli/exit exit":                                      {},
	} {
		if _, err := w.try(name, args...); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnInvocationWithoutStateTrapsInsteadOfPanicking(t *testing.T) {
	w := newWorld(t, Config{})
	for name, f := range w.funcs {
		if _, err := f(t.Context(), &link.Call{}, nil); fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryFunctionSurvivesMissingArguments(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	for name, f := range w.funcs {
		if _, err := f(t.Context(), &link.Call{System: w.state}, nil); err != nil && fault.KindOf(err) == fault.Internal && !errors.As(err, new(*ExitError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingRunsAfterTheContextEnded(t *testing.T) {
	w := newWorld(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.ctx = ctx
	for name := range w.funcs {
		if _, err := w.try(name); fault.KindOf(err) != fault.Canceled {
			t.Errorf("%s: %v", name, err)
		}
	}
}

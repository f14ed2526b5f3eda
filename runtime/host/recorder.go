package host

import (
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"math/rand/v2"
	"sync"

	"greentic.dev/model/trace"
)

// RecordOptions bounds a trace. The zero value is the default.
type RecordOptions struct {
	Body  int // bytes of a body or state value that are kept; longer ones become a digest; 0: 64 KiB
	Total int // bytes of all calls together, after which the trace is cut; 0: 1 MiB
}

func (o RecordOptions) or() RecordOptions {
	if o.Body <= 0 {
		o.Body = 64 << 10
	}
	if o.Total <= 0 {
		o.Total = 1 << 20
	}
	return o
}

// recorder makes the Trace of one invocation. Calls and secrets are noted under the lock of the
// invocation; clocks and randomness belong to the guest's goroutine.
type recorder struct {
	opts      RecordOptions
	trace     trace.Trace
	calls     []*exchange
	held      int // bytes of them
	wall      trace.Readings
	monotonic trace.Readings
	generator *rand.ChaCha8 // nil: not asked for yet
	source    io.Reader     // of the seed
}

// exchange is an Exchange that is not finished yet.
type exchange struct {
	trace.Exchange
	asked, answered *tee // bodies that stream; nil: they do not
}

func newRecorder(ctx context.Context, h *Host, o RecordOptions) *recorder {
	r := &recorder{opts: o.or(), source: h.deps.Random}
	r.trace.Began = h.deps.Now()
	if at, ok := ctx.Deadline(); ok {
		r.trace.Deadline = at.UnixMilli()
	}
	return r
}

// note keeps a call, or nil when the trace is full.
func (inv *invocation) note(e *trace.Exchange) *exchange {
	r := inv.recorder
	if r == nil {
		return nil
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	r.held += e.Size()
	if r.trace.Truncated = r.trace.Truncated || len(r.calls) >= maxCalls || r.held > r.opts.Total; r.trace.Truncated {
		return nil
	}
	kept := &exchange{Exchange: *e}
	r.calls = append(r.calls, kept)
	return kept
}

// body is b for a trace: a digest when it is long, without the secrets handed out until now.
func (inv *invocation) body(b []byte) trace.Body {
	r := inv.recorder
	if r == nil || len(b) <= r.opts.Body {
		return trace.Body{Text: string(b)}
	}
	return trace.DigestOf(inv.needles().Conceal(string(b)))
}

// needles are the forms of all secrets the guest got.
func (inv *invocation) needles() (list trace.Needles) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, s := range inv.handed {
		list = append(list, trace.NeedlesOf(s.key, s.value)...)
	}
	return list
}

// finish is the trace, when nothing of the invocation runs any more.
func (inv *invocation) finish(kept bool) *trace.Trace {
	r := inv.recorder
	if r == nil {
		return nil
	}
	secrets := inv.needles()
	inv.mu.Lock()
	defer inv.mu.Unlock()
	t := &r.trace
	origin := inv.origin
	t.Origin = trace.Origin{Kept: kept, Seed: origin.Seed[:], Time: origin.Time}
	t.Wall, t.Monotonic = r.wall.Bytes, r.monotonic.Bytes
	t.Truncated = t.Truncated || r.wall.Full || r.monotonic.Full
	total := 0
	for _, e := range r.calls {
		e.close(secrets)
		if total += e.Size(); total > r.opts.Total {
			t.Truncated = true
			break
		}
		t.Calls = append(t.Calls, e.Exchange)
	}
	return t
}

// close settles bodies that streamed and takes the secrets out.
func (e *exchange) close(secrets trace.Needles) {
	if e.asked != nil {
		e.Asked.Body, _ = e.asked.body()
	}
	if e.answered != nil {
		var open bool
		if e.Answered.Body, open = e.answered.body(); open && e.Answered.End == "" {
			e.Answered.End = "open"
		}
	}
	e.Conceal(secrets)
}

// Read gives the guest random bytes: of a generator whose seed is drawn when they are first asked for.
func (r *recorder) Read(b []byte) (int, error) {
	if r.generator == nil {
		var seed [32]byte
		if _, err := io.ReadFull(r.source, seed[:]); err != nil {
			return 0, err
		}
		r.trace.Seed, r.generator = seed[:], rand.NewChaCha8(seed)
	}
	return r.generator.Read(b)
}

// Wall implements wasi.Witness.
func (r *recorder) Wall(now int64) int64 {
	r.wall.Add(uint64(now))
	return now
}

// Monotonic implements wasi.Witness.
func (r *recorder) Monotonic(now uint64) uint64 {
	r.monotonic.Add(now)
	return now
}

// Foretell implements wasi.Witness.
func (r *recorder) Foretell() ([]uint32, bool) { return nil, false }

// Polled implements wasi.Witness.
func (r *recorder) Polled(ready []any) {
	if r.trace.Truncated = r.trace.Truncated || len(r.trace.Polls) > trace.MaxReadings; !r.trace.Truncated {
		r.trace.Polls = trace.AppendPoll(r.trace.Polls, ready)
	}
}

// tee keeps what is read of a body, up to a limit, and its digest beyond.
type tee struct {
	io.ReadCloser
	limit int

	// Told how reading failed, and when all was read; nil: nobody.
	failed   func(error)
	finished func()

	mu    sync.Mutex
	text  []byte
	sum   hash.Hash // nil: within the limit
	n     int64
	ended bool
}

// Read implements io.Reader.
func (t *tee) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	switch {
	case err == io.EOF && t.finished != nil:
		t.finished()
	case err != nil && err != io.EOF && t.failed != nil:
		t.failed(err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(b[:n])
	t.ended = t.ended || err == io.EOF
	return n, err
}

func (t *tee) add(b []byte) {
	if t.n += int64(len(b)); t.sum == nil && t.n <= int64(t.limit) {
		t.text = append(t.text, b...)
		return
	}
	if t.sum == nil {
		t.sum = sha256.New()
		_, _ = t.sum.Write(t.text) // a hash never fails
		t.text = nil
	}
	_, _ = t.sum.Write(b)
}

// body is what was read until now; open: that is not all.
func (t *tee) body() (b trace.Body, open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sum != nil {
		return trace.Digested(t.sum.Sum(nil), t.n), !t.ended
	}
	return trace.Body{Text: string(t.text)}, !t.ended
}

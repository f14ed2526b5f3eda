package host

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// maxReadings is how many bytes of each sort of reading a trace keeps.
const maxReadings = 64 << 10

// recorder makes the Trace of one invocation. Calls and secrets are noted under the lock of the
// invocation; clocks and randomness belong to the guest's goroutine.
type recorder struct {
	opts      RecordOptions
	trace     Trace
	calls     []*exchange
	held      int // bytes of them
	wall      readings
	monotonic readings
	generator *rand.ChaCha8 // nil: not asked for yet
	source    io.Reader     // of the seed
}

// exchange is an Exchange that is not finished yet.
type exchange struct {
	Exchange
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
func (inv *invocation) note(e *Exchange) *exchange {
	r := inv.recorder
	if r == nil {
		return nil
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	r.held += e.size()
	if r.trace.Truncated = r.trace.Truncated || len(r.calls) >= maxCalls || r.held > r.opts.Total; r.trace.Truncated {
		return nil
	}
	kept := &exchange{Exchange: *e}
	r.calls = append(r.calls, kept)
	return kept
}

// body is b for a trace: a digest when it is long, without the secrets handed out until now.
func (inv *invocation) body(b []byte) Body {
	r := inv.recorder
	if r == nil || len(b) <= r.opts.Body {
		return Body{Text: string(b)}
	}
	return digestOf(conceal(string(b), inv.needles()))
}

// needles are the forms of all secrets the guest got.
func (inv *invocation) needles() (list []needle) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for _, s := range inv.handed {
		list = append(list, needles(s.key, s.value)...)
	}
	return list
}

// finish is the trace, when nothing of the invocation runs any more.
func (inv *invocation) finish(kept bool) *Trace {
	r := inv.recorder
	if r == nil {
		return nil
	}
	secrets := inv.needles()
	inv.mu.Lock()
	defer inv.mu.Unlock()
	t := &r.trace
	origin := inv.origin
	t.Origin = Origin{Kept: kept, Seed: origin.Seed[:], Time: origin.Time}
	t.Wall, t.Monotonic = r.wall.b, r.monotonic.b
	t.Truncated = t.Truncated || r.wall.full || r.monotonic.full
	total := 0
	for _, e := range r.calls {
		e.close(secrets)
		if total += e.size(); total > r.opts.Total {
			t.Truncated = true
			break
		}
		t.Calls = append(t.Calls, e.Exchange)
	}
	return t
}

// close settles bodies that streamed and takes the secrets out.
func (e *exchange) close(secrets []needle) {
	if e.asked != nil {
		e.Asked.Body, _ = e.asked.body()
	}
	if e.answered != nil {
		var open bool
		if e.Answered.Body, open = e.answered.body(); open && e.Answered.End == "" {
			e.Answered.End = "open"
		}
	}
	clean := func(s *string) { *s = conceal(strings.ToValidUTF8(*s, "\uFFFD"), secrets) }
	clean(&e.Subject)
	clean(&e.Asked.Key)
	clean(&e.Asked.Method)
	clean(&e.Asked.URL)
	clean(&e.Answered.Message)
	e.Asked.Body.Text = conceal(e.Asked.Body.Text, secrets)
	e.Answered.Body.Text = conceal(e.Answered.Body.Text, secrets)
	for _, list := range []*[][2]string{&e.Asked.Header, &e.Answered.Header, &e.Answered.Trailer} {
		for i := range *list {
			clean(&(*list)[i][0])
			clean(&(*list)[i][1])
		}
	}
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
	r.wall.add(uint64(now))
	return now
}

// Monotonic implements wasi.Witness.
func (r *recorder) Monotonic(now uint64) uint64 {
	r.monotonic.add(now)
	return now
}

// Foretell implements wasi.Witness.
func (r *recorder) Foretell() ([]uint32, bool) { return nil, false }

// Polled implements wasi.Witness.
func (r *recorder) Polled(ready []any) {
	if r.trace.Truncated = r.trace.Truncated || len(r.trace.Polls)+5*(len(ready)+1) > maxReadings; r.trace.Truncated {
		return
	}
	r.trace.Polls = binary.AppendUvarint(r.trace.Polls, uint64(len(ready)))
	for _, at := range ready {
		i, _ := at.(uint32)
		r.trace.Polls = binary.AppendUvarint(r.trace.Polls, uint64(i))
	}
}

// readings are the values of a clock, as zigzag varints of their differences.
type readings struct {
	b    []byte
	last uint64
	full bool
}

func (r *readings) add(value uint64) {
	if r.full = r.full || len(r.b)+binary.MaxVarintLen64 > maxReadings; !r.full {
		r.b = binary.AppendVarint(r.b, int64(value-r.last))
		r.last = value
	}
}

// next gives the values back in turn; afterwards each is a microsecond later than the one before.
func (r *readings) next() uint64 {
	if d, n := binary.Varint(r.b); n > 0 {
		r.b = r.b[n:]
		r.last += uint64(d)
	} else {
		r.b = nil
		r.last += uint64(time.Microsecond)
	}
	return r.last
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
func (t *tee) body() (b Body, open bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sum != nil {
		return digested(t.sum.Sum(nil), t.n), !t.ended
	}
	return Body{Text: string(t.text)}, !t.ended
}

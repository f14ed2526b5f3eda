package host

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// CodeDiverged is the code of the error that ends a replay in which the guest asked for
// something else than is recorded.
const CodeDiverged = "replay_diverged"

// The kinds of a Divergence.
const (
	DivergedChanged     = "changed"      // another call, or other arguments, than recorded at this place
	DivergedExtra       = "extra"        // a call after the last that is recorded
	DivergedMissing     = "missing"      // the guest ended before it made the call
	DivergedNotRecorded = "not_recorded" // what the call answered is not in the trace: a digest only, or cut off
)

// Divergence is the first difference between a trace and its replay.
type Divergence struct {
	Kind     string `json:"kind"`
	Index    int    `json:"index"`              // in Trace.Calls
	Field    string `json:"field,omitempty"`    // of a changed call: "import", "method", "url", "header X", "body", …
	Recorded string `json:"recorded,omitempty"` // what the trace says, shortened
	Asked    string `json:"asked,omitempty"`    // what the guest did, shortened
}

// String is one line for a person.
func (d *Divergence) String() string {
	switch d.Kind {
	case DivergedExtra:
		return fmt.Sprintf("call %d is not in the record: %s", d.Index, d.Asked)
	case DivergedMissing:
		return fmt.Sprintf("call %d was not made: %s", d.Index, d.Recorded)
	case DivergedNotRecorded:
		return fmt.Sprintf("the answer to call %d is not in the record: %s", d.Index, d.Asked)
	}
	return fmt.Sprintf("call %d: %s was %q and is %q", d.Index, d.Field, d.Recorded, d.Asked)
}

// player answers the calls of an invocation from a trace, in order. It belongs to the guest's
// goroutine but for diverge.
type player struct {
	trace     *Trace
	at        int // the next call
	wall      readings
	monotonic readings
	polls     []byte
	generator *rand.ChaCha8
	stop      context.CancelCauseFunc
	bound     *wasm.Bound

	found *Divergence // with the lock of the invocation
}

func newPlayer(t *Trace, stop context.CancelCauseFunc) *player {
	p := &player{trace: t, wall: readings{b: t.Wall}, monotonic: readings{b: t.Monotonic}, polls: t.Polls, stop: stop}
	if len(t.Wall) == 0 {
		p.wall.last = uint64(t.Began.UnixNano())
	}
	var seed [32]byte
	if copy(seed[:], t.Seed) == 0 { // it asks for more than it did: the same in every replay
		seed = sha256.Sum256(t.Origin.Seed)
	}
	p.generator = rand.NewChaCha8(seed)
	return p
}

// answer is what was answered to a call, or the error that ends the guest.
func (inv *invocation) answer(asked *Exchange) (*Exchange, error) {
	p := inv.player
	i := p.at
	p.at++
	if i >= len(p.trace.Calls) {
		kind := DivergedExtra
		if p.trace.Truncated {
			kind = DivergedNotRecorded
		}
		return nil, inv.diverge(Divergence{Kind: kind, Index: i, Asked: asked.title()})
	}
	recorded := &p.trace.Calls[i]
	if d := inv.compare(recorded, asked); d != nil {
		d.Kind, d.Index = DivergedChanged, i
		return nil, inv.diverge(*d)
	}
	if recorded.Answered.Body.Digest != "" {
		return nil, inv.diverge(Divergence{Kind: DivergedNotRecorded, Index: i, Asked: asked.title()})
	}
	return recorded, nil
}

// diverge notes the first divergence and ends the guest, now or at its next safe point.
func (inv *invocation) diverge(d Divergence) error {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if inv.player.found == nil {
		inv.player.found = &d
	}
	err := inv.player.err()
	inv.player.stop(err)
	return err
}

func (p *player) err() error {
	return fault.New(fault.Conflict, "replay", p.found.String()).WithCode(CodeDiverged)
}

// divergence is the first difference, when the guest has ended. stopped: it was ended for it.
func (inv *invocation) divergence() (d *Divergence, stopped error) {
	p := inv.player
	if p == nil {
		return nil, nil
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if p.found != nil {
		return p.found, p.err()
	}
	if p.at < len(p.trace.Calls) {
		return &Divergence{Kind: DivergedMissing, Index: p.at, Recorded: p.trace.Calls[p.at].title()}, nil
	}
	return nil, nil
}

// title is a call in a few words.
func (e *Exchange) title() string {
	return strings.Join(slices.DeleteFunc([]string{e.Import, e.Asked.Method, e.Asked.URL, e.Asked.Key}, func(s string) bool { return s == "" }), " ")
}

// compare gives the first difference of the arguments; nil: there is none.
func (inv *invocation) compare(recorded, asked *Exchange) *Divergence {
	r, a := &recorded.Asked, &asked.Asked
	for _, f := range [][3]string{
		{"import", recorded.Import, asked.Import}, {"key", r.Key, a.Key}, {"method", r.Method, a.Method}, {"url", r.URL, a.URL},
		{"timeout", fmt.Sprint(r.TimeoutMS), fmt.Sprint(a.TimeoutMS)}, {"allow-insecure", fmt.Sprint(r.Insecure), fmt.Sprint(a.Insecure)},
		{"follow-redirects", fmt.Sprint(!r.NoRedirects), fmt.Sprint(!a.NoRedirects)}, {"tenant", whose(r.Foreign), whose(a.Foreign)},
	} {
		if d := differ(f[0], f[1], f[2]); d != nil {
			return d
		}
	}
	for i := range max(len(r.Header), len(a.Header)) {
		switch {
		case i >= len(a.Header):
			return &Divergence{Field: "header " + r.Header[i][0], Recorded: excerpt(r.Header[i][1], 0)}
		case i >= len(r.Header):
			return &Divergence{Field: "header " + a.Header[i][0], Asked: excerpt(a.Header[i][1], 0)}
		}
		if d := differ("header", r.Header[i][0], a.Header[i][0]); d != nil {
			return d
		}
		if d := differ("header "+r.Header[i][0], r.Header[i][1], a.Header[i][1]); d != nil {
			return d
		}
	}
	if asked.Import == wasiHTTP {
		return nil // its body is yet to come
	}
	return inv.compareBody(r.Body, a.Body)
}

func whose(foreign bool) string {
	if foreign {
		return "another"
	}
	return "its own"
}

// compareBody compares what was sent or written; asked is the bytes themselves, or their digest.
func (inv *invocation) compareBody(recorded, asked Body) *Divergence {
	if recorded.Digest != "" && asked.Digest == "" {
		asked = digestOf(conceal(asked.Text, inv.needles()))
	}
	return differ("body", recorded.String(), asked.String())
}

func differ(field, recorded, asked string) *Divergence {
	if fits(recorded, asked) || fits(recorded, strings.ToValidUTF8(asked, "\uFFFD")) {
		return nil
	}
	from := 0
	for from < min(len(recorded), len(asked)) && recorded[from] == asked[from] {
		from++
	}
	return &Divergence{Field: field, Recorded: excerpt(recorded, from), Asked: excerpt(asked, from)}
}

// excerpt is a part of s around a place.
func excerpt(s string, at int) string {
	const before, after = 60, 200
	from, to := max(at-before, 0), min(at+after, len(s))
	cut := strings.ToValidUTF8(s[from:to], "")
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(s) {
		cut += "…"
	}
	return cut
}

// Read gives the guest the random bytes it got.
func (p *player) Read(b []byte) (int, error) { return p.generator.Read(b) }

// Wall implements wasi.Witness.
func (p *player) Wall(int64) int64 { return int64(p.wall.next()) }

// Monotonic implements wasi.Witness.
func (p *player) Monotonic(uint64) uint64 { return p.monotonic.next() }

// Polled implements wasi.Witness.
func (p *player) Polled([]any) {}

// Foretell implements wasi.Witness.
func (p *player) Foretell() ([]uint32, bool) {
	n, size := binary.Uvarint(p.polls)
	if size <= 0 || n > uint64(len(p.polls)) {
		return nil, false
	}
	rest, list := p.polls[size:], make([]uint32, n)
	for i := range list {
		at, size := binary.Uvarint(rest)
		if size <= 0 {
			return nil, false
		}
		rest, list[i] = rest[size:], uint32(at)
	}
	p.polls = rest
	return list, true
}

// sleepless takes no time in a replay.
func sleepless(ctx context.Context, _ time.Duration) error { return ctx.Err() }

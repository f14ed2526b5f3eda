package host

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
)

// CodeDiverged is the code of the error that ends a replay in which the guest asked for
// something else than is recorded.
const CodeDiverged = "replay_diverged"

// player answers the calls of an invocation from a trace, in order. It belongs to the guest's
// goroutine but for diverge.
type player struct {
	trace     *trace.Trace
	at        int // the next call
	wall      trace.Readings
	monotonic trace.Readings
	polls     []byte
	generator *rand.ChaCha8
	stop      context.CancelCauseFunc
	bound     *wasm.Bound

	found *trace.Divergence // with the lock of the invocation
}

func newPlayer(t *trace.Trace, stop context.CancelCauseFunc) *player {
	p := &player{trace: t, wall: trace.Readings{Bytes: t.Wall}, monotonic: trace.Readings{Bytes: t.Monotonic}, polls: t.Polls, stop: stop}
	if len(t.Wall) == 0 {
		p.wall.Last = uint64(t.Began.UnixNano())
	}
	var seed [32]byte
	if copy(seed[:], t.Seed) == 0 { // it asks for more than it did: the same in every replay
		seed = sha256.Sum256(t.Origin.Seed)
	}
	p.generator = rand.NewChaCha8(seed)
	return p
}

// answer is what was answered to a call, or the error that ends the guest.
func (inv *invocation) answer(asked *trace.Exchange) (*trace.Exchange, error) {
	p := inv.player
	i := p.at
	p.at++
	if i >= len(p.trace.Calls) {
		kind := trace.Extra
		if p.trace.Truncated {
			kind = trace.NotRecorded
		}
		return nil, inv.diverge(trace.Divergence{Kind: kind, Index: i, Asked: asked.Title()})
	}
	recorded := &p.trace.Calls[i]
	d := recorded.Compare(asked)
	if d == nil && asked.Import != wasiHTTP { // whose body is yet to come
		d = recorded.Asked.Body.Compare(asked.Asked.Body, inv.needles())
	}
	if d != nil {
		d.Kind, d.Index = trace.Changed, i
		return nil, inv.diverge(*d)
	}
	if recorded.Answered.Body.Digest != "" {
		return nil, inv.diverge(trace.Divergence{Kind: trace.NotRecorded, Index: i, Asked: asked.Title()})
	}
	return recorded, nil
}

// diverge notes the first divergence and ends the guest, now or at its next safe point.
func (inv *invocation) diverge(d trace.Divergence) error {
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
func (inv *invocation) divergence() (d *trace.Divergence, stopped error) {
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
		return &trace.Divergence{Kind: trace.Missing, Index: p.at, Recorded: p.trace.Calls[p.at].Title()}, nil
	}
	return nil, nil
}

// Read gives the guest the random bytes it got.
func (p *player) Read(b []byte) (int, error) { return p.generator.Read(b) }

// Wall implements wasi.Witness.
func (p *player) Wall(int64) int64 { return int64(p.wall.Next()) }

// Monotonic implements wasi.Witness.
func (p *player) Monotonic(uint64) uint64 { return p.monotonic.Next() }

// Polled implements wasi.Witness.
func (p *player) Polled([]any) {}

// Foretell implements wasi.Witness.
func (p *player) Foretell() ([]uint32, bool) {
	list, rest, ok := trace.NextPoll(p.polls)
	p.polls = rest
	return list, ok
}

// sleepless takes no time in a replay.
func sleepless(ctx context.Context, _ time.Duration) error { return ctx.Err() }

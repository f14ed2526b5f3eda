package flowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/record"
	"greentic.dev/backing/session"
	"greentic.dev/backing/state"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/flowtest"
	"greentic.dev/runtime/events"
	"greentic.dev/runtime/runner"
)

// route is the channel of the messages of tests.
const route = "flowtest"

// epoch is when cases begin that do not say when: a Monday morning.
var epoch = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// longest is how far the clock goes within one turn, for its retries.
const longest = 10 * 366 * 24 * time.Hour

// play is one case.
type play struct {
	*stage
	c      flowtest.Case
	db     kv.DB
	run    *runner.Runner
	tenant greentic.TenantCtx
	key    string
	ids    int
	seq    uint64 // of the last record that was looked at

	outcomes []flowtest.Outcome
	path     []flowtest.Taken
	wrong    []flowtest.Mismatch
}

// play runs a case.
func (s *stage) play(ctx context.Context, c flowtest.Case) *play {
	p := &play{stage: s, c: c, key: c.User}
	if p.key == "" {
		p.key = "user"
	}
	if err := p.conduct(ctx); err != nil {
		p.wrong = append(p.wrong, s.suite.Wrong(c.Pos, "", "the case could not be played: %v", err))
	}
	for _, missed := range s.mocks.missed {
		p.wrong = append(p.wrong, s.suite.Wrong(c.Pos, "", "%s", missed))
	}
	return p
}

// sink takes what is delivered: records say what it was.
type sink struct{}

func (sink) Deliver(context.Context, queue.Outgoing) error { return nil }

func (p *play) conduct(ctx context.Context) (err error) {
	now := epoch
	for _, at := range []time.Time{p.suite.Clock, p.c.Clock} {
		if !at.IsZero() {
			now = at
		}
	}
	p.stage.clock, p.stage.mocks = newClock(now), newMocks(p.suite, p.c, p.has)
	p.db = p.tests.deps.Open(p.clock.Now)
	p.tenant = greentic.DefaultTenant()
	if p.suite.Tenant != "" {
		p.tenant.Tenant = greentic.TenantID(p.suite.Tenant)
	}
	for _, l := range []string{"en", p.suite.Locale, p.c.Locale} {
		if l != "" {
			p.tenant.Locale = l
		}
	}
	p.tenant.User = greentic.UserID(p.key)
	if err := p.begin(ctx); err != nil {
		return err
	}
	p.run = runner.New(runner.Deps{
		DB: p.db, Releases: p.set, Log: p.log, Now: p.clock.Now, NewID: p.id, Scheduler: p.clock, Stand: p.mocks.stand,
		Deliver: map[string]runner.Deliverer{route: sink{}, runner.BusRoute: sink{}, events.EventRoute: sink{}, runner.InvokeRoute: sink{}},
	}, runner.Options{Poll: longest, RecordBody: 1 << 20, RecordAge: longest, Jitter: func(time.Duration) time.Duration { return 0 }})
	if err := p.run.Start(ctx); err != nil {
		return err
	}
	defer func() {
		if e := p.run.Drain(ctx); err == nil {
			err = e
		}
		p.clock.settle()
	}()
	for i, step := range p.c.Steps {
		out, err := p.step(ctx, i, step)
		if err != nil {
			return fault.Wrap(step.String(), err)
		}
		p.outcomes = append(p.outcomes, out)
		p.wrong = append(p.wrong, p.suite.Check(step, out)...)
	}
	after, err := p.after(ctx)
	if err != nil {
		return err
	}
	p.wrong = append(p.wrong, p.suite.CheckState(p.c, after)...)
	return nil
}

func (p *play) id() string {
	p.ids++
	return fmt.Sprintf("t%d", p.ids)
}

// memory is the state of the conversation.
func (p *play) memory(o *state.Overlay) state.Scoped {
	return o.In(p.source.verified.Archive().ID(), state.Conversation(p.key))
}

// begin stores the state the case begins with.
func (p *play) begin(ctx context.Context) error {
	if len(p.c.State) == 0 {
		return nil
	}
	o := state.NewOverlay(p.db, p.tenant)
	for key, value := range p.c.State {
		raw, err := json.Marshal(value)
		if err == nil {
			err = p.memory(o).Write(ctx, key, raw)
		}
		if err != nil {
			return fault.Wrap("state "+key, err)
		}
	}
	return p.db.Update(ctx, p.tenant, func(x kv.Txn) error { return o.Commit(x) })
}

// after is the state under the keys the case looks at; what is not there is null.
func (p *play) after(ctx context.Context) (map[string]any, error) {
	out := map[string]any{}
	o := state.NewOverlay(p.db, p.tenant)
	for key := range p.c.After {
		raw, err := p.memory(o).Read(ctx, key)
		if fault.Is(err, fault.NotFound) {
			out[key] = nil
			continue
		}
		if err != nil {
			return nil, err
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			v = string(raw)
		}
		out[key] = v
	}
	return out, nil
}

// step does what a step says and waits for what comes of it.
func (p *play) step(ctx context.Context, i int, step flowtest.Step) (flowtest.Outcome, error) {
	if step.Advance > 0 {
		if err := p.advance(ctx, step.Advance); err != nil {
			return flowtest.Outcome{}, err
		}
		return p.outcome(ctx)
	}
	trigger, err := p.trigger(i, step)
	if err != nil {
		return flowtest.Outcome{}, err
	}
	if _, err := p.run.Accept(ctx, trigger); err != nil {
		return flowtest.Outcome{}, err
	}
	if err := p.finish(ctx); err != nil {
		return flowtest.Outcome{}, err
	}
	return p.outcome(ctx)
}

// trigger is what a step sends.
func (p *play) trigger(i int, step flowtest.Step) (t greentic.Trigger, err error) {
	id := fmt.Sprintf("step-%d", i)
	t = greentic.Trigger{ID: id, Tenant: p.tenant, Kind: greentic.KindMessage, Route: route, Key: p.key, Flow: p.source.flow.ID, Pack: p.source.verified.Archive().ID()}
	m := greentic.Message{ID: id, Channel: route, Conversation: p.key, From: &greentic.Actor{ID: p.key, Kind: "user"}}
	switch {
	case step.Say != nil:
		m.Text = *step.Say
	case step.Click != nil:
		m.Metadata = step.Click
	case step.Message != nil:
		raw, err := json.Marshal(step.Message)
		if err == nil {
			err = json.Unmarshal(raw, &m)
		}
		if err != nil {
			return t, fault.As(fault.Invalid, "message", err)
		}
	case step.Event != nil:
		return p.event(t, *step.Event)
	default:
		t.Kind, t.Route, t.Body = greentic.KindHTTP, runner.InvokeRoute, step.Input
		return t, nil
	}
	t.Body, err = json.Marshal(m)
	return t, fault.Wrap("message", err)
}

func (p *play) event(t greentic.Trigger, e flowtest.Event) (greentic.Trigger, error) {
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return t, fault.As(fault.Invalid, "event", err)
	}
	sent := greentic.Event{ID: t.ID, Topic: e.Topic, Type: e.Type, Source: "greentic:flowtest", Subject: e.Subject, Time: p.clock.Now().UTC(), Payload: payload}
	if sent.Type == "" {
		sent.Type = e.Topic
	}
	t.Kind, t.Route = greentic.KindEvent, events.EventRoute
	t.Body, err = json.Marshal(events.Envelope{Event: sent, Tenant: p.tenant})
	return t, fault.Wrap("event", err)
}

// finish lets what was accepted run to its end: while it only pauses, the clock goes on.
func (p *play) finish(ctx context.Context) error {
	for range maxRings {
		p.clock.settle()
		waits := false
		err := p.db.View(ctx, p.tenant, func(r kv.Reader) (err error) {
			_, waits, err = queue.First(r, p.key)
			return err
		})
		if err != nil || !waits {
			return err
		}
		if !p.clock.ring(p.clock.Now().Add(longest)) {
			return fault.New(fault.Internal, "turn", "it waits for nothing and does not end")
		}
	}
	return fault.New(fault.Exhausted, "turn", "it does not come to an end")
}

// advance lets time pass: each wait that ends in it ends at its moment.
func (p *play) advance(ctx context.Context, d time.Duration) error {
	until := p.clock.Now().Add(d)
	for range maxRings {
		s, err := p.session(ctx)
		if err != nil {
			return err
		}
		if s.Revision == 0 || s.Due.IsZero() || s.Due.After(until) {
			p.clock.pass(until)
			return p.finish(ctx)
		}
		p.clock.pass(s.Due)
		if err := p.finish(ctx); err != nil {
			return err
		}
		again, err := p.session(ctx)
		if err != nil {
			return err
		}
		if again.Revision == s.Revision && again.Due.Equal(s.Due) { // the runner looks at it a little later
			p.clock.ring(p.clock.Now().Add(time.Minute))
		}
	}
	return fault.New(fault.Exhausted, "advance", "the conversation's waits do not end")
}

func (p *play) session(ctx context.Context) (s session.Session, err error) {
	err = p.db.View(ctx, p.tenant, func(r kv.Reader) error {
		s, err = session.Load(r, p.key)
		return err
	})
	return s, err
}

// outcome is what happened since the last step.
func (p *play) outcome(ctx context.Context) (out flowtest.Outcome, err error) {
	var turns []record.Turn
	err = p.db.View(ctx, p.tenant, func(r kv.Reader) error {
		turns = nil
		return record.List(r, p.key, p.seq, 0, func(t record.Turn) bool {
			turns = append(turns, t)
			return true
		})
	})
	if err != nil {
		return out, err
	}
	last := ""
	for _, t := range turns {
		p.seq = t.Seq + 1
		last = p.turn(&out, t)
	}
	s, err := p.session(ctx)
	if err != nil {
		return out, err
	}
	switch {
	case s.Revision > 0:
		out.Waits = &flowtest.Wait{Node: last, Reason: s.Reason}
		if out.Waits.Node == "" {
			out.Waits.Node = s.Cursor.Last
		}
		if !s.Due.IsZero() {
			out.Waits.For = s.Due.Sub(p.clock.Now())
		}
		if out.Status == "" {
			out.Status = greentic.TurnWaiting
		}
	case out.Status == "":
		out.Status = greentic.TurnDone
	}
	return out, nil
}

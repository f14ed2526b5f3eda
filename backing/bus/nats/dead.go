package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// maxLetters is how many dead letters a subscription keeps; the oldest go first.
const maxLetters = 10_000

// letters finds the stream of dead letters; with create false it may be nil.
func (b *Bus) letters(ctx context.Context, l *link, create bool) (jetstream.Stream, error) {
	if create {
		return l.ensure(ctx, jetstream.StreamConfig{Name: deadStream, Description: "dead letters of all tenants",
			Subjects: []string{"greentic." + deadKind + ".>"}, MaxMsgsPerSubject: maxLetters, Duplicates: bus.Window, Replicas: b.replicas})
	}
	within, cancel := deadline(ctx)
	defer cancel()
	s, err := l.js.Stream(within, deadStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	return s, failure(ctx, "dead letters", err)
}

// bury stores a dead letter; a repeat of the same burial is stored once.
func (b *Bus) bury(ctx context.Context, l *link, id string, letter bus.DeadLetter) error {
	if _, err := b.letters(ctx, l, true); err != nil {
		return err
	}
	return l.put(ctx, subject(deadKind, letter.Tenant, escape(letter.Subscription)), id, letter)
}

// DeadLetters implements bus.Bus.
func (b *Bus) DeadLetters(ctx context.Context, t greentic.TenantCtx, name string, limit int) (list []bus.DeadLetter, err error) {
	if b.untouched() {
		return nil, t.Check()
	}
	l, err := b.enter(ctx, t)
	if err != nil {
		return nil, err
	}
	defer b.calls.Done()
	s, err := b.letters(ctx, l, false)
	if err != nil || s == nil {
		return nil, err
	}
	filter := subject(deadKind, t, "*")
	if name != "" {
		filter = subject(deadKind, t, escape(name))
	}
	for seq := uint64(1); limit == 0 || len(list) < limit; seq++ {
		msg, err := next(ctx, s, seq, filter)
		if err != nil || msg == nil {
			return list, err
		}
		letter, err := readLetter(msg)
		if err != nil {
			return list, err
		}
		list, seq = append(list, letter), msg.Sequence
	}
	return list, nil
}

// next is the first letter of a subject from seq on, or nil.
func next(ctx context.Context, s jetstream.Stream, seq uint64, filter string) (*jetstream.RawStreamMsg, error) {
	within, cancel := deadline(ctx)
	defer cancel()
	msg, err := s.GetMsg(within, seq, jetstream.WithGetMsgSubject(filter))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	return msg, failure(ctx, "dead letters", err)
}

func readLetter(msg *jetstream.RawStreamMsg) (letter bus.DeadLetter, err error) {
	err = json.Unmarshal(msg.Data, &letter)
	letter.ID = strconv.FormatUint(msg.Sequence, 10)
	return letter, fault.As(fault.Internal, "dead letter "+letter.ID, err)
}

// Retry implements bus.Bus.
func (b *Bus) Retry(ctx context.Context, t greentic.TenantCtx, id string) error {
	l, s, msg, err := b.letter(ctx, t, id)
	if err != nil {
		return err
	}
	defer b.calls.Done()
	letter, err := readLetter(msg)
	if err != nil {
		return err
	}
	events, err := b.stream(ctx, l, t)
	if err != nil {
		return err
	}
	within, cancel := deadline(ctx)
	defer cancel()
	if _, err := events.Consumer(within, escape(letter.Subscription)); errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fault.Newf(fault.NotFound, "bus", "there is no subscription %s any more", letter.Subscription)
	} else if err != nil {
		return failure(ctx, "retry", err)
	}
	if err := l.put(ctx, subject(retryKind, t, escape(letter.Subscription)), "r/"+id, envelope{letter.Event, letter.Tenant}); err != nil {
		return err
	}
	return failure(ctx, "retry", s.DeleteMsg(within, msg.Sequence))
}

// Drop implements bus.Bus.
func (b *Bus) Drop(ctx context.Context, t greentic.TenantCtx, id string) error {
	_, s, msg, err := b.letter(ctx, t, id)
	if err != nil {
		return err
	}
	defer b.calls.Done()
	within, cancel := deadline(ctx)
	defer cancel()
	return failure(ctx, "drop", s.DeleteMsg(within, msg.Sequence))
}

// letter enters and finds one dead letter of the tenant: ids are places in a stream that all
// tenants share, so the subject decides whose it is.
func (b *Bus) letter(ctx context.Context, t greentic.TenantCtx, id string) (*link, jetstream.Stream, *jetstream.RawStreamMsg, error) {
	if err := t.Check(); err == nil && b.untouched() {
		return nil, nil, nil, absent(id)
	}
	l, err := b.enter(ctx, t)
	if err != nil {
		return nil, nil, nil, err
	}
	s, msg, err := b.find(ctx, l, subject(deadKind, t, ""), id)
	if err != nil {
		b.calls.Done()
	}
	return l, s, msg, err
}

func absent(id string) error {
	return fault.Newf(fault.NotFound, "bus", "there is no dead letter %q", id)
}

func (b *Bus) find(ctx context.Context, l *link, prefix, id string) (jetstream.Stream, *jetstream.RawStreamMsg, error) {
	seq, err := strconv.ParseUint(id, 10, 64)
	if err != nil || seq == 0 || fmt.Sprint(seq) != id {
		return nil, nil, absent(id)
	}
	s, err := b.letters(ctx, l, false)
	if err != nil {
		return nil, nil, err
	}
	if s == nil {
		return nil, nil, absent(id)
	}
	within, cancel := deadline(ctx)
	defer cancel()
	msg, err := s.GetMsg(within, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && !strings.HasPrefix(msg.Subject, prefix) {
		return nil, nil, absent(id)
	}
	return s, msg, failure(ctx, "dead letters", err)
}

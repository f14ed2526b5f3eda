package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// envelope is an event as it is stored: the ecosystem's EventEnvelope, tenant and all.
type envelope struct {
	greentic.Event
	Tenant greentic.TenantCtx `json:"tenant"`
}

// encode keeps payloads as they are: no character is escaped that need not be.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), fault.As(fault.Internal, "bus", err)
}

// Publish implements bus.Bus: with a server of its own the event is on disk when it returns; one
// that is not here may acknowledge earlier, as it was configured.
func (b *Bus) Publish(ctx context.Context, t greentic.TenantCtx, e greentic.Event) error {
	if err := bus.CheckEvent(e); err != nil {
		return err
	}
	l, err := b.enter(ctx, t)
	if err != nil {
		return err
	}
	defer b.calls.Done()
	if _, err := b.stream(ctx, l, t); err != nil {
		return err
	}
	err = l.put(ctx, subject(eventKind, t, words(e.Topic)), "e/"+e.ID, envelope{e, t})
	if errors.Is(err, jetstream.ErrNoStreamResponse) { // somebody removed the stream: the next call makes it again
		l.forget(t)
	}
	return err
}

// put stores v under a subject unless id was stored within the window.
func (l *link) put(ctx context.Context, subject, id string, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	within, cancel := deadline(ctx)
	defer cancel()
	msg := client.NewMsg(subject)
	msg.Header.Set(jetstream.MsgIDHeader, escape(id)) // headers hold no control characters
	msg.Data = data
	_, err = l.js.PublishMsg(within, msg)
	return failure(ctx, "publish", err)
}

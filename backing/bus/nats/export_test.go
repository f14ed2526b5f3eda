package nats

import (
	"context"

	"greentic.dev/greentic"
)

// Sweep does at once what sweepOften does.
func (b *Bus) Sweep(ctx context.Context) { b.sweep(ctx, b.link) }

// Stored is how many events of a tenant the server keeps.
func (b *Bus) Stored(ctx context.Context, t greentic.TenantCtx) (uint64, error) {
	s, err := b.stream(ctx, b.link, t)
	if err != nil {
		return 0, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, err
	}
	return info.State.Msgs, nil
}

// Release gives back what the only subscription holds, as its lanes do when they end.
func (b *Bus) Release() {
	for _, s := range b.subs {
		for _, h := range s.held {
			h.Release()
		}
	}
}

// Delivered is how many deliveries the server counts for the only subscription.
func (b *Bus) Delivered(ctx context.Context) (uint64, error) {
	for _, s := range b.subs {
		if err := s.link.conn.Flush(); err != nil {
			return 0, err
		}
		info, err := s.consumer.Info(ctx)
		if err != nil {
			return 0, err
		}
		return info.Delivered.Consumer, nil
	}
	return 0, nil
}

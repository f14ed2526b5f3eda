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

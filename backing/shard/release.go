package shard

import (
	"context"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// Release gives shards back, at once and for good: commits on them are refused from here on.
// What is not owned is passed over. After an error (those of kv) they are still owned, or the
// next Tick says that they are lost; call it again.
func (k *Keeper) Release(ctx context.Context, shards ...int) error {
	k.turn.Lock()
	defer k.turn.Unlock()
	held := k.holds()
	err := k.db.System(ctx, func(t kv.Txn) error {
		leases, members, err := read(t)
		if err != nil {
			return err
		}
		gave := false
		for _, s := range shards {
			h, ok := held[s]
			if !ok || leases[s] != (lease{Owner: k.owner, Epoch: h.epoch}) {
				continue
			}
			if err := t.Put(leaseKey(s), encode(lease{Epoch: h.epoch, To: h.to, Level: members[k.owner].level(s)}), 0); err != nil {
				return err
			}
			gave = true
		}
		if !gave {
			return nil
		}
		return announce(t)
	})
	if err != nil {
		return fault.Wrap("shard release", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range shards {
		delete(k.held, s)
	}
	return nil
}

// Leave gives everything back and ends the membership, so that others need not wait for the
// TTL. Nothing is owned afterwards, also after an error (those of kv); a later Tick joins again.
func (k *Keeper) Leave(ctx context.Context) error {
	k.turn.Lock()
	defer k.turn.Unlock()
	k.mu.Lock()
	k.held = nil
	k.mu.Unlock()
	err := k.db.System(ctx, func(t kv.Txn) error {
		leases, members, err := read(t)
		if err != nil {
			return err
		}
		for s, l := range leases {
			if l.Owner != k.owner {
				continue
			}
			if err := t.Put(leaseKey(s), encode(lease{Epoch: l.Epoch, Level: members[k.owner].level(s)}), 0); err != nil {
				return err
			}
		}
		if err := t.Delete(memberKey(k.owner)); err != nil {
			return err
		}
		return announce(t)
	})
	return fault.Wrap("shard leave", err)
}

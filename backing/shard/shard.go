package shard

import (
	"greentic.dev/greentic"
)

// Count is how many shards there are. It is part of stored keys and never changes.
const Count = 64

// Of is the shard of an ordering key: FNV-1a with 64 bits over env, NUL, tenant, NUL, key; the
// upper half is folded onto the lower, and the remainder by Count counts. Stored keys depend on it.
func Of(env greentic.EnvID, tenant greentic.TenantID, key string) int {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3
	h := uint64(offset)
	for i, part := range [...]string{string(env), string(tenant), key} {
		if i > 0 {
			h *= prime // the NUL
		}
		for j := range len(part) {
			h = (h ^ uint64(part[j])) * prime
		}
	}
	return int((h ^ h>>32) % Count)
}

// Lease is a shard that is owned. The epoch counts the owners a shard has had.
type Lease struct {
	Shard int
	Epoch uint64
	// Orphan says that the former owner died: what it was doing may be half done, or what killed it.
	Orphan bool
}

// Change is what a Tick brought. Handle Lost first: a shard that was lost and taken again is in
// Lost and in Gained, and its fence is a new one.
type Change struct {
	Gained  []Lease // begin to work on these
	Leaving []int   // begin nothing new on these, finish what runs, then Release them; named by every Tick until then
	Lost    []int   // stop at once: somebody else has them, or may have
}

package shard

import (
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// Options configure a Keeper.
type Options struct {
	Name  string           // of the runner, for people; need not be unique
	TTL   time.Duration    // how long a silent member keeps its shards; 0 means 6 s
	Now   func() time.Time // nil means time.Now
	NewID func() string    // makes this incarnation unique; nil means 128 random bits
	// Exclusive says that no other process can be using the store (its folder is locked): the
	// first Tick takes every shard without waiting for the silence of a predecessor, and keeps
	// them: nobody needs further heartbeats.
	Exclusive bool
}

// Keeper is one member: it keeps leases for a runner. Its methods may be called concurrently;
// the runner calls Tick often, three times per TTL or more.
type Keeper struct {
	db        kv.DB
	owner     string
	ttl       time.Duration
	now       func() time.Time
	exclusive bool

	turn   sync.Mutex // one Tick, Release or Leave at a time; guards the next four
	count  uint64     // heartbeats tried
	joined bool
	ticked time.Time // of the last Tick that reached the store
	seen   map[string]sight

	mu   sync.RWMutex // guards the rest; never held during I/O
	beat time.Time    // when the last heartbeat that was stored was begun
	held map[int]hold
	news uint64 // what the last Tick saw of it
}

// hold is a shard that is owned.
type hold struct {
	epoch  uint64
	fence  []byte // the lease row
	to     string // who gets it; empty: it stays
	orphan bool
	level  uint8     // the load it had with its former owner
	since  time.Time // when it was gained
}

// sight is what a member's row was at last, and for how long it has been that.
type sight struct {
	beat   uint64
	silent time.Duration
}

// New makes a keeper that owns nothing until it ticks.
func New(db kv.DB, o Options) *Keeper {
	if o.TTL <= 0 {
		o.TTL = 6 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = rand.Text
	}
	return &Keeper{db: db, owner: o.Name + "#" + o.NewID(), ttl: o.TTL, now: o.Now, exclusive: o.Exclusive}
}

// Owned says whether work on a shard may go on.
func (k *Keeper) Owned(shard int) bool {
	_, _, ok := k.Fence(shard)
	return ok
}

// Leases lists what is owned, by shard.
func (k *Keeper) Leases() []Lease {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.expired() {
		return nil
	}
	list := make([]Lease, 0, len(k.held))
	for s, h := range k.held {
		list = append(list, Lease{s, h.epoch, h.orphan})
	}
	sortLeases(list)
	return list
}

// Fence is what kv.Txn.Require needs for a commit on a shard: the lease row, which changes with
// every change of ownership and at no other time. ok is false when the shard is not owned.
func (k *Keeper) Fence(shard int) (key string, value []byte, ok bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	h, ok := k.held[shard]
	if !ok || k.expired() {
		return "", nil, false
	}
	return leaseKey(shard), slices.Clone(h.fence), true
}

// expired says whether the own heartbeat is too old to prove anything. A clock that went back by
// as much proves nothing either.
func (k *Keeper) expired() bool { return !k.exclusive && k.now().Sub(k.beat).Abs() >= k.ttl }

// lapse forgets all shards when the own heartbeat has expired, and names them.
func (k *Keeper) lapse() (lost []int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.expired() {
		return nil
	}
	for s := range k.held {
		lost = append(lost, s)
	}
	slices.Sort(lost)
	k.held = nil
	return lost
}

func sortLeases(list []Lease) {
	slices.SortFunc(list, func(a, b Lease) int { return a.Shard - b.Shard })
}

// Moved says whether shards were given back, or members joined or left, since the last Tick: then
// a Tick now, not at the next heartbeat, keeps a hand-over short. r reads the system scope. It is a hint:
// what it misses, the next heartbeat finds. Errors: those of kv.
func (k *Keeper) Moved(r kv.Reader) (bool, error) {
	n, err := news(r)
	k.mu.RLock()
	defer k.mu.RUnlock()
	return err == nil && n != k.news, fault.Wrap("shard", err)
}

// TTL is how long a silent member keeps its shards.
func (k *Keeper) TTL() time.Duration { return k.ttl }

// Exclusive says that nobody else can use the store.
func (k *Keeper) Exclusive() bool { return k.exclusive }

package shard

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/greentic/fault"
)

// lease is the row of a shard. It changes only when ownership does: liveness is the member's row
// alone, so that a heartbeat writes one row and no fence is touched by it.
type lease struct {
	Owner  string `json:"owner,omitempty"` // empty: free
	Epoch  uint64 `json:"epoch"`
	To     string `json:"to,omitempty"`     // of a free shard, the member it is for
	Level  uint8  `json:"level,omitempty"`  // of a free shard, its load when it was given up
	Orphan bool   `json:"orphan,omitempty"` // of a free shard: its owner died
}

// member is the row of a runner. It holds no instant: observers see by their own clock how long
// it has not changed, so it does not matter what time its writer believes it is.
type member struct {
	Beat    uint64        `json:"beat"`
	TTL     time.Duration `json:"ttl_ns"`
	Levels  []byte        `json:"levels"`            // load of each shard it owns
	Leaving bits          `json:"leaving,omitempty"` // the shards it is giving up
	Fresh   bits          `json:"fresh,omitempty"`   // those it has owned for less than its TTL
}

// bits is a set of shards.
type bits uint64

func (b bits) has(shard int) bool { return b>>shard&1 == 1 }

func (m member) level(shard int) uint8 {
	if shard < len(m.Levels) {
		return m.Levels[shard]
	}
	return 0
}

const memberPrefix, leasePrefix, newsKey = "member/", "lease/", "news"

// news counts what the others should look at soon: shards given back, members that joined or left.
func news(r kv.Reader) (n uint64, err error) {
	raw, err := r.Get(newsKey)
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &n)
	}
	return n, err
}

// announce counts one more.
func announce(t kv.Txn) error {
	n, err := news(t)
	if err != nil {
		return err
	}
	return t.Put(newsKey, encode(n+1), 0)
}

func memberKey(owner string) string { return memberPrefix + owner }

// leaseKey has two digits of the shard; every commit of a turn asks for one.
func leaseKey(shard int) string {
	return leasePrefix + string([]byte{'0' + byte(shard/10), '0' + byte(shard%10)})
}

// read reads all rows of the schema.
func read(r kv.Reader) (leases [Count]lease, members map[string]member, err error) {
	members = map[string]member{}
	err = each(r, leasePrefix, func(name string, l lease) error {
		n, err := strconv.Atoi(name)
		if err != nil || n < 0 || n >= Count {
			return fault.Newf(fault.Internal, "shard", "the lease %q names no shard", name)
		}
		leases[n] = l
		return nil
	})
	if err != nil {
		return leases, nil, err
	}
	err = each(r, memberPrefix, func(name string, m member) error {
		members[name] = m
		return nil
	})
	return leases, members, err
}

func each[T any](r kv.Reader, prefix string, fn func(name string, row T) error) (err error) {
	from, to := kv.Prefix(prefix)
	scanErr := r.Scan(from, to, 0, func(key string, value []byte) bool {
		var row T
		if err = json.Unmarshal(value, &row); err == nil {
			err = fn(strings.TrimPrefix(key, prefix), row)
		}
		return err == nil
	})
	if scanErr != nil {
		return scanErr
	}
	return err
}

func encode(row any) []byte {
	raw, err := json.Marshal(row)
	if err != nil {
		panic(err) // rows have no value that JSON lacks
	}
	return raw
}

// Loads travel as levels of an eighth of an octave in one byte: 0 is no load, 1 is smallest.
const (
	smallest = 1.0 / 64
	octave   = 8
)

func levelOf(load float64) uint8 {
	if !(load >= smallest) {
		return 0
	}
	return uint8(math.Min(1+math.Round(octave*math.Log2(load/smallest)), 255))
}

// weightOf is what a shard counts in the plan, in thousandths: one for being there, and its load.
func weightOf(level uint8) int64 {
	if level == 0 {
		return idle
	}
	return idle + int64(idle*smallest*math.Exp2(float64(level-1)/octave))
}

const idle = 1000

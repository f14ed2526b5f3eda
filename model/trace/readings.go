package trace

import (
	"encoding/binary"
	"time"
)

// MaxReadings is how many bytes of each sort of reading a trace keeps.
const MaxReadings = 64 << 10

// Readings are the values of a clock, as zigzag varints of their differences.
type Readings struct {
	Bytes []byte
	Last  uint64 // the value before the next
	Full  bool   // there were more than MaxReadings bytes of them
}

// Add keeps a value, unless the readings are full.
func (r *Readings) Add(value uint64) {
	if r.Full = r.Full || len(r.Bytes)+binary.MaxVarintLen64 > MaxReadings; !r.Full {
		r.Bytes = binary.AppendVarint(r.Bytes, int64(value-r.Last))
		r.Last = value
	}
}

// Next gives the values back in turn; afterwards each is a microsecond later than the one before.
func (r *Readings) Next() uint64 {
	if d, n := binary.Varint(r.Bytes); n > 0 {
		r.Bytes = r.Bytes[n:]
		r.Last += uint64(d)
	} else {
		r.Bytes = nil
		r.Last += uint64(time.Microsecond)
	}
	return r.Last
}

// AppendPoll appends the answer of a poll to polls: uint32 indexes of what was ready.
func AppendPoll(polls []byte, ready []any) []byte {
	polls = binary.AppendUvarint(polls, uint64(len(ready)))
	for _, at := range ready {
		i, _ := at.(uint32)
		polls = binary.AppendUvarint(polls, uint64(i))
	}
	return polls
}

// NextPoll takes the first answer from polls; false when there is none.
func NextPoll(polls []byte) (ready []uint32, rest []byte, ok bool) {
	n, size := binary.Uvarint(polls)
	if size <= 0 || n > uint64(len(polls)) {
		return nil, nil, false
	}
	rest, ready = polls[size:], make([]uint32, n)
	for i := range ready {
		at, size := binary.Uvarint(rest)
		if size <= 0 {
			return nil, nil, false
		}
		rest, ready[i] = rest[size:], uint32(at)
	}
	return ready, rest, true
}

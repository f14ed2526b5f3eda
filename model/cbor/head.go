package cbor

import "encoding/binary"

// head is the first bytes of a data item (RFC 8949 section 3).
type head struct {
	major byte // 0..7
	info  byte // the low five bits of the initial byte
	arg   uint64
}

func (h head) float() bool { return h.major == 7 && h.info >= 25 && h.info <= 27 }

// walkHeads calls fn for each head of b in order until fn returns false or b ends or stops
// making sense. It neither recurses nor allocates; it does not judge well-formedness.
func walkHeads(b []byte, fn func(head) bool) {
	for len(b) > 0 {
		h := head{major: b[0] >> 5, info: b[0] & 31}
		b = b[1:]
		size := 0
		switch {
		case h.info < 24:
			h.arg = uint64(h.info)
		case h.info <= 27:
			size = 1 << (h.info - 24)
		}
		if size > len(b) {
			return
		}
		switch size {
		case 1:
			h.arg = uint64(b[0])
		case 2:
			h.arg = uint64(binary.BigEndian.Uint16(b))
		case 4:
			h.arg = uint64(binary.BigEndian.Uint32(b))
		case 8:
			h.arg = binary.BigEndian.Uint64(b)
		}
		b = b[size:]
		if !fn(h) {
			return
		}
		if (h.major == 2 || h.major == 3) && h.info <= 27 {
			if h.arg > uint64(len(b)) {
				return
			}
			b = b[h.arg:]
		}
	}
}

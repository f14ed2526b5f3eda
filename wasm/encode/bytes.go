package encode

import "encoding/binary"

func sleb(v int64) (b []byte) {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func num[I ~int](n I) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func text(s string) []byte { return append(num(len(s)), s...) }

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func vector(items [][]byte) []byte { return append(num(len(items)), cat(items...)...) }

func section(id byte, body []byte) []byte { return cat([]byte{id}, num(len(body)), body) }

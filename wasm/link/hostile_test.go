package link

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
)

const head = "\x00asm\x0d\x00\x01\x00"

func leb(n int) string { return string(binary.AppendUvarint(nil, uint64(n))) }

// vector is n copies of an item.
func vector(n int, item string) string { return leb(n) + strings.Repeat(item, n) }

// record is the definition of a record of n u8 fields.
func record(n int) string {
	var b strings.Builder
	b.WriteString("\x72" + leb(n))
	for i := range n {
		name := fmt.Sprintf("f%d", i)
		b.WriteString(leb(len(name)) + name + "\x7d")
	}
	return b.String()
}

// TestHostileGraphsAreExhausted: what a small binary asks for many times over is refused before
// it costs much memory.
func TestHostileGraphsAreExhausted(t *testing.T) {
	const most = 128 << 20
	module := section(1, "\x00asm\x01\x00\x00\x00"+section(1, "\x01\x60\x00\x00")+section(3, "\x01\x00")+
		section(7, "\x01\x01f\x00\x00")+section(10, "\x01\x02\x00\x0b"))
	alias := section(6, "\x01\x00\x00\x01\x00\x01f")
	memory := section(1, "\x00asm\x01\x00\x00\x00"+section(5, "\x01\x00\x01")+section(7, "\x01\x01m\x02\x00")) +
		section(2, "\x01\x00\x00\x00") + section(6, "\x01\x00\x02\x01\x00\x01m")
	imported := section(7, "\x01\x40\x00\x01\x00") + section(10, "\x01\x00\x01f\x01\x00")
	many := func(n int) string { // a module of n exports
		var exports strings.Builder
		for i := range n {
			name := fmt.Sprintf("f%d", i)
			exports.WriteString(leb(len(name)) + name + "\x00\x00")
		}
		return section(1, "\x00asm\x01\x00\x00\x00"+section(1, "\x01\x60\x00\x00")+section(3, "\x01\x00")+
			section(7, leb(n)+exports.String())+section(10, "\x01\x02\x00\x0b"))
	}
	large := section(7, "\x02\x6f"+vector(20_000, "\x7d")+"\x40\x01\x01x\x00\x01\x00")
	for name, code := range map[string]string{
		"a large type in many instances": head + section(4, head+section(7, "\x01"+record(20_000))) + section(5, vector(1900, "\x00\x00\x00")),
		"many instances":                 head + section(4, head) + section(5, vector(100_000, "\x00\x00\x00")),
		"many core instances":            head + module + section(2, vector(100_000, "\x00\x00\x00")),
		"many exports in many instances": head + many(5000) + section(2, vector(1001, "\x00\x00\x00")),
		"many lowered functions":         head + imported + section(8, vector(100_000, "\x01\x00\x00\x00")),
		"many lifted functions":          head + module + section(2, "\x01\x00\x00\x00") + alias + section(7, "\x01\x40\x00\x01\x00") + section(8, vector(100_000, "\x00\x00\x00\x00\x00")),
		"a large type lowered often":     head + large + section(10, "\x01\x00\x01f\x01\x01") + memory + section(8, vector(100_000, "\x01\x00\x00\x01\x03\x00")),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := planOf([]byte(code))
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > most {
				t.Errorf("%d bytes were allocated for a component of %d", used, len(code))
			}
			if !fault.Is(err, fault.Exhausted) {
				t.Errorf("%v", err)
			}
		})
	}
}

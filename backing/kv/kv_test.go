package kv_test

import (
	"testing"

	"pgregory.net/rapid"

	"greentic.dev/backing/kv"
)

func TestPrefixIsExactlyTheKeysThatBeginWithIt(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("a/\x00\U0010ffff")), 0, 4, -1)
		p, key := text.Draw(r, "prefix")+rapid.SampledFrom([]string{"", "\xff", "\xff\xff"}).Draw(r, "end"), text.Draw(r, "key")
		if rapid.Bool().Draw(r, "inside") {
			key = p + key
		}
		from, to := kv.Prefix(p)
		inside := key >= from && (to == "" || key < to)
		if has := len(key) >= len(p) && key[:len(p)] == p; has != inside {
			r.Fatalf("Prefix(%q) = [%q, %q); %q is inside: %v", p, from, to, key, inside)
		}
	})
}

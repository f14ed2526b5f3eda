package canon_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"greentic.dev/wasm/canon"

	types "greentic.dev/wasm/binary"
)

// A guest sees what room is asked for when a string comes from a guest of another encoding; the
// steps are those of store_string_into_range.
func TestStringsBetweenGuestsAskForRoomAsTheSpecSays(t *testing.T) {
	const (
		u8, u16, compact = canon.UTF8, canon.UTF16, canon.CompactUTF16
	)
	for _, c := range []struct {
		from, to canon.Encoding
		text     string
		want     string // old size, alignment, new size of each call
	}{
		{u8, u8, "häß", "0/1/5"},
		{u16, u8, "abc", "0/1/3"},
		{u16, u8, "abä", "0/1/3 3/1/9 9/1/4"},
		{u16, u8, "€€€", "0/1/3 3/1/9"}, // nothing to give back
		{compact, u8, "abä", "0/1/3 3/1/6 6/1/4"},
		{compact, u8, "ab€", "0/1/3 3/1/9 9/1/5"},
		{u8, u16, "abc", "0/2/6"},
		{u8, u16, "€", "0/2/6 6/2/2"},
		{compact, u16, "aä", "0/2/4"},
		{u16, u16, "a€", "0/2/4"},
		{u8, compact, "abc", "0/2/3"},
		{u8, compact, "aä", "0/2/3 3/2/2"},
		{u8, compact, "aä€", "0/2/6 6/2/12 12/2/6"},
		{u16, compact, "aä", "0/2/2"},
		{u16, compact, "aä€", "0/2/3 3/2/6"},
		{compact, compact, "aä", "0/2/2"},
		{compact, compact, "a€", "0/2/4"},
	} {
		g := newGuest(256)
		var calls []string
		opt := canon.Options{Encoding: c.to, Memory: func() []byte { return g.mem },
			Realloc: func(ctx context.Context, old, oldSize, align, size uint32) (uint32, error) {
				calls = append(calls, fmt.Sprintf("%d/%d/%d", oldSize, align, size))
				ptr, err := g.realloc(ctx, 0, 0, align, size)
				if err == nil {
					copy(g.mem[ptr:ptr+size], g.mem[old:old+min(oldSize, size)])
				}
				return ptr, err
			}}
		env := &canon.Env{Ctx: t.Context(), Opt: &opt, From: &c.from}
		s := canon.Compile(params(of(types.String)))
		flat, err := s.LowerArgs(env, []any{c.text}, nil)
		if err != nil {
			t.Errorf("%v to %v %q: %v", c.from, c.to, c.text, err)
			continue
		}
		if got := strings.Join(calls, " "); got != c.want {
			t.Errorf("%v to %v %q asks for %s, want %s", c.from, c.to, c.text, got, c.want)
		}
		if back, err := s.LiftArgs(env, flat); err != nil || back[0] != c.text {
			t.Errorf("%v to %v: %q arrives as %q, %v", c.from, c.to, c.text, back, err)
		}
	}
}

package nats

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
)

func TestEscapedTextIsOneTokenAndDistinct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		for _, text := range []string{a, b} {
			if e := escape(text); strings.Trim(e, "abcdefghijklmnopqrstuvwxyz0123456789-_=") != "" {
				t.Fatalf("%q becomes %q", text, e)
			}
		}
		if (a == b) != (escape(a) == escape(b)) {
			t.Fatalf("%q and %q become %q and %q", a, b, escape(a), escape(b))
		}
	})
}

// Patterns overlap exactly when some topic matches both.
func TestOverlapIsWhatMatchSays(t *testing.T) {
	word := rapid.SampledFrom([]string{"a", "b", "*"})
	pattern := rapid.Custom(func(t *rapid.T) string {
		list := rapid.SliceOfN(word, 1, 3).Draw(t, "words")
		if rapid.Bool().Draw(t, "rest") {
			list = append(list, ">")
		}
		return strings.Join(list, ".")
	})
	var topics []string
	for _, n := range []int{1, 2, 3, 4, 5} {
		for bits := range 1 << (2 * n) { // words a, b, c
			list := make([]string, n)
			for i := range list {
				list[i] = string("abcc"[bits>>(2*i)&3])
			}
			topics = append(topics, strings.Join(list, "."))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p, q := pattern.Draw(t, "p"), pattern.Draw(t, "q")
		both := false
		for _, topic := range topics {
			both = both || bus.Match(p, topic) && bus.Match(q, topic)
		}
		if overlap(p, q) != both {
			t.Fatalf("%s and %s overlap: %v, but some topic matches both: %v", p, q, !both, both)
		}
	})
}

func TestFiltersStayInsideTheTenant(t *testing.T) {
	tenant := greentic.TenantCtx{Env: "Prod", Tenant: "a.b"}
	for want, topics := range map[string][]string{
		"greentic.retry.=50rod.a=2eb.s greentic.events.=50rod.a=2eb.x.* greentic.events.=50rod.a=2eb.y=20z.>": {"x.*", "y z.>"},
		"greentic.events.=50rod.a=2eb.> greentic.retry.=50rod.a=2eb.s":                                        {"x.*", "*.y"},
	} {
		if got := strings.Join(filters(tenant, bus.Subscription{Name: "s", Topics: topics}), " "); got != want {
			t.Errorf("%v: %s", topics, got)
		}
	}
}

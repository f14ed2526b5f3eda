package nearest_test

import (
	"strings"
	"testing"

	"greentic.dev/internal/nearest"
)

func TestTheNearestWordIsSuggestedAndNothingFarAway(t *testing.T) {
	words := []string{"tenant", "listen", "limits.pack_mib", "data"}
	for given, want := range map[string]string{
		"tennant": "tenant", "lisen": "listen", "limits.pack_mb": "limits.pack_mib", "dat": "data", "tenant": "tenant",
		"colour": "", "": "", "x": "", strings.Repeat("tenant", 20): "",
	} {
		if got := nearest.Word(given, words); got != want {
			t.Errorf("%.20q suggests %q, want %q", given, got, want)
		}
	}
	if got := nearest.Word("ab", []string{"ax", "xb"}); got != "ax" {
		t.Errorf("of equals the first is suggested, got %q", got)
	}
}

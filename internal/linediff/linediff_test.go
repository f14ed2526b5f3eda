package linediff

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestADifferenceIsShownWithItsSurroundings(t *testing.T) {
	var a, b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&a, "line %d\n", i)
		switch i {
		case 4:
			b.WriteString("other 4\n")
		case 20:
		default:
			fmt.Fprintf(&b, "line %d\n", i)
		}
	}
	want := `--- a
+++ b
@@ -2,7 +2,7 @@
 line 1
 line 2
 line 3
-line 4
+other 4
 line 5
 line 6
 line 7
@@ -18,7 +18,6 @@
 line 17
 line 18
 line 19
-line 20
 line 21
 line 22
 line 23
`
	if got := Unified("a", "b", a.String(), b.String()); got != want {
		t.Errorf("%s", got)
	}
	if got := Unified("a", "b", "x\n", "x\n"); got != "" {
		t.Error(got)
	}
	if got := Unified("a", "b", "x", "x\n"); !strings.Contains(got, "-x\n\\ no end of line\n+x\n") {
		t.Error(got)
	}
}

// What a script leaves and adds is the other text, whatever the texts are.
func TestAScriptTurnsOneTextIntoTheOther(t *testing.T) {
	text := rapid.SliceOfN(rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "d\n"}), 0, 40)
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		var left, right []string
		for _, e := range compare(a, b) {
			if e.op != '+' {
				left = append(left, e.line)
			}
			if e.op != '-' {
				right = append(right, e.line)
			}
		}
		if strings.Join(left, "") != strings.Join(a, "") || strings.Join(right, "") != strings.Join(b, "") {
			t.Fatalf("%q to %q became %q to %q", a, b, left, right)
		}
	})
}

func TestTextsWithNothingInCommonAreReplaced(t *testing.T) {
	var a, b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&a, "a%d\n", i)
		fmt.Fprintf(&b, "b%d\n", i)
	}
	if got := Unified("a", "b", a.String(), b.String()); strings.Count(got, "\n") != 6003 {
		t.Errorf("%d lines", strings.Count(got, "\n"))
	}
}

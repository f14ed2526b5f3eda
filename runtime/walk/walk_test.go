package walk_test

import (
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/walk"
)

func TestAFailedTurnKeepsTheKindOfItsFailure(t *testing.T) {
	for code, want := range map[string]fault.Kind{
		"timeout": fault.Timeout, "exhausted": fault.Exhausted, "step_limit": fault.Exhausted, "not_found": fault.NotFound,
		"guest_trap": fault.Invalid, "AC_SOMETHING": fault.Invalid, "": fault.Invalid,
	} {
		if got := walk.Kind(code); got != want {
			t.Errorf("%q is %s, want %s", code, got, want)
		}
	}
}

package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"greentic.dev/greentic/fault"
)

func TestTheTableNamesEveryKindOnce(t *testing.T) {
	names, exits := map[string]bool{}, map[int]bool{}
	for _, k := range fault.Kinds() {
		if k.String() == "" || k.HTTPStatus() < 400 || k.ExitCode() < 1 || k.WIT() == "" {
			t.Errorf("kind %d has an empty row: %q %d %d %q", k, k, k.HTTPStatus(), k.ExitCode(), k.WIT())
		}
		if names[k.String()] || exits[k.ExitCode()] {
			t.Errorf("kind %s shares its name or exit code", k)
		}
		names[k.String()], exits[k.ExitCode()] = true, true
	}
	if len(names) != 12 {
		t.Errorf("the set is closed at 12 kinds, found %d", len(names))
	}
}

func TestWrapKeepsTheKind(t *testing.T) {
	err := fault.Wrap("run", fault.Wrap("load", fault.New(fault.Denied, "policy", "host not granted")))
	if fault.KindOf(err) != fault.Denied {
		t.Fatalf("kind = %s", fault.KindOf(err))
	}
	if got := err.Error(); got != "run: load: policy: host not granted" {
		t.Fatalf("text = %q", got)
	}
	if fault.Wrap("run", nil) != nil || fault.As(fault.Invalid, "x", nil) != nil {
		t.Fatal("wrapping nil must give nil")
	}
}

func TestContextErrorsHaveKinds(t *testing.T) {
	if k := fault.KindOf(fmt.Errorf("x: %w", context.Canceled)); k != fault.Canceled {
		t.Errorf("canceled = %s", k)
	}
	if k := fault.KindOf(fmt.Errorf("x: %w", context.DeadlineExceeded)); k != fault.Timeout {
		t.Errorf("deadline = %s", k)
	}
	if k := fault.KindOf(errors.New("x")); k != fault.Internal {
		t.Errorf("unknown = %s", k)
	}
}

func TestDetailFindsPositionAndFix(t *testing.T) {
	inner := fault.New(fault.Invalid, "flow", "missing target").
		At(fault.Position{File: "a.ygtc", Line: 3, Col: 7}).WithFix("add node b").WithCode("MissingNode")
	pos, fix, code := fault.Detail(fault.Wrap("check", inner))
	joined, fix2, _ := fault.Detail(errors.Join(errors.New("x"), fault.Wrap("check", inner), fault.New(fault.Denied, "y", "z").WithFix("other")))
	if joined != pos || fix2 != fix {
		t.Fatalf("joined: %v %q", joined, fix2)
	}
	if pos.String() != "a.ygtc:3:7" || fix != "add node b" || code != "MissingNode" {
		t.Fatalf("got %v %q %q", pos, fix, code)
	}
}

package js

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestTheSDKInNode runs the tests of the SDK that are written in JavaScript.
func TestTheSDKInNode(t *testing.T) {
	tool, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("REQUIRE_ALL") != "" {
			t.Fatal("node is missing")
		}
		t.Skip("node is missing")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, tool, "--test", "test/").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

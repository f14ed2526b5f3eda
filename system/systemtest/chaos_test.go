package systemtest_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// Real server processes under a load that repeats, delays and reorders are killed by kill -9 at
// random points and started again: each accepted message is answered once, in the order of its
// conversation; no session and no timer is lost or doubled; each call to the outside has one key.
func TestKillNineAtAnyPointLosesNothingAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("the kill test starts and kills processes for a minute")
	}
	stormOn(t, &storm{slots: 1}, "")
}

// Two processes on one server share the conversations; each is killed and started again.
func TestKillNineOfTwoRunnersOnPostgreSQL(t *testing.T) {
	onlyWithChaos(t)
	stormOn(t, &storm{slots: 2}, postgresServer.URL(t))
}

func TestKillNineOfTwoRunnersOnRedis(t *testing.T) {
	onlyWithChaos(t)
	stormOn(t, &storm{slots: 2}, redisServer.URL(t))
}

// The kill tests on servers are make chaos: without DURATION or KILLS there is one on SQLite only.
func onlyWithChaos(t *testing.T) {
	t.Helper()
	if os.Getenv("DURATION") == "" && os.Getenv("KILLS") == "" {
		t.Skip("skip: make chaos runs the kill tests on servers")
	}
}

// stormOn reads SEED, DURATION (for three backends; a minute for one) and KILLS, and lets it rage.
func stormOn(t *testing.T, s *storm, store string) {
	s.T, s.seed, s.length, s.kills = t, uint64(time.Now().UnixNano()), time.Minute, 30
	var err error
	if text := os.Getenv("SEED"); text != "" {
		if s.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("SEED: %v", err)
		}
	}
	if text := os.Getenv("DURATION"); text != "" {
		if s.length, err = time.ParseDuration(text); err != nil {
			t.Fatalf("DURATION: %v", err)
		}
		s.length /= 3
	}
	if text := os.Getenv("KILLS"); text != "" {
		if s.kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("KILLS: %v", err)
		}
	}
	t.Logf("to see it again: SEED=%d DURATION=%v KILLS=%d go test ./system/systemtest -count=1 -v -run '^%s$'", s.seed, 3*s.length, s.kills, t.Name())
	s.settings = func(slot int) map[string]string {
		m := map[string]string{"data": t.TempDir(), "keys": s.keys, "cache": s.cache, "log.level": "error", "allow_http": s.sink.server.Listener.Addr().String(), "workers": "8"}
		if store != "" {
			m["store"], m["lease_ttl"], m["runner_name"] = store, "1s", fmt.Sprintf("runner-%d", slot)
		}
		return m
	}
	s.rage()
	s.judge(store)
}

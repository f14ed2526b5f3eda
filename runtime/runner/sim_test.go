package runner_test

import (
	"log/slog"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"greentic.dev/backing/egress"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/release"
	"greentic.dev/wasm"
)

// simRemote pins the component that simFlow calls and nobody has: its call fails each time.
const simRemote = `{"nodes":{"call":{"component_id":"test.missing","source":{"kind":"oci","ref":"oci://example.com/missing"},
"digest":"sha256:abababababababababababababababababababababababababababababababab"}}}`

// simServed is simFlow as it is served to every simulated process, and what its component calls.
type simServed struct {
	releases *release.Set
	outside  *outside
}

// theSim is served once. Nobody closes its engine: the timers of kept instances belong to bubbles, which
// end with their worlds.
var theSim struct {
	sync.Once
	simServed
}

// simReleases serves simFlow.
func simReleases(t testing.TB) simServed {
	t.Helper()
	theSim.Do(func() { theSim.simServed = serveSim(t) })
	return theSim.simServed
}

func serveSim(t testing.TB) simServed {
	t.Helper()
	engine, err := wasm.New(t.Context(), wasm.Options{Warn: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := egress.ParseGrant("outside.test")
	if err != nil {
		t.Fatal(err)
	}
	served := simServed{outside: &outside{}}
	http := egress.New(egress.Options{Transport: served.outside})
	served.releases = release.New(host.New(host.Deps{Engine: engine, HTTP: http, Log: slog.New(slog.DiscardHandler)}, host.Options{}), nil, unsafe, []egress.Grant{grant})
	one, err := served.releases.Serve(t.Context(), makePack(t, "t.sim", map[string]string{"main": simFlow}, map[string]string{
		"flows/main.ygtc.resolve.summary.json": simRemote,
		"components":                           "  - { id: test.asker, version: 1.0.0, world: greentic:provider/schema-core@1.0.0, wasm: components/asker/component.wasm }\n",
		"components/asker/component.wasm":      read(t, "..", "host", "testdata", "asker.wasm"),
	}))
	if err == nil {
		_, err = one.Component(t.Context(), "test.asker") // loaded here: what waits for it must not belong to a bubble
	}
	if err != nil {
		t.Fatal(err)
	}
	return served
}

func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// bubble simulates a seed.
func bubble(t *testing.T, seed int, served simServed, m mutant, noted bool) (w *world, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		s := newSim(uint64(seed))
		s.quiet = !noted // notes cost a fifth of the time
		w, err = simulate(s, uint64(seed), served, m)
	})
	return w, err
}

// TestSimulation runs as many worlds as GREENTIC_SIM_SEEDS says, or the one of GREENTIC_SIM_SEED.
func TestSimulation(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	releases := simReleases(t)
	first, count := 1, 2000
	if testing.Short() {
		count = 100
	}
	count = setting(t, "GREENTIC_SIM_SEEDS", count)
	one := setting(t, "GREENTIC_SIM_SEED", 0)
	if one > 0 {
		first, count = one, 1
	}
	wrong, repeats, crashes := 0, 0, 0
	for seed := first; seed < first+count; seed++ {
		w, err := bubble(t, seed, releases, mutant{}, one > 0)
		repeats += w.sink.again
		crashes += w.names
		if one > 0 {
			t.Log("\n" + strings.Join(w.sim.log, "\n"))
		}
		if err == nil {
			continue
		}
		t.Errorf("seed %d: %v\nreproduce it: GREENTIC_SIM_SEED=%d go test ./runtime/runner -run 'TestSimulation$' -v", seed, err, seed)
		if wrong++; wrong == 5 {
			break
		}
	}
	t.Logf("%d worlds, %d processes, %d items sent again with the same id", count, crashes, repeats)
}

// A seed decides everything: the same one gives the same events, to the last. Every fourth, in
// which clients wait in Turn, decides almost everything.
func TestASeedDecidesEverything(t *testing.T) {
	releases := simReleases(t)
	for seed := 1; seed <= 20; seed++ {
		if seed%4 == 3 {
			continue
		}
		a, _ := bubble(t, seed, releases, mutant{}, true)
		b, _ := bubble(t, seed, releases, mutant{}, true)
		if !slices.Equal(a.sim.log, b.sim.log) {
			for i := range min(len(a.sim.log), len(b.sim.log)) {
				if a.sim.log[i] != b.sim.log[i] {
					t.Fatalf("seed %d, event %d: %s, and then %s", seed, i, a.sim.log[i], b.sim.log[i])
				}
			}
			t.Fatalf("seed %d: %d events and then %d", seed, len(a.sim.log), len(b.sim.log))
		}
	}
}

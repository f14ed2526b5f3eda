package oracle_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"greentic.dev/conformance/oracle"
	"greentic.dev/wasm"
)

var (
	seed     = flag.Uint64("oracle.seed", 1, "the first seed")
	count    = flag.Int("oracle.count", 2000, "how many cases to run")
	jco      = flag.String("oracle.jco", "", "the folder runners/jco with its modules installed")
	wasmtime = flag.String("oracle.wasmtime", "", "a python that has the package wasmtime")
	only     = flag.String("oracle.story", "", "only worlds of this story")
)

func peers(t *testing.T) (ps []oracle.Peer) {
	if *jco != "" {
		ps = append(ps, oracle.Peer{Name: "jco", Command: []string{"node", *jco + "/run.mjs"}})
	}
	if *wasmtime != "" {
		ps = append(ps, oracle.Peer{Name: "wasmtime", Command: []string{*wasmtime, "runners/wasmtime/run.py"}})
	}
	if len(ps) == 0 {
		t.Skip("no other implementation is given: -oracle.jco, -oracle.wasmtime (make conformance-wasm)")
	}
	return ps
}

// batch is how many worlds a peer gets at once.
const batch = 20

// TestOtherImplementationsAgree runs generated worlds here and elsewhere. What differs and is no
// known deviation fails, with the story and seed that make it again.
func TestOtherImplementationsAgree(t *testing.T) {
	ps, stories := peers(t), oracle.Stories()
	if *only != "" {
		stories = []string{*only}
	}
	e := engine(t)
	tally := map[string]int{}
	for s, done := *seed, 0; done < *count; {
		var worlds []*oracle.World
		for i := 0; i < batch && done < *count; i++ {
			w := oracle.Generate(stories[i%len(stories)], s)
			if i%len(stories) == len(stories)-1 {
				s++
			}
			worlds = append(worlds, w)
			done += len(w.Cases)
		}
		ours := make([][]*oracle.Outcome, len(worlds))
		for i, w := range worlds {
			var err error
			if ours[i], err = oracle.Run(context.Background(), e, w); err != nil {
				t.Errorf("%s: refused here: %v", w.Name, err)
			}
		}
		for _, p := range ps {
			judge(t, p, worlds, ours, tally)
		}
	}
	raw, _ := json.MarshalIndent(tally, "", "  ")
	fmt.Fprintf(os.Stderr, "seeds from %d: %s\n", *seed, raw)
}

func judge(t *testing.T, p oracle.Peer, worlds []*oracle.World, ours [][]*oracle.Outcome, tally map[string]int) {
	answers, err := p.Run(context.Background(), worlds)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range worlds {
		if answers[i].Refused != "" {
			d := oracle.KnownRefusal(p.Name, answers[i].Refused)
			tally[p.Name+" refused: "+d]++
			if d == "" {
				t.Errorf("%s: refused by %s: %.500s", w.Name, p.Name, answers[i].Refused)
			}
			continue
		}
		for j, theirs := range answers[i].Outcomes {
			if ours[i] == nil {
				continue
			}
			c := w.Cases[j]
			kind := "value"
			if ours[i][j].Trap {
				kind = "trap"
			}
			switch d := oracle.KnownDeviation(p.Name, w, c, ours[i][j], theirs); {
			case oracle.Same(ours[i][j], theirs):
				tally[p.Name+" agrees: "+kind]++
			case d != "":
				tally[p.Name+" deviates: "+d]++
			default:
				tally[p.Name+" disagrees"]++
				t.Errorf("%s case %d (%s), %v:\n  type   %s\n  args   %s\n  ours   %s\n  %s %s",
					w.Name, j, c.Func, c.Mutation, text(c.Type), text(c.Args), text(ours[i][j]), p.Name, text(theirs))
			}
		}
	}
}

func text(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.1500s", raw)
}

// engine makes an engine that ends with the test.
func engine(t *testing.T) *wasm.Engine {
	e, err := wasm.New(context.Background(), wasm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

package oracle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"greentic.dev/conformance/oracle"
)

var update = flag.Bool("update", false, "choose the corpus anew; needs -oracle.jco and -oracle.wasmtime")

// TestCorpusComesOutAsOtherImplementationsSaid runs worlds whose outcomes jco and Wasmtime gave
// when they were chosen.
func TestCorpusComesOutAsOtherImplementationsSaid(t *testing.T) {
	if *update {
		choose(t)
	}
	files, _ := filepath.Glob("testdata/*.json")
	if len(files) < 10 {
		t.Fatalf("the corpus has %d worlds", len(files))
	}
	e, cases := engine(t), 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w, err := oracle.Read(raw)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		got, err := oracle.Run(context.Background(), e, w)
		if err != nil {
			t.Errorf("%s: refused: %v", w.Name, err)
			continue
		}
		for i, c := range w.Cases {
			if cases++; !oracle.Same(got[i], c.Want) {
				t.Errorf("%s case %d (%s), %v:\n  type %s\n  args %s\n  got  %s\n  want %s",
					w.Name, i, c.Func, c.Mutation, text(c.Type), text(c.Args), text(got[i]), text(c.Want))
			}
		}
	}
	t.Logf("%d cases in %d worlds", cases, len(files))
}

// TestEqualSeedsMakeEqualWorlds holds what the reports of failures rely on.
func TestEqualSeedsMakeEqualWorlds(t *testing.T) {
	for _, story := range oracle.Stories() {
		for seed := range uint64(5) {
			if text(oracle.Generate(story, seed)) != text(oracle.Generate(story, seed)) {
				t.Errorf("%s-%d differs from itself", story, seed)
			}
			if bytes.Equal(oracle.Generate(story, seed).Component, oracle.Generate(story, seed+1).Component) {
				t.Errorf("%s-%d is %s-%d", story, seed, story, seed+1)
			}
		}
	}
}

// candidate is a world that may enter the corpus.
type candidate struct {
	world *oracle.World
	shows []string
	size  int
}

// choose fills testdata with the worlds that show most for their size, given what those chosen
// before them show; keep has the peers confirm them.
func choose(t *testing.T) {
	ps := peers(t)
	if len(ps) != 2 {
		t.Fatal("choosing needs -oracle.jco and -oracle.wasmtime")
	}
	old, _ := filepath.Glob("testdata/*.json")
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	e, seen := engine(t), map[string]bool{}
	share := map[string]int{"pass": 60 << 10, "chain": 60 << 10, "memory": 90 << 10, "script": 40 << 10, "resource": 30 << 10}
	for _, story := range oracle.Stories() {
		var all []candidate
		for seed := uint64(1); seed <= 250; seed++ {
			w := oracle.Generate(story, seed)
			ours, err := oracle.Run(context.Background(), e, w)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range w.Cases {
				c.Want = ours[i]
			}
			all = append(all, candidate{w, shown(story, w), len(stored(t, w))})
		}
		var worlds []*oracle.World
		for left := share[story]; ; {
			best, worth := -1, 0
			for i, c := range all {
				added := 0
				for _, s := range c.shows {
					if !seen[s] {
						added++
						if strings.HasPrefix(s, trapped) {
							added += 4
						}
					}
				}
				if w := added << 20 / c.size; c.size <= left && w > worth {
					best, worth = i, w
				}
			}
			if best < 0 {
				break
			}
			for _, s := range all[best].shows {
				seen[s] = true
			}
			left -= all[best].size
			worlds = append(worlds, all[best].world)
		}
		keep(t, ps, worlds)
	}
}

// keep stores the worlds without the cases that no peer confirms.
func keep(t *testing.T, ps []oracle.Peer, worlds []*oracle.World) {
	confirmed := map[*oracle.Case]bool{}
	for _, p := range ps {
		answers, err := p.Run(context.Background(), worlds)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range worlds {
			for j, theirs := range answers[i].Outcomes {
				c := w.Cases[j]
				if oracle.Same(c.Want, theirs) {
					confirmed[c] = true
				} else if oracle.KnownDeviation(p.Name, w, c, c.Want, theirs) == "" {
					t.Errorf("%s case %d %v: %s disagrees:\n  %s\n  %s", w.Name, j, c.Mutation, p.Name, text(c.Want), text(theirs))
				}
			}
		}
	}
	for _, w := range worlds {
		all := w.Cases
		w.Cases = nil
		for _, c := range all {
			c.Want.Reason = ""
			if confirmed[c] {
				w.Cases = append(w.Cases, c)
			}
		}
		if err := os.WriteFile(filepath.Join("testdata", w.Name+".json"), stored(t, w), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// stored is the file of a world: a line for the component, one for each case.
func stored(t *testing.T, w *oracle.World) []byte {
	raw, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	s := strings.Replace(string(raw), `"cases":[`, "\"cases\":[\n", 1)
	s = strings.ReplaceAll(s, `},{"interface":"oracle:guest`, "},\n{\"interface\":\"oracle:guest")
	return []byte(s + "\n")
}

// shown names what a world shows: types by place, traps by reason, encodings.
func shown(story string, w *oracle.World) []string {
	seen := map[string]bool{story + strings.Join(w.Encodings, " to "): true}
	for _, c := range w.Cases {
		spoiled := ""
		if len(c.Mutation) > 0 {
			spoiled = fmt.Sprint("spoiled ", c.Mutation, c.Want.Trap)
		}
		seen[story+spoiled] = true
		if c.Want.Trap {
			why := c.Want.Reason[strings.LastIndex(c.Want.Reason, ": ")+1:]
			if !strings.Contains(why, "handle") { // of these the number says whether they are forged
				why = digits.ReplaceAllString(why, "n")
			}
			seen[fmt.Sprint(trapped, story, why, strings.Contains(c.Want.Reason, "realloc"), strings.Contains(c.Want.Reason, "lift result"))] = true
		}
		for _, p := range c.Type.Params {
			name(seen, "param ", p)
		}
		name(seen, "result ", c.Type.Result)
		before := ""
		for _, call := range c.Want.Calls { // in scripts the order of calls is what there is to show
			step := call.Name
			if story == "resource" { // all calls are notes of what the guests do
				step = fmt.Sprint(call.Args[0].(int64) >> 16)
			}
			if story == "script" || story == "resource" {
				seen[story+" "+before+" then "+step] = true
			}
			before = step
		}
		if n := c.Type.FlatParams(); n == 16 || n == 17 {
			seen[fmt.Sprint(trapped, story, n, " flat")] = true
		}
		if text := ascii.ReplaceAllString(text(c.Want), ""); text != "" {
			seen[fmt.Sprint(trapped, story, w.Encodings, "wide text")] = true
		}
		seen[fmt.Sprint(story, " params ", min(len(c.Type.Params), 17))] = true
	}
	var out []string
	for s := range seen {
		out = append(out, s)
	}
	return out
}

// trapped begins what counts more than the rest: traps, and what else tells little by little.
const trapped = "!"

var ascii = regexp.MustCompile(`[\x00-\x7f]*`)

var digits = regexp.MustCompile(`[0-9a-fx]*[0-9][0-9a-f]*`)

func name(seen map[string]bool, place string, t *oracle.Type) {
	if t == nil {
		return
	}
	size := ""
	if t.Kind == "flags" || t.Kind == "enum" {
		size = fmt.Sprint(len(t.Names))
	}
	seen[place+t.Kind+size] = true
	for _, e := range append([]*oracle.Type{t.Elem, t.Err}, t.Types...) {
		name(seen, place[:strings.Index(place[1:], " ")+2]+"in "+t.Kind+" ", e)
	}
}

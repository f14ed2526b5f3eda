package link_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"greentic.dev/wasm/core"
)

// forgotten checks that the secret is in no memory, stack, global or image of what is kept,
// nor half of it in a global that holds no more.
func (g *guest) forgotten(t testing.TB) {
	t.Helper()
	needle := binary.LittleEndian.AppendUint64(nil, secret)
	memories, _ := g.AtRest("")
	images, globals := g.Remembered()
	for name, places := range map[string][][]byte{"memory": memories, "stack": g.Stacks(), "image": images} {
		for n, b := range places {
			if bytes.Contains(b, needle) {
				t.Errorf("%s %d holds the secret while it rests", name, n)
			}
		}
	}
	for n, v := range globals {
		if v == secret || v == secret&0xffffffff || v == secret>>32 {
			t.Errorf("global %d holds %#x while it rests", n, v)
		}
	}
}

func TestGlobalsOfEveryTypeAreForgotten(t *testing.T) {
	ways(t, func(t *testing.T, way core.Way) {
		g := bind(t, program(t, way, "kept-globals"))
		for range 5 {
			g.do(t, as("a", "hide", secret))
			if images, globals := g.Remembered(); g.Resting() == 0 || len(images) == 0 || len(globals) < 8 {
				t.Fatalf("%d rest; there are %d images and %d globals to look at", g.Resting(), len(images), len(globals))
			}
			g.forgotten(t)
			for _, owner := range []string{"a", "b", ""} {
				if v := g.do(t, as(owner, "seek")); v != uint64(0) {
					t.Errorf("%q sees %#x", owner, v)
				}
			}
			g.Age()
		}
	})
}

// The search finds a secret where there is one: an image that was made of it.
func TestTheSearchForASecretFindsIt(t *testing.T) {
	ways(t, func(t *testing.T, way core.Way) {
		g := bind(t, program(t, way, "kept"))
		g.do(t, as("a", "seek"))
		images, _ := g.Remembered()
		if len(images) == 0 || !bytes.Contains(bytes.Join(images, nil), []byte("hello")) {
			t.Errorf("%d images, none holds what the guest was made with", len(images))
		}
		memories, _ := g.AtRest("")
		if !bytes.Contains(bytes.Join(memories, nil), []byte("hello")) {
			t.Error("no memory holds it")
		}
	})
}

// What an image does not reach is not kept: globals that are vectors or references never, tables
// and segments once they have changed.
func TestWhatAnImageDoesNotReachIsMadeAnew(t *testing.T) {
	for name, never := range map[string]bool{"table": false, "size": false, "far": false, "segment": false, "vector": true, "reference": true} {
		t.Run(name, func(t *testing.T) {
			g := bind(t, program(t, core.ByScanning, "unkept-"+name))
			for range 3 {
				g.Age()
				g.Sweep()
				if g.do(t, as("a", "hide", secret)); g.Resting() != 0 {
					t.Errorf("%d rest with what was hidden", g.Resting())
				}
				for _, owner := range []string{"a", "b", ""} {
					if v := g.do(t, as(owner, "seek")); v != uint64(0) {
						t.Errorf("%q sees %#x", owner, v)
					}
				}
			}
			if kept := g.Images() != 0 || g.Resting() != 0; kept == never {
				t.Errorf("%d images, %d at rest", g.Images(), g.Resting())
			}
		})
	}
}

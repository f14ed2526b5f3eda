package release_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/session"
	"greentic.dev/build"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
)

// makePack builds a pack with one flow that says word.
func makePack(t *testing.T, id, version, word string) *loader.Verified {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pack.yaml":       "pack_id: " + id + "\nversion: " + version + "\nkind: application\npublisher: tests\nflows:\n  - { id: main, file: flows/main.ygtc, tags: [default] }\n",
		"flows/main.ygtc": "id: main\ntype: messaging\nnodes:\n  say:\n    emit.response: { text: " + word + " }\n    routing: out\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	built, err := build.Pack(t.Context(), dir, build.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := loader.LoadBytes(t.Context(), id, built.Bytes, loader.Policy{AllowUnsignedUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newSet(t *testing.T, dir string, packs ...*loader.Verified) *release.Set {
	t.Helper()
	set := release.New(host.New(host.Deps{}, host.Options{}), loader.NewStore(dir), loader.Policy{AllowUnsignedUnsafe: true}, []egress.Grant{{Host: "api.example.com"}})
	for _, v := range packs {
		if _, err := set.Serve(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	return set
}

func TestANewSessionGetsTheNewestReleaseOfTheFirstPackThatAnswers(t *testing.T) {
	one, two, other := makePack(t, "t.a", "1.0.0", "one"), makePack(t, "t.a", "2.0.0", "two"), makePack(t, "t.b", "1.0.0", "b")
	set := newSet(t, t.TempDir(), one, other, two) // two takes the place of one
	for _, c := range []struct {
		pack, flow string
		digest     greentic.Digest
		want       greentic.Digest
		kind       fault.Kind
	}{
		{"", "", "", two.Digest(), 0},
		{"t.b", "", "", other.Digest(), 0},
		{"t.a", "main", "", two.Digest(), 0},
		{"", "", one.Digest(), one.Digest(), 0}, // an older one, demanded
		{"t.b", "", one.Digest(), "", fault.NotFound},
		{"t.c", "", "", "", fault.NotFound},
		{"", "nothing", "", "", fault.NotFound},
		{"", "", greentic.DigestOf([]byte("x")), "", fault.NotFound},
	} {
		r, f, err := set.Choose(t.Context(), c.pack, c.flow, c.digest)
		if c.want == "" {
			if !fault.Is(err, c.kind) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if err != nil || r.Digest() != c.want || f.ID != "main" || f.Kind != flow.Messaging {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if g := mustPin(t, set, other.Digest()).Grants("anything"); len(g.Hosts) != 1 || g.Hosts[0].Host != "api.example.com" || !g.State || g.Scratch {
		t.Errorf("grants %+v", g)
	}
}

func mustPin(t *testing.T, set *release.Set, d greentic.Digest) *release.Release {
	t.Helper()
	r, err := set.Pinned(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAPinnedReleaseIsReopenedAndKeptUntilNoSessionNeedsIt(t *testing.T) {
	one, two := makePack(t, "t.a", "1.0.0", "one"), makePack(t, "t.a", "2.0.0", "two")
	dir, db, tenant := t.TempDir(), memory.New(time.Now), greentic.DefaultTenant()
	newSet(t, dir, one, two)
	s := session.Session{Key: "k", Release: one.Digest(), Flow: "main"}
	err := db.Update(t.Context(), tenant, func(x kv.Txn) (err error) {
		s, err = session.Save(x, tenant, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	set := newSet(t, dir, two) // another process
	if err := set.DropUnused(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if r := mustPin(t, set, one.Digest()); r.Archive().Version() != "1.0.0" {
		t.Fatalf("version %s", r.Archive().Version())
	}
	if err := db.Update(t.Context(), tenant, func(x kv.Txn) error { return session.End(x, tenant, s) }); err != nil {
		t.Fatal(err)
	}
	set = newSet(t, dir, two)
	if err := set.DropUnused(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	_, err = set.Pinned(t.Context(), one.Digest())
	if _, _, code := fault.Detail(err); !fault.Is(err, fault.NotFound) || code != release.CodeMissing {
		t.Fatalf("afterwards: %v", err)
	}
}

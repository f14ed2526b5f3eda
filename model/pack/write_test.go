package pack

import (
	"archive/zip"
	"bytes"
	"io"
	"slices"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/trust"
)

// goldenDigest is the digest of sample(). It changes only when the written form changes, which
// needs a reason in the commit message.
const goldenDigest = "sha256:679c83559f75ffca9ca0f09d73d93e48a2271489086a3b77f62dbab5312660b3"

func TestTheSameSourceGivesTheSameBytes(t *testing.T) {
	first := build(t, sample())
	again := sample()
	slices.Reverse(again.Files)
	if !bytes.Equal(first, build(t, again)) {
		t.Error("the order of files changes the pack")
	}
	if got := digestOf(first); string(got) != goldenDigest {
		t.Errorf("the written form changed: %s", got)
	}
}

func TestTheWrittenFormIsThatOfTheFormat(t *testing.T) {
	b := build(t, sample())
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	first, last := r.File[0].Name, r.File[len(r.File)-1].Name
	if first != "manifest.cbor" || last != "sbom.cbor" {
		t.Errorf("begins with %s and ends with %s", first, last)
	}
	for _, f := range r.File {
		if f.Method != zip.Store || f.Modified.Format("2006-01-02 15:04:05") != "1980-01-01 00:00:00" || f.Mode() != 0o644 {
			t.Errorf("%s: method %d, %s, %v", f.Name, f.Method, f.Modified, f.Mode())
		}
	}
}

func TestTheManifestSurvivesReadingAndWriting(t *testing.T) {
	a := open(t, build(t, sample()))
	once, err := a.File(manifestPath)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := a.Manifest().Encode()
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("reading and writing changes the manifest (%v)", err)
	}
}

func TestReservedNamesCannotBePacked(t *testing.T) {
	for _, name := range []string{"manifest.cbor", "sbom.cbor", "pack.lock.cbor", "signatures/pack.sig", "../a", "assets/i18n/EN.json"} {
		src := sample()
		src.Files = append(src.Files, File{name, nil})
		if _, err := Build(src, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSigningChangesNothingElse(t *testing.T) {
	sign := func(c trust.Content) ([]byte, []byte, error) {
		d := c.Digest()
		return d[:], []byte("chain"), nil
	}
	signed, err := Build(sample(), sign)
	if err != nil {
		t.Fatal(err)
	}
	plain := open(t, build(t, sample()))
	later, err := plain.Resign(sign)
	if err != nil || !bytes.Equal(later, signed) {
		t.Errorf("signing later gives another pack than signing at once (%v)", err)
	}
	a := open(t, signed)
	content, err := a.Content()
	if err != nil {
		t.Fatal(err)
	}
	sig, chain, err := a.Signature()
	if d := content.Digest(); err != nil || !bytes.Equal(sig, d[:]) || string(chain) != "chain" {
		t.Errorf("the signature does not cover what Content says (%v)", err)
	}
	if f := a.Integrity(); len(f) > 0 {
		t.Errorf("integrity %v", f)
	}
	off, err := a.Resign(nil)
	if err != nil || !bytes.Equal(off, build(t, sample())) {
		t.Errorf("taking the signature off does not give the unsigned pack (%v)", err)
	}
}

func FuzzOpen(f *testing.F) {
	good, err := Build(sample(), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(zipped(f, odd{name: "assets/a", content: "aaaaaaaaaaaaaaaaaaaaaaaaa"}))
	f.Add(shifted(good, 3))
	f.Add(good[:len(good)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Open(b, Options{MaxFile: 1 << 16, MaxTotal: 1 << 18})
		if err != nil {
			return
		}
		a.Integrity()
		a.SecretRequirements()
		for _, l := range a.Locales() {
			_, _ = a.Texts(l)
		}
		// Whatever we accept, the standard library must see as the same archive.
		r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("accepted what archive/zip refuses: %v", err)
		}
		if len(r.File) != len(a.order) {
			t.Fatalf("%d files, archive/zip sees %d", len(a.order), len(r.File))
		}
		for i, f := range r.File {
			ours, err := a.File(f.Name)
			if a.order[i] != f.Name {
				t.Fatalf("file %d is %q, archive/zip says %q", i, a.order[i], f.Name)
			}
			if err != nil {
				continue
			}
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := io.ReadAll(in)
			if err != nil || !bytes.Equal(ours, theirs) {
				t.Fatalf("%s: other content than archive/zip reads (%v)", f.Name, err)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	src := sample()
	good, err := src.Manifest.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, _, err := readManifest(b)
		if err != nil {
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unsupported) {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		m.validate(func(string) (Component, error) { return Component{}, nil })
		for _, f := range m.Flows {
			_, _ = flow.FromManifest(f.Doc) // must not panic
		}
		once, err := m.Encode()
		if err != nil {
			return
		}
		again, _, err := readManifest(once)
		if err != nil {
			t.Fatalf("what we write we cannot read: %v", err)
		}
		twice, err := again.Encode()
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("writing is not stable: %v", err)
		}
	})
}

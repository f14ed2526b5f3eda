package loader

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/backing/keys"
	"greentic.dev/build"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/model/trust"
)

var ctx = context.Background()

// desk is a machine with a developer key and a source folder.
type desk struct {
	store  *keys.Store
	policy Policy
	dir    string
}

func newDesk(t *testing.T) desk {
	t.Helper()
	store := keys.New(t.TempDir(), keys.Options{})
	signer, _, err := store.Developer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := store.Trusted(ctx)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "greeter")
	if _, err := scaffold.Pack(dir, "chat", nil, nil); err != nil {
		t.Fatal(err)
	}
	return desk{store, Policy{Trusted: trusted, Build: &build.Options{Sign: signer.Pack(time.Unix(0, 0))}}, dir}
}

// pack builds the folder with the desk's key.
func (d desk) pack(t *testing.T) []byte {
	t.Helper()
	b, err := Read(ctx, d.dir, d.policy)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func opened(t *testing.T, b []byte) *pack.Archive {
	t.Helper()
	a, err := pack.Open(b, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// rebuilt is the same pack with one asset changed, signed by sign (nil: not at all).
func rebuilt(t *testing.T, d desk, sign pack.Sign) []byte {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, "assets", "i18n", "en.json"), []byte(`{"ask":"Your password?"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := build.Pack(ctx, d.dir, build.Options{Sign: sign, Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	return r.Bytes
}

func TestASourceFolderIsBuiltSignedAndLoaded(t *testing.T) {
	d := newDesk(t)
	v, report, err := Load(ctx, d.dir, d.policy)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Verified || report.Trust.KeyName != keys.Developer || len(report.Warnings) > 0 || v.Archive().ID() != "greeter" || v.Digest() != report.Digest {
		t.Errorf("report %+v", report)
	}
	d.policy.Build = nil
	if _, _, err := Load(ctx, d.dir, d.policy); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a folder where only packs are loaded: %v", err)
	}
}

func TestATamperedPackResignedWithItsOwnChainIsRefused(t *testing.T) {
	d := newDesk(t)
	mallory := keys.New(t.TempDir(), keys.Options{})
	signer, _, err := mallory.Developer(ctx) // the same name, CN=greentic-dev-local, another key
	if err != nil {
		t.Fatal(err)
	}
	good := opened(t, d.pack(t))
	evil := rebuilt(t, d, signer.Pack(time.Unix(0, 0)))
	_, report, err := LoadBytes(ctx, "evil.gtpack", evil, d.policy)
	if !fault.Is(err, fault.Unverified) || report.Trust.Status != trust.Untrusted || report.Trust.Claims != "greentic-dev-local" {
		t.Fatalf("%+v, %v", report.Trust, err)
	}
	if _, fix, _ := fault.Detail(err); !strings.Contains(fix, "greentic key trust") {
		t.Errorf("fix %q", fix)
	}
	// The attacker's bytes under the true signature and chain are refused as well.
	signature, chain, err := good.Signature()
	if err != nil {
		t.Fatal(err)
	}
	stolen := rebuilt(t, d, func(trust.Content) ([]byte, []byte, error) { return signature, chain, nil })
	if _, report, err = LoadBytes(ctx, "stolen.gtpack", stolen, d.policy); !fault.Is(err, fault.Unverified) || report.Trust.Status != trust.Broken {
		t.Fatalf("%+v, %v", report.Trust, err)
	}
}

func TestEveryChangedByteIsNoticed(t *testing.T) {
	d := newDesk(t)
	good := d.pack(t)
	for at := 0; at < len(good); at += 7 {
		bad := bytes.Clone(good)
		bad[at] ^= 0x20
		v, _, err := LoadBytes(ctx, "bad.gtpack", bad, d.policy)
		if err == nil && !sameFiles(t, v.Archive(), opened(t, good)) {
			t.Fatalf("byte %d changed a file and the pack loaded", at)
		}
	}
}

func sameFiles(t *testing.T, a, b *pack.Archive) bool {
	t.Helper()
	if !slices.Equal(a.Files(), b.Files()) {
		return false
	}
	for _, f := range a.Files() {
		x, errX := a.File(f.Path)
		y, errY := b.File(f.Path)
		if errX != nil || errY != nil || !bytes.Equal(x, y) && !strings.HasPrefix(f.Path, "signatures/") {
			return false
		}
	}
	return true
}

func TestUnsignedPacksLoadOnlyWhenTheRiskIsAccepted(t *testing.T) {
	d := newDesk(t)
	unsigned := rebuilt(t, d, nil)
	_, report, err := LoadBytes(ctx, "x.gtpack", unsigned, d.policy)
	if !fault.Is(err, fault.Unverified) || report.Trust.Status != trust.Unsigned {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, fix, _ := fault.Detail(err); !strings.Contains(fix, "--allow-unsigned-unsafe") || !strings.Contains(fix, "pack sign") {
		t.Errorf("fix %q", fix)
	}
	if _, _, err := LoadBytes(ctx, "x.gtpack", unsigned, Policy{}); !fault.Is(err, fault.Unverified) {
		t.Errorf("zero policy: %v", err)
	}
	d.policy.AllowUnsignedUnsafe = true
	v, report, err := LoadBytes(ctx, "x.gtpack", unsigned, d.policy)
	if err != nil || v == nil || report.Verified || len(report.Warnings) != 2 {
		t.Errorf("%+v, %v", report, err)
	}
}

// repacked writes the files of a pack again after change, without a new bill of materials.
func repacked(t *testing.T, a *pack.Archive, change func(path string, content []byte) []byte) []byte {
	t.Helper()
	var list []pack.File
	for _, f := range a.Files() {
		content, err := a.File(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, pack.File{Path: f.Path, Content: change(f.Path, content)})
	}
	return zipStored(t, list)
}

func TestABrokenBillOfMaterialsNamesItsEntries(t *testing.T) {
	d := newDesk(t)
	b := repacked(t, opened(t, d.pack(t)), func(p string, c []byte) []byte {
		if p == "assets/i18n/de.json" {
			return []byte("{}")
		}
		return c
	})
	_, _, err := LoadBytes(ctx, "stale.gtpack", b, d.policy)
	if !fault.Is(err, fault.Unverified) || !strings.Contains(err.Error(), "assets/i18n/de.json") {
		t.Fatalf("%v", err)
	}
}

func TestAmbiguousPacksAreRefusedWhoeverSignedThem(t *testing.T) {
	d := newDesk(t)
	d.policy.AllowUnsignedUnsafe = true
	m := *opened(t, d.pack(t)).Manifest()
	m.Flows = append(slices.Clone(m.Flows), m.Flows[0])
	b, err := pack.Build(pack.Source{Manifest: m}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = LoadBytes(ctx, "twice.gtpack", b, d.policy)
	if _, _, code := fault.Detail(err); code != "PACK_FLOW_ID_DUPLICATE" || !fault.Is(err, fault.Invalid) {
		t.Fatalf("%v", err)
	}
}

func TestWhatTheReaderDoubtsIsSaidWhenThePackIsLoaded(t *testing.T) {
	d := newDesk(t)
	d.policy.AllowUnsignedUnsafe = true
	b := repacked(t, opened(t, d.pack(t)), func(path string, content []byte) []byte {
		if path != "manifest.cbor" {
			return content
		}
		return bytes.Replace(content, []byte("pack-v1"), []byte("pack-v9"), 1)
	})
	_, report, err := LoadBytes(ctx, "new.gtpack", b, d.policy)
	if err != nil || !strings.Contains(strings.Join(report.Warnings, "\n"), `schema_version "pack-v9" is unknown`) {
		t.Fatalf("%v %v", report.Warnings, err)
	}
}

func TestFilesThatAreNoPacksAreRefused(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "x.gtpack")
	if _, _, err := Load(ctx, file, d.policy); !fault.Is(err, fault.NotFound) {
		t.Errorf("missing: %v", err)
	}
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(ctx, file, d.policy); !fault.Is(err, fault.Invalid) {
		t.Errorf("no ZIP: %v", err)
	}
	if err := os.Truncate(file, 200<<20); err != nil {
		t.Fatal(err)
	}
	_, _, err := Load(ctx, file, d.policy)
	if _, _, code := fault.Detail(err); code != "PACK_TOO_LARGE" {
		t.Errorf("oversized: %v", err)
	}
}

func TestPinnedPacksStayUntilNobodyNeedsThem(t *testing.T) {
	d, s := newDesk(t), NewStore(filepath.Join(t.TempDir(), "packs"))
	old, _, err := Load(ctx, d.dir, d.policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(ctx, old); err != nil {
		t.Fatal(err)
	}
	signer, err := d.store.Signer(ctx, keys.Developer)
	if err != nil {
		t.Fatal(err)
	}
	now, _, err := LoadBytes(ctx, "new", rebuilt(t, d, signer.Pack(time.Unix(0, 0))), d.policy)
	if err != nil || now.Digest() == old.Digest() {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Keep(ctx, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, ".interrupted"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	back, report, err := s.Open(ctx, old.Digest(), d.policy)
	if err != nil || back.Digest() != old.Digest() || !report.Verified {
		t.Fatalf("%+v, %v", report, err)
	}
	dropped, err := s.DropUnused(ctx, func(g greentic.Digest) bool { return g == now.Digest() })
	if err != nil || !slices.Equal(dropped, []greentic.Digest{old.Digest()}) {
		t.Fatalf("dropped %v, %v", dropped, err)
	}
	if _, _, err := s.Open(ctx, old.Digest(), d.policy); !fault.Is(err, fault.NotFound) {
		t.Errorf("dropped pack: %v", err)
	}
	if left, _ := os.ReadDir(s.dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(s.path(now.Digest()), d.pack(t)[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Open(ctx, now.Digest(), d.policy); !fault.Is(err, fault.Unverified) {
		t.Errorf("damaged pack: %v", err)
	}
	if _, _, err := s.Open(ctx, "sha256:../../etc/passwd", d.policy); !fault.Is(err, fault.Invalid) {
		t.Errorf("bad digest: %v", err)
	}
}

func TestTheReportIsSnakeCaseJSON(t *testing.T) {
	d := newDesk(t)
	_, report, err := Load(ctx, d.dir, d.policy)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(report)
	if err != nil || !bytes.Contains(b, []byte(`"verified":true`)) || !bytes.Contains(b, []byte(`"key_name":"developer"`)) || !bytes.Contains(b, []byte(`"findings":[]`)) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestPublicPacksNeedTheRiskAccepted(t *testing.T) {
	dir := os.Getenv("GREENTIC_INPUT")
	if dir == "" {
		t.Skip("GREENTIC_INPUT is not set")
	}
	for name, entries := range map[string][]string{"quickstart.gtpack": {"manifest.cbor", "pack.lock.cbor"}, "quickstart-app.gtpack": nil} {
		file := filepath.Join(dir, name)
		if _, _, err := Load(ctx, file, Policy{}); !fault.Is(err, fault.Unverified) {
			t.Errorf("%s: %v", name, err)
		}
		v, report, err := Load(ctx, file, Policy{AllowUnsignedUnsafe: true})
		if err != nil || v == nil || len(report.Warnings) != 2+len(entries) {
			t.Fatalf("%s: %v, %v", name, report.Warnings, err)
		}
		for _, e := range entries {
			if !strings.Contains(strings.Join(report.Warnings, "\n"), e) {
				t.Errorf("%s: no warning names %s: %v", name, e, report.Warnings)
			}
		}
	}
}

// BenchmarkVerifyPack opens and verifies a pack with 4 MiB of code, signature and hashes included.
func BenchmarkVerifyPack(b *testing.B) {
	store := keys.New(b.TempDir(), keys.Options{})
	signer, _, err := store.Developer(ctx)
	if err != nil {
		b.Fatal(err)
	}
	trusted, err := store.Trusted(ctx)
	if err != nil {
		b.Fatal(err)
	}
	big, err := pack.Build(pack.Source{
		Manifest: pack.Manifest{ID: "big", Version: "1.0.0", Kind: "application"},
		Files:    []pack.File{{Path: "components/big.wasm", Content: make([]byte, 4<<20)}},
	}, signer.Pack(time.Unix(0, 0)))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(big)))
	for b.Loop() {
		if _, _, err := LoadBytes(ctx, "big", big, Policy{Trusted: trusted}); err != nil {
			b.Fatal(err)
		}
	}
}

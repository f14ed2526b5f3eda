package keys

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/trust"
)

func TestTheDeveloperKeyIsMadeOnceAndTrusted(t *testing.T) {
	ctx, s := context.Background(), New(filepath.Join(t.TempDir(), "keys"), Options{})
	first, created, err := s.Developer(ctx)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	second, created, err := s.Developer(ctx)
	if err != nil || created || second.Fingerprint() != first.Fingerprint() {
		t.Fatalf("a second key was made (%v, %v)", created, err)
	}
	list, err := s.List(ctx)
	if err != nil || len(list) != 1 || !list[0].Private || !list[0].Trusted || list[0].Name != Developer {
		t.Errorf("%+v, %v", list, err)
	}
	info, err := os.Stat(s.path(privateDir, Developer))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("private key: %v, %v", info, err)
	}
}

func TestManyProcessesMakeOneDeveloperKey(t *testing.T) {
	dir := t.TempDir()
	prints := make([]string, 8)
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			s := New(dir, Options{})
			signer, _, err := s.Developer(context.Background())
			if err != nil {
				return
			}
			prints[i] = signer.Fingerprint()
			if trusted, err := s.Trusted(context.Background()); err != nil || len(trusted) != 1 {
				t.Errorf("process %d has the key and trusts %v, %v", i, trusted, err)
			}
		})
	}
	wg.Wait()
	trusted, err := New(dir, Options{}).Trusted(context.Background())
	if err != nil || len(trusted) != 1 {
		t.Fatalf("%v, %v", trusted, err)
	}
	for i, p := range prints {
		if p != trusted[0].Fingerprint() {
			t.Errorf("process %d has key %q, trusted is %q", i, p, trusted[0].Fingerprint())
		}
	}
}

// A process is killed between any two files it writes: the next one goes on with the same key.
func TestADeveloperKeyIsTrustedWhereverAProcessEnded(t *testing.T) {
	ctx := context.Background()
	for name, undo := range map[string]func(s *Store) error{
		"before it was trusted": func(s *Store) error { return os.Remove(s.path(trustedDir, Developer)) },
		"after it was trusted":  func(*Store) error { return nil },
	} {
		s := New(t.TempDir(), Options{})
		first, _, err := s.Developer(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(s.path(pendingDir, Developer)), 0o700),
			os.Rename(s.path(privateDir, Developer), s.path(pendingDir, Developer)), undo(s)); err != nil {
			t.Fatal(err)
		}
		second, created, err := s.Developer(ctx)
		if err != nil || !created || second.Fingerprint() != first.Fingerprint() {
			t.Errorf("%s: created %t, %v", name, created, err)
		}
		list, err := s.List(ctx)
		if err != nil || len(list) != 1 || !list[0].Private || !list[0].Trusted {
			t.Errorf("%s: %+v, %v", name, list, err)
		}
	}
}

func TestASignatureHoldsWhereItsKeyWasTrusted(t *testing.T) {
	ctx, mine, theirs := context.Background(), New(t.TempDir(), Options{}), New(t.TempDir(), Options{})
	if _, err := mine.Create(ctx, "release"); err != nil {
		t.Fatal(err)
	}
	signer, err := mine.Signer(ctx, "release")
	if err != nil {
		t.Fatal(err)
	}
	content := trust.Content{Manifest: []byte("m"), SBOM: []byte("s")}
	sign := signer.Pack(time.Unix(315532800, 0))
	sig, chain, err := sign(content)
	if err != nil {
		t.Fatal(err)
	}
	if again, chain2, _ := sign(content); !bytes.Equal(sig, again) || !bytes.Equal(chain, chain2) {
		t.Error("signing twice gives different bytes")
	}
	status := func(s *Store) trust.Status {
		keys, err := s.Trusted(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return trust.Verify(content, sig, chain, keys).Status
	}
	if got := status(theirs); got != trust.Untrusted {
		t.Errorf("before trusting: %s", got)
	}
	if got := status(mine); got != trust.Untrusted {
		t.Errorf("a key trusts itself: %s", got)
	}
	public, err := mine.Export(ctx, "release")
	if err != nil || bytes.Contains(public, []byte("PRIVATE")) {
		t.Fatalf("%s, %v", public, err)
	}
	if _, err := theirs.Trust(ctx, "friend", public); err != nil {
		t.Fatal(err)
	}
	if got := status(theirs); got != trust.Trusted {
		t.Errorf("after trusting: %s", got)
	}
	if k, err := theirs.Trust(ctx, "again", public); err != nil || k.Name != "friend" {
		t.Errorf("the same key under a second name: %+v, %v", k, err)
	}
	if text, err := theirs.Export(ctx, "friend"); err != nil || !bytes.Equal(text, public) {
		t.Errorf("a trusted key is exported as it came: %v", err)
	}
}

func TestKeysAreNeitherReplacedNorReadByOthers(t *testing.T) {
	ctx, s := context.Background(), New(t.TempDir(), Options{})
	if _, err := s.Create(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(ctx, "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(ctx, "a"); !fault.Is(err, fault.Exists) {
		t.Errorf("create over a key: %v", err)
	}
	a, _ := s.Export(ctx, "a")
	b, _ := s.Export(ctx, "b")
	if _, err := s.Trust(ctx, "x", a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trust(ctx, "x", b); !fault.Is(err, fault.Exists) {
		t.Errorf("trust over a key: %v", err)
	}
	for _, name := range []string{"", "../a", ".hidden", "a b", Developer} {
		if _, err := s.Create(ctx, name); !fault.Is(err, fault.Invalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if _, err := s.Signer(ctx, "none"); !fault.Is(err, fault.NotFound) {
		t.Errorf("missing key: %v", err)
	}
	if err := os.Chmod(s.path(privateDir, "a"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Signer(ctx, "a"); !fault.Is(err, fault.Denied) {
		t.Errorf("key open to others: %v", err)
	}
	private, err := os.ReadFile(s.path(privateDir, "b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trust(ctx, "private", private); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), string(private)) {
		t.Errorf("trusting a private key file: %v", err)
	}
	if err := os.WriteFile(s.path(trustedDir, "rubbish"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trusted(ctx); !fault.Is(err, fault.Invalid) {
		t.Errorf("rubbish in the trust store: %v", err)
	}
}

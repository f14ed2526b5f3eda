package trust

import (
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
)

func key(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize)))
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func chain(t *testing.T, k ed25519.PrivateKey, name string) []byte {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Unix(1e10, 0)}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, public(k), k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func sign(t *testing.T, c Content, k ed25519.PrivateKey) []byte {
	t.Helper()
	digest := c.Digest()
	doc, err := NewSignature(digest, ed25519.Sign(k, digest[:]), public(k), time.Unix(315532800, 0)).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

var content = Content{Manifest: []byte("manifest"), SBOM: []byte("sbom"), Files: []FileHash{
	{Path: "b", Blake3: "02"}, {Path: "a", Blake3: "01"},
}}

func TestTheDigestIsThatOfTheFormat(t *testing.T) {
	digest := content.Digest()
	if got, want := hex.EncodeToString(digest[:]), Sum([]byte("manifest"+"sbom"+"a\n01"+"b\n02")); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	if content.Files[0].Path != "b" {
		t.Error("the caller's list was reordered")
	}
}

func TestOnlyKeysOfTheTrustStoreCount(t *testing.T) {
	alice, mallory := key('a'), key('m')
	trusted := []Key{{Name: "other", Public: public(key('o'))}, {Name: "alice", Public: public(alice)}}
	tampered := content
	tampered.Manifest = []byte("evil")
	noPrint := strings.Replace(string(sign(t, content, alice)), "key_fingerprint", "other_member", 1)
	lying := strings.Replace(string(sign(t, content, mallory)), Sum(public(mallory)), Sum(public(alice)), 1)

	for _, c := range []struct {
		name       string
		content    Content
		sig, chain []byte
		status     Status
		say        string
	}{
		{"signed by a trusted key", content, sign(t, content, alice), nil, Trusted, "alice"},
		{"without a fingerprint", content, []byte(noPrint), nil, Trusted, "alice"},
		{"not signed", content, nil, nil, Unsigned, "no signature"},
		{"not signed, with a chain", content, nil, chain(t, mallory, "alice"), Unsigned, "no signature"},
		{"content changed after signing", tampered, sign(t, content, alice), nil, Broken, "other content"},
		{"changed and signed again with its own chain", tampered, sign(t, tampered, mallory), chain(t, mallory, "greentic-dev-local"), Untrusted, "proves nothing"},
		{"signed by a stranger", content, sign(t, content, mallory), nil, Untrusted, "no key of the trust store"},
		{"a stranger's signature under a trusted fingerprint", content, []byte(lying), nil, Broken, "not made with it"},
		{"no JSON", content, []byte("signed, honestly"), nil, Broken, "pack.sig"},
		{"other algorithm", content, []byte(`{"alg":"none"}`), nil, Broken, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Verify(c.content, c.sig, c.chain, trusted)
			if r.Status != c.status || !strings.Contains(r.Reason, c.say) {
				t.Errorf("got %s: %s, want %s: %s", r.Status, r.Reason, c.status, c.say)
			}
		})
	}
}

func TestPublicKeysTravelAsPEM(t *testing.T) {
	k := key('k')
	text, err := EncodePublicKey(public(k))
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{"SPKI": text, "certificate": chain(t, k, "k")} {
		got, err := ParsePublicKey(in)
		if err != nil || !got.Equal(public(k)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string][]byte{
		"private key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"not PEM":     []byte("hello"),
		"broken DER":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}}),
	} {
		if _, err := ParsePublicKey(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseSignature(f *testing.F) {
	f.Add([]byte(`{"alg":"ed25519","sig":"","digest":""}`), []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, sig, chain []byte) {
		if r := Verify(content, sig, chain, []Key{{Name: "k", Public: public(key('k'))}}); r.Status == Trusted {
			t.Fatal("a made-up signature was believed")
		}
	})
}

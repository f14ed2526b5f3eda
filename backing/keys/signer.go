package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/trust"
)

// Signer signs packs with one private key. It is safe for concurrent use.
type Signer struct {
	name    string
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// Signer opens the private key called name. Errors: fault.NotFound, fault.Denied (others can
// read the file), fault.Invalid (no Ed25519 key in PKCS#8 PEM).
func (s *Store) Signer(ctx context.Context, name string) (*Signer, error) {
	if err := s.check(ctx, name); err != nil {
		return nil, err
	}
	text, err := s.read(privateDir, name)
	if err != nil {
		return nil, err
	}
	return parseSigner(name, text)
}

func parseSigner(name string, text []byte) (*Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fault.New(fault.Invalid, "key "+name, "the file holds no PKCS#8 PEM private key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fault.New(fault.Invalid, "key "+name, "the private key cannot be read") // err could quote the key
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fault.Newf(fault.Unsupported, "key "+name, "%T is not an Ed25519 key", key)
	}
	return &Signer{name: name, private: private, public: private.Public().(ed25519.PublicKey)}, nil
}

// Developer opens the local developer key. The first time it makes the key and enters it into
// the trust store; created says so. A process that ends in between leaves a pending key, with
// which the next one goes on: there is never a developer key that was not trusted.
func (s *Store) Developer(ctx context.Context) (signer *Signer, created bool, err error) {
	if signer, err = s.Signer(ctx, Developer); !fault.Is(err, fault.NotFound) {
		return signer, false, err
	}
	if _, err = s.create(ctx, pendingDir, Developer); err != nil && !fault.Is(err, fault.Exists) {
		return nil, false, err
	}
	text, err := s.read(pendingDir, Developer)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, false, err
	}
	if done, derr := s.Signer(ctx, Developer); !fault.Is(derr, fault.NotFound) { // another process was first
		return done, false, derr
	}
	if err != nil {
		return nil, false, err
	}
	if signer, err = parseSigner(Developer, text); err != nil {
		return nil, false, err
	}
	if err = s.trustDeveloper(ctx, signer); err != nil {
		return nil, false, err
	}
	created, err = s.keepPending()
	return signer, created, err
}

// trustDeveloper enters the developer key into the trust store.
func (s *Store) trustDeveloper(ctx context.Context, signer *Signer) error {
	text, err := trust.EncodePublicKey(signer.public)
	if err != nil {
		return err
	}
	_, err = s.Trust(ctx, Developer, text)
	if fault.Is(err, fault.Exists) { // another process may have entered this very key meanwhile
		_, err = s.Trust(ctx, Developer, text)
	}
	if fault.Is(err, fault.Exists) {
		return fault.As(fault.Exists, "developer key", err).(*fault.Error).WithFix("the trust store holds an older developer key: give it another name")
	}
	return err
}

// keepPending makes the pending key the developer key, if no other process has.
func (s *Store) keepPending() (bool, error) {
	pending, final := s.path(pendingDir, Developer), s.path(privateDir, Developer)
	err := os.MkdirAll(filepath.Dir(final), 0o700)
	if err == nil {
		err = os.Link(pending, final)
	}
	_, there := os.Stat(final)
	if err != nil && there != nil {
		return false, fault.As(fault.Unavailable, "developer key", err)
	}
	_ = os.Remove(pending)
	return err == nil, nil
}

// Name is the name of the key.
func (k *Signer) Name() string { return k.name }

// Fingerprint is the BLAKE3 of the raw public key, hexadecimal.
func (k *Signer) Fingerprint() string { return trust.Key{Public: k.public}.Fingerprint() }

// Pack returns the function that signs packs at a stated time (formats digest 4.6 item 1). Ed25519 and
// the certificate are deterministic: the same content and time give the same bytes.
func (k *Signer) Pack(signedAt time.Time) func(trust.Content) (signature, chain []byte, err error) {
	return func(c trust.Content) ([]byte, []byte, error) {
		digest := c.Digest()
		doc, err := trust.NewSignature(digest, ed25519.Sign(k.private, digest[:]), k.public, signedAt).Encode()
		if err != nil {
			return nil, nil, err
		}
		chain, err := k.certificate()
		return doc, chain, err
	}
}

// certificate is self-signed; it carries the public key to people and proves nothing.
func (k *Signer) certificate() ([]byte, error) {
	name := k.name
	if name == Developer {
		name = "greentic-dev-local"
	}
	serial, err := hex.DecodeString(k.Fingerprint()[:30])
	if err != nil {
		return nil, fault.Wrap("certificate", err)
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(append([]byte{1}, serial...)),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 4.1.2.5: no expiry
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(nil, template, template, k.public, k.private) // Ed25519 needs no randomness
	if err != nil {
		return nil, fault.Wrap("certificate", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

package trust

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"

	"greentic.dev/greentic/fault"
)

// Key is a public key that somebody decided to trust, under the name they gave it.
type Key struct {
	Name   string
	Public ed25519.PublicKey
}

// Fingerprint is the BLAKE3-256 of the raw public key in lower-case hexadecimal.
func (k Key) Fingerprint() string { return Sum(k.Public) }

// EncodePublicKey writes a public key as SPKI PEM.
func EncodePublicKey(public ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fault.As(fault.Invalid, "public key", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ParsePublicKey reads an Ed25519 public key: SPKI PEM, or a certificate that holds one. The
// error is fault.Invalid, fault.Unsupported for another algorithm; a private key is refused.
func ParsePublicKey(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fault.New(fault.Invalid, "public key", "not a PEM document").
			WithFix("export one with greentic key export NAME")
	}
	var (
		key any
		err error
	)
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	default:
		return nil, fault.Newf(fault.Invalid, "public key", "the PEM block is a %s, not a PUBLIC KEY", block.Type).
			WithFix("give away public keys only: greentic key export NAME")
	}
	if err != nil {
		return nil, fault.As(fault.Invalid, "public key", err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fault.Newf(fault.Unsupported, "public key", "%T is not an Ed25519 key", key)
	}
	return public, nil
}

// claimed reads the first certificate of a chain.pem: the key it holds and whose it says it
// is. It is a claim only; nothing here makes it true.
func claimed(chain []byte) (ed25519.PublicKey, string) {
	block, _ := pem.Decode(chain)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, ""
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, ""
	}
	public, _ := cert.PublicKey.(ed25519.PublicKey)
	return public, cert.Subject.CommonName
}

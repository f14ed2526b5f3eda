package trust

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"time"

	"crypto/ed25519"

	"greentic.dev/greentic/fault"
)

// Where an archive keeps its signature and the certificates of the signer.
const (
	SignaturePath = "signatures/pack.sig"
	ChainPath     = "signatures/chain.pem"
)

// Signature is the document signatures/pack.sig.
type Signature struct {
	Alg         string `json:"alg"`           // "ed25519"
	Sig         string `json:"sig"`           // base64url without padding, over the 32 digest bytes
	Digest      string `json:"digest"`        // hexadecimal of those bytes
	SignedAtUTC string `json:"signed_at_utc"` // RFC 3339; says nothing the signer could not make up
	Fingerprint string `json:"key_fingerprint,omitempty"`
}

// NewSignature is the document for a signature that public's owner made over digest.
func NewSignature(digest [32]byte, sig []byte, public ed25519.PublicKey, signedAt time.Time) Signature {
	return Signature{
		Alg: "ed25519", Sig: base64.RawURLEncoding.EncodeToString(sig), Digest: hex.EncodeToString(digest[:]),
		SignedAtUTC: signedAt.UTC().Format(time.RFC3339), Fingerprint: Sum(public),
	}
}

// Encode writes the document as JSON.
func (s Signature) Encode() ([]byte, error) {
	b, err := json.Marshal(s)
	return b, fault.Wrap("pack signature", err)
}

// ParseSignature reads the document. The error is fault.Invalid, fault.Unsupported for another
// algorithm.
func ParseSignature(b []byte) (Signature, error) {
	var s Signature
	if err := json.Unmarshal(b, &s); err != nil {
		return Signature{}, fault.As(fault.Invalid, SignaturePath, err)
	}
	if s.Alg != "ed25519" {
		return Signature{}, fault.Newf(fault.Unsupported, SignaturePath, "algorithm %q", s.Alg)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(s.Sig); err != nil || len(raw) != ed25519.SignatureSize {
		return Signature{}, fault.Newf(fault.Invalid, SignaturePath, "sig is not %d bytes in base64url without padding", ed25519.SignatureSize)
	}
	if raw, err := hex.DecodeString(s.Digest); err != nil || len(raw) != 32 {
		return Signature{}, fault.New(fault.Invalid, SignaturePath, "digest is not 64 hexadecimal digits")
	}
	return s, nil
}

// by says whether public made this signature over digest.
func (s Signature) by(public ed25519.PublicKey, digest [32]byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(s.Sig)
	return err == nil && len(public) == ed25519.PublicKeySize && ed25519.Verify(public, digest[:], raw)
}

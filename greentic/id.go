package greentic

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"greentic.dev/greentic/fault"
)

// CheckID applies the ecosystem's identifier rule: not empty, only ASCII letters, digits,
// '.', '_' and '-' (formats digest 5.2), and at most 256 bytes. The error is fault.Invalid
// and names what and the offending character.
func CheckID(what, id string) error {
	if id == "" {
		return fault.Newf(fault.Invalid, what, "identifier is empty")
	}
	if len(id) > 256 {
		return fault.Newf(fault.Invalid, what, "identifier is longer than 256 bytes")
	}
	for i, r := range id {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-') {
			return fault.Newf(fault.Invalid, what, "identifier %q has %q at byte %d; allowed are letters, digits, '.', '_' and '-'", id, r, i)
		}
	}
	return nil
}

// Digest is "sha256:" and 64 lower-case hexadecimal digits.
type Digest string

// DigestOf is the digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// ParseDigest checks the form of s; the error is fault.Invalid.
func ParseDigest(s string) (Digest, error) {
	h, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(h) != 64 || strings.Trim(h, "0123456789abcdef") != "" {
		return "", fault.Newf(fault.Invalid, "digest", "%q is not sha256: and 64 lower-case hexadecimal digits", s)
	}
	return Digest(s), nil
}

// Hex is the digest without its algorithm, fit for a file name.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Short is the first twelve hexadecimal digits, for people.
func (d Digest) Short() string {
	h := d.Hex()
	if len(h) > 12 {
		h = h[:12]
	}
	return h
}

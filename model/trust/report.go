package trust

import (
	"encoding/hex"
	"strings"
)

// Status is the outcome of a verification.
type Status string

// The outcomes. Only Trusted is good.
const (
	Trusted   Status = "trusted"   // a key of the trust store signed exactly this content
	Unsigned  Status = "unsigned"  // no signature
	Untrusted Status = "untrusted" // signed, but by no key of the trust store
	Broken    Status = "broken"    // the signature is not one of this content
)

// Report says who signed a pack, with which key, whether that counts and why.
type Report struct {
	Status        Status `json:"status"`
	Reason        string `json:"reason"`
	ContentDigest string `json:"content_digest"`            // what a signature covers, hexadecimal
	Fingerprint   string `json:"key_fingerprint,omitempty"` // of the key the signature names, or of the trusted key
	KeyName       string `json:"key_name,omitempty"`        // what the trust store calls the key; trusted only
	Claims        string `json:"claims,omitempty"`          // whom a certificate in the archive names; proves nothing
	SignedAtUTC   string `json:"signed_at_utc,omitempty"`   // as the signer says
}

// Verify judges the signature document and chain of an archive (nil when absent) against the
// keys of the trust store. A certificate inside the archive is reported and never believed.
func Verify(c Content, signature, chain []byte, keys []Key) Report {
	digest := c.Digest()
	r := Report{ContentDigest: hex.EncodeToString(digest[:])}
	claimedKey, claims := claimed(chain)
	r.Claims = claims
	if signature == nil {
		r.Status, r.Reason = Unsigned, "the pack has no signature"
		return r
	}
	s, err := ParseSignature(signature)
	if err != nil {
		r.Status, r.Reason = Broken, err.Error()
		return r
	}
	r.SignedAtUTC, r.Fingerprint = s.SignedAtUTC, strings.ToLower(s.Fingerprint)
	if !strings.EqualFold(s.Digest, r.ContentDigest) {
		r.Status, r.Reason = Broken, "the signature was made for other content: it names digest "+strings.ToLower(s.Digest)
		return r
	}
	for _, k := range keys {
		if s.by(k.Public, digest) {
			r.Status, r.KeyName, r.Fingerprint = Trusted, k.Name, k.Fingerprint()
			r.Reason = "signed with key " + k.Name + ", which is in the trust store"
			return r
		}
	}
	for _, k := range keys {
		if k.Fingerprint() == r.Fingerprint {
			r.Status, r.Reason = Broken, "the signature names trusted key "+k.Name+" and was not made with it"
			return r
		}
	}
	r.Status, r.Reason = Untrusted, "no key of the trust store made the signature"
	if s.by(claimedKey, digest) {
		r.Fingerprint = Sum(claimedKey)
		r.Reason = "signed with key " + r.Fingerprint[:16] + ", which is not in the trust store; the certificate inside the pack proves nothing"
	}
	return r
}

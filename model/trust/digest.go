package trust

import (
	"encoding/hex"
	"slices"
	"strings"

	"lukechampine.com/blake3"
)

// Sum is the ecosystem's file hash: BLAKE3-256 in lower-case hexadecimal.
func Sum(b []byte) string {
	sum := blake3.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Content is what an archive signature covers: two documents and the file hashes that the
// second one lists. The signature holds for the files only if they match those hashes.
type Content struct {
	Manifest []byte // manifest.cbor
	SBOM     []byte // sbom.cbor or sbom.json
	Files    []FileHash
}

// FileHash is one entry of an SBOM.
type FileHash struct {
	Path   string
	Blake3 string // 64 hexadecimal digits
}

// Digest is BLAKE3-256 over the manifest, the SBOM document and, for every file sorted by path,
// its path, a newline and its hash (formats digest 4.6 item 1). These 32 bytes are signed.
func (c Content) Digest() [32]byte {
	h := blake3.New(32, nil)
	h.Write(c.Manifest)
	h.Write(c.SBOM)
	files := slices.Clone(c.Files)
	slices.SortStableFunc(files, func(a, b FileHash) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		h.Write([]byte(f.Path + "\n" + f.Blake3))
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}

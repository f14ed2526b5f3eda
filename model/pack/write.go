package pack

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/trust"
)

// File is one file to be packed.
type File struct {
	Path    string
	Content []byte
}

// Source is everything a pack is made of.
type Source struct {
	Manifest Manifest
	Lock     []LockEntry
	Files    []File // code, assets, flow sources; in any order
}

// Sign makes the two files of an archive signature over a content.
type Sign func(trust.Content) (signature, chain []byte, err error)

// Build writes a pack: manifest first, then the files by path, the lock, the signature when
// sign is not nil, the bill of materials last; stored, dated 1980-01-01, mode 0644, documents in
// canonical CBOR. The same source gives the same bytes. The error is fault.Invalid and names the
// file, or that of sign.
func Build(src Source, sign Sign) ([]byte, error) {
	manifest, err := src.Manifest.Encode()
	if err != nil {
		return nil, err
	}
	lock, err := encodeLock(src.Lock)
	if err != nil {
		return nil, err
	}
	files := slices.Clone(src.Files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if reserved(f.Path) {
			return nil, fault.Newf(fault.Invalid, "pack build "+f.Path, "the pack writes this file itself")
		}
	}
	files = append([]File{{manifestPath, manifest}}, files...)
	return seal(append(files, File{lockPath, lock}), sign)
}

func reserved(p string) bool {
	return p == manifestPath || p == lockPath || p == sbomPath || p == sbomJSONPath || strings.HasPrefix(p, signatureDir)
}

// seal adds signature and bill of materials and writes the archive.
func seal(files []File, sign Sign) ([]byte, error) {
	sbom := newSBOM(files)
	doc, err := cbor.Marshal(sbom)
	if err != nil {
		return nil, err
	}
	if sign != nil {
		c := trust.Content{Manifest: files[0].Content, SBOM: doc}
		for _, f := range sbom.Files {
			c.Files = append(c.Files, trust.FileHash{Path: f.Path, Blake3: f.Hash})
		}
		signature, chain, err := sign(c)
		if err != nil {
			return nil, fault.Wrap("pack sign", err)
		}
		files = append(files, File{trust.ChainPath, chain}, File{trust.SignaturePath, signature})
	}
	return writeZip(append(files, File{sbomPath, doc}))
}

// Resign writes the archive again with a new signature: the same files, canonically packed,
// with a fresh bill of materials. Callers decide first whether Integrity allows it. With a nil
// sign the signature is taken off.
func (a *Archive) Resign(sign Sign) ([]byte, error) {
	files := []File{{Path: manifestPath}}
	for _, name := range a.order {
		if !listed(name) || name == sbomJSONPath {
			continue
		}
		content, err := a.read(name)
		if err != nil {
			return nil, err
		}
		if name == manifestPath {
			files[0].Content = content
			continue
		}
		files = append(files, File{name, content})
	}
	return seal(files, sign)
}

// writeZip writes a stored archive in the order given.
func writeZip(files []File) ([]byte, error) {
	var out, directory []byte
	known := newNames()
	for _, f := range files {
		if err := known.add(f.Path); err != nil {
			return nil, fault.Wrap("pack build", err)
		}
		if int64(len(out))+int64(len(f.Content)) >= 1<<32-1 || len(files) >= 1<<16-1 {
			return nil, fault.New(fault.Invalid, "pack build "+f.Path, "the pack is too large for its format")
		}
		offset := uint32(len(out))
		common := zipCommon(f)
		out = append(le32(out, localMagic), common...)
		out = append(out, f.Path...)
		out = append(out, f.Content...)

		directory = le16(le32(directory, centralMagic), 3<<8|20) // made by: unix
		directory = append(directory, common...)
		directory = append(directory, make([]byte, 6)...) // comment length, volume, internal attributes
		directory = le32(le32(directory, (0x8000|0o644)<<16), offset)
		directory = append(directory, f.Path...)
	}
	start := uint32(len(out))
	out = append(out, directory...)
	out = le16(le16(le32(out, endMagic), 0), 0)
	out = le16(le16(out, uint16(len(files))), uint16(len(files)))
	out = le32(le32(out, uint32(len(directory))), start)
	return le16(out, 0), nil
}

// zipCommon is the part that local and central headers share: from the version needed to the
// length of the extra field.
func zipCommon(f File) []byte {
	flags := uint16(0)
	if strings.ContainsFunc(f.Path, func(r rune) bool { return r > 0x7f }) {
		flags = flagUTF8
	}
	h := le16(le16(le16(nil, 20), flags), methodStored)
	h = le16(le16(h, 0), 1<<5|1) // 00:00:00 on 1980-01-01
	h = le32(h, crc32.ChecksumIEEE(f.Content))
	h = le32(le32(h, uint32(len(f.Content))), uint32(len(f.Content)))
	return le16(le16(h, uint16(len(f.Path))), 0)
}

func le16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }
func le32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

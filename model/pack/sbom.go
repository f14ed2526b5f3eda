package pack

import (
	"slices"
	"strings"

	"greentic.dev/model/cbor"
	"greentic.dev/model/trust"
)

// Names of the documents of an archive.
const (
	manifestPath   = "manifest.cbor"
	lockPath       = "pack.lock.cbor"
	lockJSONPath   = "pack.lock.json"
	sbomPath       = "sbom.cbor"
	sbomJSONPath   = "sbom.json"
	sbomFormat     = "greentic-sbom-v1"
	signatureDir   = "signatures/"
	sbomHint       = "build the pack again, or repair its bill of materials with greentic pack sign --update-sbom"
	codeSBOMBroken = "PACK_SBOM_INVALID"
)

// SBOM is the bill of materials: every file except itself and signatures/*.
type SBOM struct {
	Format string     `json:"format"`
	Files  []SBOMFile `json:"files"`
}

// SBOMFile is one file of a bill of materials.
type SBOMFile struct {
	Path      string `json:"path"`
	Size      int64  `json:"size"` // bytes
	Hash      string `json:"hash_blake3"`
	MediaType string `json:"media_type"`
}

// newSBOM lists files, sorted by path.
func newSBOM(files []File) SBOM {
	s := SBOM{Format: sbomFormat}
	for _, f := range files {
		if listed(f.Path) {
			s.Files = append(s.Files, SBOMFile{Path: f.Path, Size: int64(len(f.Content)), Hash: trust.Sum(f.Content), MediaType: mediaType(f.Path)})
		}
	}
	slices.SortFunc(s.Files, func(a, b SBOMFile) int { return strings.Compare(a.Path, b.Path) })
	return s
}

// listed says whether a file belongs into the bill of materials.
func listed(path string) bool {
	return path != sbomPath && !strings.HasPrefix(path, signatureDir)
}

func mediaType(path string) string {
	switch {
	case strings.HasSuffix(path, ".cbor"):
		return "application/cbor"
	case strings.HasSuffix(path, ".json"):
		return "application/json"
	case strings.HasSuffix(path, ".yaml"), strings.HasSuffix(path, ".yml"), strings.HasSuffix(path, ".ygtc"):
		return "application/yaml"
	case strings.HasSuffix(path, ".wasm"):
		return "application/wasm"
	}
	return "application/octet-stream"
}

// sbomDocument returns the path and content of the bill of materials, "" when there is none.
func (a *Archive) sbomDocument() (string, []byte, error) {
	for _, p := range []string{sbomPath, sbomJSONPath} {
		if e := a.entries[p]; e != nil {
			b, err := e.read()
			return p, b, err
		}
	}
	return "", nil, nil
}

// SBOM reads the bill of materials; fault.NotFound when the archive has none, fault.Invalid
// when it cannot be read.
func (a *Archive) SBOM() (*SBOM, error) {
	p, b, err := a.sbomDocument()
	if err != nil {
		return nil, err
	}
	if p == "" {
		return nil, a.missing("bill of materials (sbom.cbor)")
	}
	var tree any
	if p == sbomPath {
		tree, err = cbor.Unmarshal(b)
	} else {
		tree, err = cbor.FromJSON(b)
	}
	s := &SBOM{}
	if err == nil {
		err = convert(tree, s)
	}
	if err != nil {
		return nil, refuse(codeSBOMBroken, p, "%v", err)
	}
	return s, nil
}

// Integrity compares every file with the bill of materials and every component with the
// lock. It reads the whole archive. No finding of severity error means that a signature over
// Content covers all of it.
func (a *Archive) Integrity() []Finding {
	sbom, err := a.SBOM()
	p, _, _ := a.sbomDocument()
	if err != nil {
		code := codeSBOMBroken
		if p == "" {
			code = "PACK_SBOM_MISSING"
		}
		return []Finding{found(Error, code, p, "%v", err).hint(sbomHint)}
	}
	var out []Finding
	if sbom.Format != sbomFormat {
		out = append(out, found(Warn, codeSBOMBroken, p, "format %q is not %s", sbom.Format, sbomFormat))
	}
	said := map[string]SBOMFile{}
	for _, f := range sbom.Files {
		if _, twice := said[f.Path]; twice {
			out = append(out, found(Error, codeSBOMBroken, f.Path, "the bill of materials lists the file twice").hint(sbomHint))
		}
		said[f.Path] = f
		if a.entries[f.Path] == nil {
			out = append(out, found(Error, "PACK_SBOM_DANGLING_PATH", f.Path, "the bill of materials lists a file that is not there").hint(sbomHint))
		}
	}
	code := map[string]Component{}
	for _, c := range a.components {
		code[c.Path] = c
	}
	for _, name := range a.order {
		f, ok := said[name]
		if !ok && listed(name) && name != p {
			out = append(out, found(Error, "PACK_SBOM_UNLISTED", name, "the bill of materials does not list the file").hint(sbomHint))
		}
		content, err := a.entries[name].read()
		if err != nil {
			out = append(out, found(Error, "PACK_MISSING_FILE", name, "%v", err))
			continue
		}
		if have := trust.Sum(content); ok && !strings.EqualFold(have, f.Hash) {
			out = append(out, found(Error, "PACK_SBOM_HASH_MISMATCH", name, "the file has hash %s, the bill of materials says %s", short(have), short(f.Hash)).hint(sbomHint))
		} else if ok && f.Size != int64(len(content)) {
			out = append(out, found(Error, "PACK_SBOM_SIZE_MISMATCH", name, "the file has %d bytes, the bill of materials says %d", len(content), f.Size).hint(sbomHint))
		}
		if c, ok := code[name]; ok {
			if err := a.checkPinned(c, content); err != nil {
				out = append(out, found(Error, "PACK_LOCK_COMPONENT_DIGEST_MISMATCH", name, "%v", err))
			}
		}
	}
	return out
}

func short(hash string) string { return hash[:min(12, len(hash))] }

// Content is what an archive signature covers. It is meaningful only together with Integrity.
func (a *Archive) Content() (trust.Content, error) {
	_, doc, err := a.sbomDocument()
	if err != nil {
		return trust.Content{}, err
	}
	manifest, err := a.read(manifestPath)
	if err != nil {
		return trust.Content{}, err
	}
	c := trust.Content{Manifest: manifest, SBOM: doc}
	if s, err := a.SBOM(); err == nil {
		for _, f := range s.Files {
			c.Files = append(c.Files, trust.FileHash{Path: f.Path, Blake3: f.Hash})
		}
	}
	return c, nil
}

// Signature returns signatures/pack.sig and signatures/chain.pem, nil for what is absent.
func (a *Archive) Signature() (signature, chain []byte, err error) {
	take := func(name string) (b []byte) {
		if e := a.entries[name]; e != nil && err == nil {
			if b, err = e.read(); b == nil {
				b = []byte{}
			}
		}
		return b
	}
	signature, chain = take(trust.SignaturePath), take(trust.ChainPath)
	return signature, chain, err
}

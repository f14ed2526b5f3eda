package pack

import (
	"slices"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
)

// The limits a zero Options stands for.
const (
	DefaultMaxTotal = 64 << 20
	DefaultMaxFile  = 16 << 20
)

// Options are the limits of Open, in bytes; zero means the default.
type Options struct {
	MaxTotal int64 // all files together, uncompressed
	MaxFile  int64 // one file, uncompressed
}

func (o Options) orDefault() Options {
	if o.MaxTotal == 0 {
		o.MaxTotal = DefaultMaxTotal
	}
	if o.MaxFile == 0 {
		o.MaxFile = DefaultMaxFile
	}
	return o
}

// MaxArchive is the largest file Open looks at: the largest content plus its directory.
func (o Options) MaxArchive() int64 { return o.orDefault().MaxTotal + 16<<20 }

// Archive is an opened pack: readable, not trusted. It is immutable and safe for concurrent use.
type Archive struct {
	digest     greentic.Digest
	size       int64
	entries    map[string]*entry
	order      []string // entry names as the archive has them
	manifest   *Manifest
	lock       map[string]LockEntry
	components []Component
	flows      []*flow.Flow
	findings   []Finding
}

// Open reads a pack from its bytes, which the archive keeps and which must not change. The
// container is checked completely, file contents when they are read. Errors name the entry:
// fault.Invalid (damaged, hostile or over a limit; the code tells which), fault.Unsupported
// (encrypted, zip64, unknown or legacy manifest).
func Open(b []byte, opts Options) (*Archive, error) {
	if int64(len(b)) > opts.MaxArchive() {
		return nil, refuse("PACK_TOO_LARGE", "", "the archive has %d bytes, more than %d", len(b), opts.MaxArchive())
	}
	list, err := container{b: b, limit: opts.orDefault()}.entries()
	if err != nil {
		return nil, err
	}
	a := &Archive{digest: greentic.DigestOf(b), size: int64(len(b)), entries: make(map[string]*entry, len(list))}
	for _, e := range list {
		a.entries[e.name] = e
		a.order = append(a.order, e.name)
	}
	if a.entries[manifestPath] == nil {
		return nil, refuse("PACK_MISSING_MANIFEST_CBOR", "", "the archive has no %s: it is no pack", manifestPath)
	}
	manifest, err := a.entries[manifestPath].read()
	if err != nil {
		return nil, err
	}
	if a.manifest, a.findings, err = readManifest(manifest); err != nil {
		return nil, err
	}
	a.resolve()
	return a, nil
}

// resolve reads what the manifest stands on; problems become findings.
func (a *Archive) resolve() {
	note := func(f []Finding) { a.findings = append(a.findings, f...) }
	var f []Finding
	a.lock, f = a.readLock()
	note(f)
	a.components, f = a.catalogue()
	note(f)
	for _, entry := range a.manifest.Flows {
		compiled, err := flow.FromManifest(entry.Doc)
		if err != nil {
			note([]Finding{found(Error, "PACK_FLOW_INVALID", manifestPath, "flow %s: %v", entry.ID, err)})
			continue
		}
		a.flows = append(a.flows, compiled)
	}
	note(a.manifest.validate(a.Component))
	_, f = a.egress()
	note(f)
	_, f = a.events()
	note(f)
}

// Digest is the sha256 of the archive's bytes: the identity of the pack.
func (a *Archive) Digest() greentic.Digest { return a.digest }

// Size is the length of the archive in bytes.
func (a *Archive) Size() int64 { return a.size }

// ID is the pack's identifier.
func (a *Archive) ID() string { return a.manifest.ID }

// Name is the pack's display name, its identifier when it has none.
func (a *Archive) Name() string { return or(a.manifest.Name, a.manifest.ID) }

// Version is the pack's semantic version.
func (a *Archive) Version() string { return a.manifest.Version }

// Kind is application, provider, infrastructure or library.
func (a *Archive) Kind() string { return a.manifest.Kind }

// Manifest is the manifest; do not change it.
func (a *Archive) Manifest() *Manifest { return a.manifest }

// Flows lists the flows in the order of the manifest; flows that could not be read are left
// out and stand in Findings.
func (a *Archive) Flows() []*flow.Flow { return a.flows }

// Tags returns the tags of the flow called id as the manifest lists them.
func (a *Archive) Tags(id string) []string {
	for _, f := range a.manifest.Flows {
		if f.ID == id {
			return f.Tags
		}
	}
	return nil
}

// Findings is what opening the pack brought up, except for Integrity.
func (a *Archive) Findings() []Finding { return a.findings }

// Lock lists the lock entries, sorted by component.
func (a *Archive) Lock() []LockEntry {
	var out []LockEntry
	for _, c := range a.components {
		if e, ok := a.lock[c.ID]; ok {
			out = append(out, e)
		}
	}
	return out
}

// FileInfo is one file of an archive.
type FileInfo struct {
	Path string `json:"path"`
	Size int64  `json:"size"` // bytes, uncompressed
}

// Files lists every file in the order of the archive.
func (a *Archive) Files() []FileInfo {
	out := make([]FileInfo, len(a.order))
	for i, name := range a.order {
		out[i] = FileInfo{Path: name, Size: a.entries[name].size}
	}
	return out
}

// File reads any file of the archive by its literal path, fault.NotFound when absent. Do not
// change the bytes.
func (a *Archive) File(name string) ([]byte, error) { return a.read(name) }

func (a *Archive) read(name string) ([]byte, error) {
	e := a.entries[name]
	if e == nil {
		return nil, a.missing("file " + printable(name))
	}
	return e.read()
}

func (a *Archive) missing(what string) error {
	subject := "pack"
	if a.manifest != nil {
		subject += " " + a.manifest.ID
	}
	return fault.New(fault.NotFound, subject, "there is no "+what)
}

// hasFlow says whether the manifest lists a flow.
func (m *Manifest) hasFlow(id string) bool {
	return slices.ContainsFunc(m.Flows, func(f FlowEntry) bool { return f.ID == id })
}

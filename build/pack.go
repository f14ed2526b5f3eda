package build

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
	"greentic.dev/model/flow"
	"greentic.dev/model/pack"
)

// Options say how to build. The zero value builds an unsigned pack without running anything.
type Options struct {
	// Sign signs the pack; nil leaves it unsigned.
	Sign pack.Sign
	// Describe returns the decoded describe() document of a component, nil when it exports
	// none. Without it the lock pins code only.
	Describe func(ctx context.Context, code []byte) (any, error)
	// Flow compiles the source of a flow as flow.Check does; for whoever has compiled it before. Nil:
	// flow.Check.
	Flow func(name string, src []byte) (*flow.Flow, flow.Diagnostics)
	// Dev marks the pack as a development build.
	Dev bool
	// Limits bound the pack, as for opening it.
	Limits pack.Options
	// Progress hears about each step, "step subject"; nil hears nothing.
	Progress func(step string)
}

// Result is a built pack.
type Result struct {
	Bytes    []byte
	Digest   greentic.Digest
	ID       string
	Version  string
	Files    []pack.FileInfo // in the order of the archive
	Findings []pack.Finding  // nothing of severity error
}

// Pack builds the source folder dir: the one with pack.yaml, or with a folder pack that has it.
// The same folder and options give the same bytes. Errors:
// fault.Invalid with file, line and fix for what the author must change, fault.NotFound (no such
// folder), fault.Unsupported.
func Pack(ctx context.Context, dir string, opts Options) (*Result, error) {
	b, err := gather(ctx, dir, opts)
	if err != nil {
		return nil, err
	}
	return b.finish()
}

// gather reads and checks what a folder packs.
func gather(ctx context.Context, dir string, opts Options) (*builder, error) {
	if _, err := os.Stat(filepath.Join(dir, packFile)); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, "pack", packFile)); err == nil {
			dir = filepath.Join(dir, "pack")
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fault.As(fault.NotFound, "pack build "+dir, err)
	}
	defer root.Close()
	b := &builder{dir: dir, root: root, opts: opts, limit: opts.Limits.MaxArchive(), files: map[string][]byte{}}
	if b.opts.Progress == nil {
		b.opts.Progress = func(string) {}
	}
	src, err := b.read(packFile)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			return nil, fault.Newf(fault.NotFound, "pack build "+dir, "the folder has no %s", packFile).WithFix("greentic pack new NAME begins a pack")
		}
		return nil, err
	}
	if b.project, err = parseProject(b.shown(packFile), src); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{b.addComponents, b.addFlows, b.addAssets, b.addSecrets} {
		if err := ctx.Err(); err != nil {
			return nil, fault.Wrap("pack build", err)
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// builder gathers a pack from a folder.
type builder struct {
	dir     string // of root, for messages
	root    *os.Root
	opts    Options
	limit   int64 // bytes left to read
	project *project

	parts    []part
	flows    []pack.FlowEntry
	locked   []pack.LockEntry // remote components that flows use
	secrets  []component.SecretRequirement
	files    map[string][]byte
	findings []pack.Finding
}

// shown is how messages name a file of the folder.
func (b *builder) shown(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

func (b *builder) warn(code, path, message, hint string) {
	b.findings = append(b.findings, pack.Finding{Severity: pack.Warn, Code: code, Path: path, Message: message, Hint: hint})
}

// finish writes the pack and reads it back.
func (b *builder) finish() (*Result, error) {
	b.opts.Progress("pack " + b.project.PackID)
	src := pack.Source{Manifest: b.manifest(), Lock: b.locked}
	for _, p := range b.parts {
		src.Lock = append(src.Lock, p.lock)
	}
	for name, content := range b.files {
		src.Files = append(src.Files, pack.File{Path: name, Content: content})
	}
	out, err := pack.Build(src, b.opts.Sign)
	if err != nil {
		return nil, err
	}
	a, err := pack.Open(out, b.opts.Limits)
	if err != nil {
		return nil, fault.Wrap("pack build", err)
	}
	for _, f := range append(a.Findings(), a.Integrity()...) {
		switch f.Severity {
		case pack.Error:
			return nil, fault.New(fault.Invalid, "pack build "+b.project.PackID, f.Message).WithCode(f.Code).WithFix(f.Hint)
		case pack.Warn:
			b.findings = append(b.findings, f)
		}
	}
	return &Result{
		Bytes: out, Digest: a.Digest(), ID: a.ID(), Version: a.Version(), Files: a.Files(), Findings: b.findings,
	}, nil
}

func (b *builder) manifest() pack.Manifest {
	p := b.project
	m := pack.Manifest{
		ID: p.PackID, Name: p.Name, Version: p.Version, Kind: p.Kind, Publisher: p.Publisher,
		Bootstrap: p.Bootstrap, Agents: p.Agents, Flows: b.flows, Secrets: b.secrets, Extensions: b.extensions(),
	}
	for _, d := range p.Dependencies {
		m.Dependencies = append(m.Dependencies, pack.Dependency{
			Alias: d.Alias, PackID: d.PackID, VersionReq: d.VersionReq, RequiredCapabilities: d.RequiredCapabilities,
		})
	}
	seen := map[string]bool{}
	add := func(name, description string) {
		if !seen[name] {
			seen[name] = true
			m.Capabilities = append(m.Capabilities, pack.Capability{Name: name, Description: description})
		}
	}
	for _, c := range p.Capabilities {
		add(c.Name, c.Description)
	}
	for _, part := range b.parts {
		m.Components = append(m.Components, part.compiled)
		for _, name := range part.compiled.Capabilities.Names() {
			add(name, "")
		}
	}
	return m
}

// extensions are those of pack.yaml and the two that builders add.
func (b *builder) extensions() map[string]any {
	out := map[string]any{}
	for id, v := range b.project.Extensions {
		if ref, ok := v.(map[string]any); ok && ref["kind"] == nil {
			ref["kind"] = id
		}
		out[id] = v
	}
	mode := "prod"
	if b.opts.Dev {
		mode = "dev"
	}
	out["greentic.pack-mode.v1"] = map[string]any{
		"kind": "greentic.pack-mode.v1", "version": "1", "inline": map[string]any{"mode": mode},
	}
	if len(b.parts) == 0 {
		return out
	}
	entries := []any{}
	for _, p := range b.parts {
		entries = append(entries, map[string]any{
			"component_id": p.compiled.ID, "manifest_file": p.manifestPath(), "encoding": "cbor",
			"content_hash": string(greentic.DigestOf(b.files[p.manifestPath()])),
		})
	}
	const id = "greentic.pack.component_manifests@v1"
	out[id] = map[string]any{"kind": id, "version": "v1", "inline": map[string]any{"schema_version": 1, "entries": entries}}
	return out
}

// read reads a regular file of the folder. Errors: fault.NotFound, fault.Invalid (a symbolic
// link or other special file, or more bytes than a pack may have).
func (b *builder) read(name string) ([]byte, error) {
	name = path.Clean(name)
	info, err := b.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "pack build "+b.shown(name), "there is no such file")
	}
	if err != nil {
		return nil, fault.As(fault.Invalid, "pack build "+b.shown(name), err)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.Newf(fault.Invalid, "pack build "+b.shown(name), "not a regular file (%s)", info.Mode().Type()).
			WithFix("put a copy of the file in its place")
	}
	f, err := b.root.Open(name)
	if err != nil {
		return nil, fault.As(fault.Invalid, "pack build "+b.shown(name), err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, b.limit+1))
	if err != nil {
		return nil, fault.As(fault.Unavailable, "pack build "+b.shown(name), err)
	}
	if b.limit -= int64(len(content)); b.limit < 0 {
		return nil, fault.Newf(fault.Invalid, "pack build "+b.shown(name), "the files up to this one are larger than a pack may be").
			WithCode("PACK_TOO_LARGE")
	}
	return content, nil
}

// inside says whether name is a clean path below the folder.
func inside(name string) bool {
	return name != "" && fs.ValidPath(path.Clean(name)) && !strings.Contains(name, "\\")
}

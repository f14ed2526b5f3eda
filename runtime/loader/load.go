package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"greentic.dev/build"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
	"greentic.dev/model/trust"
)

// Policy says what may be loaded. The zero value loads nothing but reports on everything.
type Policy struct {
	// Trusted is the trust store: a pack must be signed with one of these keys.
	Trusted []trust.Key
	// AllowUnsignedUnsafe loads packs without a trusted signature or with a broken bill of
	// materials. The report then carries warnings to show.
	AllowUnsignedUnsafe bool
	// Limits bound a pack.
	Limits pack.Options
	// Build says how source folders are built and signed; nil refuses folders.
	Build *build.Options
}

// Report says what was found out about a pack and whether it may be loaded.
type Report struct {
	Digest   greentic.Digest `json:"digest"`
	Verified bool            `json:"verified"` // trusted signature over an intact archive
	Trust    trust.Report    `json:"trust"`
	Findings []pack.Finding  `json:"findings"`           // what opening found, then what the integrity check found
	Warnings []string        `json:"warnings,omitempty"` // what AllowUnsignedUnsafe let pass and what the reader doubted, one sentence each

	integrity []pack.Finding
}

// Verified is a pack that the policy let pass: the only thing that can be loaded. The zero value
// is no pack. It is immutable and safe for concurrent use.
type Verified struct {
	archive *pack.Archive
	bytes   []byte
	report  Report
}

// Archive is the pack.
func (v *Verified) Archive() *pack.Archive { return v.archive }

// Digest is the identity of the pack.
func (v *Verified) Digest() greentic.Digest { return v.archive.Digest() }

// Report is how the pack was judged.
func (v *Verified) Report() Report { return v.report }

// Load opens and judges the pack at path: a .gtpack file, or a source folder, which is built in
// memory. Errors: fault.NotFound, fault.Invalid (no pack, or an ambiguous one), fault.Unverified
// (the text names the entries, the fix says how to go on), fault.Unsupported. The report is filled
// in as far as the pack could be read, also with an error.
func Load(ctx context.Context, path string, p Policy) (*Verified, Report, error) {
	b, err := Read(ctx, path, p)
	if err != nil {
		return nil, Report{}, err
	}
	return LoadBytes(ctx, filepath.Base(path), b, p)
}

// LoadBytes is Load for a pack already read; name is for messages. The bytes must not change.
func LoadBytes(ctx context.Context, name string, b []byte, p Policy) (*Verified, Report, error) {
	a, report, err := Inspect(ctx, b, p)
	if err != nil {
		return nil, report, fault.Wrap("pack load "+name, err)
	}
	if err := report.decide(name, p); err != nil {
		return nil, report, err
	}
	return &Verified{archive: a, bytes: b, report: report}, report, nil
}

// Inspect opens and judges a pack without refusing it for trust.
func Inspect(ctx context.Context, b []byte, p Policy) (*pack.Archive, Report, error) {
	if err := ctx.Err(); err != nil {
		return nil, Report{}, fault.Wrap("pack inspect", err)
	}
	a, err := pack.Open(b, p.Limits)
	if err != nil {
		return nil, Report{}, err
	}
	content, err := a.Content()
	if err != nil {
		return nil, Report{}, err
	}
	signature, chain, err := a.Signature()
	if err != nil {
		return nil, Report{}, err
	}
	r := Report{Digest: a.Digest(), Trust: trust.Verify(content, signature, chain, p.Trusted), integrity: a.Integrity()}
	r.Findings = append(append([]pack.Finding{}, a.Findings()...), r.integrity...)
	r.Verified = r.Trust.Status == trust.Trusted && len(r.problems()) == 0
	return a, r, nil
}

// Read reads a pack file, or builds the source folder at path. Errors as Load.
func Read(ctx context.Context, path string, p Policy) ([]byte, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "pack load "+path, "there is no such file or folder")
	}
	if err != nil {
		return nil, fault.As(fault.Unavailable, "pack load "+path, err)
	}
	if info.IsDir() {
		if p.Build == nil {
			return nil, fault.Newf(fault.Unsupported, "pack load "+path, "a source folder, where only packs are loaded").
				WithFix("greentic pack build " + path)
		}
		opts := *p.Build
		opts.Dev, opts.Limits = true, p.Limits
		res, err := build.Pack(ctx, path, opts)
		if err != nil {
			return nil, err
		}
		return res.Bytes, nil
	}
	if info.Size() > p.Limits.MaxArchive() {
		return nil, fault.Newf(fault.Invalid, "pack load "+path, "the file has %d bytes, more than %d", info.Size(), p.Limits.MaxArchive()).
			WithCode("PACK_TOO_LARGE")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.As(fault.Unavailable, "pack load "+path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, p.Limits.MaxArchive()+1))
	if err != nil {
		return nil, fault.As(fault.Unavailable, "pack load "+path, err)
	}
	return b, nil
}

// problems are the integrity findings that break the seal.
func (r *Report) problems() []pack.Finding { return errorsOf(r.integrity) }

func errorsOf(list []pack.Finding) (out []pack.Finding) {
	for _, f := range list {
		if f.Severity == pack.Error {
			out = append(out, f)
		}
	}
	return out
}

// decide applies the policy; it fills in the warnings when it lets something pass.
func (r *Report) decide(name string, p Policy) error {
	opened := errorsOf(r.Findings[:len(r.Findings)-len(r.integrity)])
	if len(opened) > 0 { // ambiguous, whoever signed it
		return fault.New(fault.Invalid, "pack load "+name, opened[0].Message).WithCode(opened[0].Code).WithFix(opened[0].Hint)
	}
	for _, f := range r.Findings {
		if f.Severity == pack.Warn {
			r.Warnings = append(r.Warnings, f.Path+": "+f.Message)
		}
	}
	if r.Verified {
		return nil
	}
	var lines []string
	if r.Trust.Status != trust.Trusted {
		lines = append(lines, r.Trust.Reason)
	}
	for _, f := range r.problems() {
		lines = append(lines, strings.TrimPrefix(f.Path+": "+f.Message, ": "))
	}
	if p.AllowUnsignedUnsafe {
		r.Warnings = append(append([]string{fmt.Sprintf("%s is loaded although nobody vouches for it (--allow-unsigned-unsafe)", name)}, lines...), r.Warnings...)
		return nil
	}
	err := fault.New(fault.Unverified, "pack load "+name, summary(lines, 8)).WithFix(r.fix(name))
	if problems := r.problems(); len(problems) > 0 {
		err.WithCode(problems[0].Code)
	}
	return err
}

func summary(lines []string, most int) string {
	if len(lines) <= most {
		return strings.Join(lines, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(lines[:most], "; "), len(lines)-most)
}

// fix says how to go on.
func (r *Report) fix(name string) string {
	const last = "or, if you accept the risk, use --allow-unsigned-unsafe"
	switch {
	case len(r.problems()) > 0 || r.Trust.Status == trust.Broken:
		return "get an intact copy of the pack; " + last
	case r.Trust.Status == trust.Untrusted:
		return "if you know the signer, enter their public key with greentic key trust FILE; " + last
	}
	return "ask the publisher for a signed pack, or sign your own with greentic pack sign " + name + "; " + last
}

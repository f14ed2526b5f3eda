package loader

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/renameio/v2/maybe"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Store keeps the packs that sessions are pinned to, one file per digest (decisions 14). It is safe for
// concurrent use.
type Store struct {
	dir string
	mu  sync.Mutex // no file appears while DropUnused looks
}

// NewStore is the store in dir, which is created when the first pack is kept.
func NewStore(dir string) *Store { return &Store{dir: dir} }

func (s *Store) path(d greentic.Digest) string { return filepath.Join(s.dir, d.Hex()) }

// Keep stores a verified pack durably, whole or not at all. A pack that is there stays as it is.
func (s *Store) Keep(ctx context.Context, v *Verified) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap("pack keep", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op, name := "pack keep "+v.Digest().Short(), s.path(v.Digest())
	if have, err := os.Stat(name); err == nil && have.Size() == int64(len(v.bytes)) {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fault.As(fault.Unavailable, op, err)
	}
	if err := maybe.WriteFile(name, v.bytes, 0o600); err != nil {
		return fault.As(fault.Unavailable, op, err)
	}
	return fault.As(fault.Unavailable, op, syncFolder(s.dir))
}

// syncFolder makes a rename in dir survive a power cut, where the system can.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// Open loads a kept pack under the policy of today. Errors as Load; other bytes under the digest
// are fault.Unverified.
func (s *Store) Open(ctx context.Context, d greentic.Digest, p Policy) (*Verified, Report, error) {
	if _, err := greentic.ParseDigest(string(d)); err != nil {
		return nil, Report{}, err
	}
	p.Build = nil
	b, err := Read(ctx, s.path(d), p)
	if err != nil {
		return nil, Report{}, err
	}
	if have := greentic.DigestOf(b); have != d {
		return nil, Report{}, fault.Newf(fault.Unverified, "pack open "+d.Short(), "the kept file has digest %s", have.Short())
	}
	return LoadBytes(ctx, d.Short(), b, p)
}

// List returns the digests of all kept packs.
func (s *Store) List(ctx context.Context) ([]greentic.Digest, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap("pack list", err)
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.As(fault.Unavailable, "pack list", err)
	}
	var out []greentic.Digest
	for _, e := range entries {
		if d, err := greentic.ParseDigest("sha256:" + e.Name()); err == nil {
			out = append(out, d)
		}
	}
	return out, nil
}

// DropUnused removes the packs that used does not want and what interrupted writes left behind;
// it returns the digests removed. A pack kept before its first session begins must count as used.
func (s *Store) DropUnused(ctx context.Context, used func(greentic.Digest) bool) ([]greentic.Digest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	var dropped []greentic.Digest
	for _, d := range kept {
		if used(d) {
			continue
		}
		if err := os.Remove(s.path(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return dropped, fault.As(fault.Unavailable, "pack drop "+d.Short(), err)
		}
		dropped = append(dropped, d)
	}
	stale, err := filepath.Glob(filepath.Join(s.dir, ".*"))
	for _, name := range stale {
		err = errors.Join(err, os.Remove(name))
	}
	return dropped, fault.As(fault.Unavailable, "pack drop", err)
}

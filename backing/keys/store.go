package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/trust"
)

// Developer is the name of the local developer key.
const Developer = "developer"

const (
	privateDir = "private"
	pendingDir = "pending" // a developer key that is not yet trusted
	trustedDir = "trusted"
	maxKeyFile = 64 << 10
)

// Options configure a Store.
type Options struct {
	Rand io.Reader // source of new keys; nil is the system's
}

// Store is a folder of keys. It is safe for concurrent use, also by several processes.
type Store struct {
	dir  string
	rand io.Reader
}

// New is the store in dir, which is created when the first key is written.
func New(dir string, opts Options) *Store {
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	return &Store{dir: dir, rand: opts.Rand}
}

// Key is what may be shown of a key.
type Key struct {
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"` // BLAKE3 of the raw public key, hexadecimal
	Private     bool   `json:"private"`     // the private key is here: it can sign
	Trusted     bool   `json:"trusted"`     // it is in the trust store
}

// Create makes a key pair. It is not trusted until Trust is told so. Errors: fault.Invalid (bad
// or reserved name), fault.Exists, fault.Unavailable.
func (s *Store) Create(ctx context.Context, name string) (Key, error) {
	if name == Developer {
		return Key{}, fault.Newf(fault.Invalid, "key new "+name, "the name is reserved for the key that pack build makes by itself")
	}
	return s.create(ctx, privateDir, name)
}

func (s *Store) create(ctx context.Context, dir, name string) (Key, error) {
	if err := s.check(ctx, name); err != nil {
		return Key{}, err
	}
	public, private, err := ed25519.GenerateKey(s.rand)
	if err != nil {
		return Key{}, fault.Wrap("key new "+name, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, fault.Wrap("key new "+name, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := s.write(dir, name, text, 0o600); err != nil {
		return Key{}, fault.Wrap("key new "+name, err)
	}
	return Key{Name: name, Fingerprint: trust.Key{Public: public}.Fingerprint(), Private: true}, nil
}

// List returns every key, private or trusted, sorted by name.
func (s *Store) List(ctx context.Context) ([]Key, error) {
	trusted, err := s.Trusted(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.names(privateDir)
	if err != nil {
		return nil, err
	}
	var list []Key
	for _, name := range names {
		signer, err := s.Signer(ctx, name)
		if err != nil {
			return nil, err
		}
		list = append(list, Key{Name: name, Fingerprint: signer.Fingerprint(), Private: true})
	}
	for _, k := range trusted {
		i := slices.IndexFunc(list, func(have Key) bool { return have.Fingerprint == k.Fingerprint() })
		if i < 0 {
			list = append(list, Key{Name: k.Name, Fingerprint: k.Fingerprint()})
			i = len(list) - 1
		}
		list[i].Trusted = true
	}
	slices.SortFunc(list, func(a, b Key) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Export returns the public key called name as SPKI PEM; fault.NotFound when there is none.
func (s *Store) Export(ctx context.Context, name string) ([]byte, error) {
	signer, err := s.Signer(ctx, name)
	if err == nil {
		return trust.EncodePublicKey(signer.public)
	}
	if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	text, err := s.read(trustedDir, name)
	return text, fault.Wrap("key export "+name, err)
}

// Trust enters a public key (SPKI PEM or a certificate) into the trust store. A key that is
// trusted already is returned under the name it has. Errors: fault.Invalid (no public key),
// fault.Exists (the name is another key's).
func (s *Store) Trust(ctx context.Context, name string, text []byte) (Key, error) {
	if err := s.check(ctx, name); err != nil {
		return Key{}, err
	}
	public, err := trust.ParsePublicKey(text)
	if err != nil {
		return Key{}, fault.Wrap("key trust "+name, err)
	}
	k := Key{Name: name, Fingerprint: trust.Key{Public: public}.Fingerprint(), Trusted: true}
	trusted, err := s.Trusted(ctx)
	if err != nil {
		return Key{}, err
	}
	for _, have := range trusted {
		if have.Fingerprint() == k.Fingerprint {
			k.Name = have.Name
			return k, nil
		}
	}
	clean, err := trust.EncodePublicKey(public)
	if err != nil {
		return Key{}, err
	}
	if err := s.write(trustedDir, name, clean, 0o644); err != nil {
		return Key{}, fault.Wrap("key trust "+name, err)
	}
	return k, nil
}

// Trusted returns the trust store, sorted by name. A file in it that is no public key is
// fault.Invalid: better to stop than to forget a key silently.
func (s *Store) Trusted(ctx context.Context) ([]trust.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap("trust store", err)
	}
	names, err := s.names(trustedDir)
	if err != nil {
		return nil, err
	}
	var list []trust.Key
	for _, name := range names {
		text, err := s.read(trustedDir, name)
		if err != nil {
			return nil, fault.Wrap("trust store", err)
		}
		public, err := trust.ParsePublicKey(text)
		if err != nil {
			return nil, fault.Wrap("trust store "+s.path(trustedDir, name), err)
		}
		list = append(list, trust.Key{Name: name, Public: public})
	}
	return list, nil
}

func (s *Store) check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap("key "+name, err)
	}
	if strings.HasPrefix(name, ".") {
		return fault.Newf(fault.Invalid, "key name", "%q begins with a dot", name)
	}
	return greentic.CheckID("key name", name)
}

func (s *Store) path(dir, name string) string { return filepath.Join(s.dir, dir, name+".pem") }

func (s *Store) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.As(fault.Unavailable, "key store", err)
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".pem"); ok && !e.IsDir() && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s *Store) read(dir, name string) ([]byte, error) {
	if err := greentic.CheckID("key name", name); err != nil {
		return nil, err
	}
	f, err := os.Open(s.path(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Newf(fault.NotFound, "key "+name, "there is no such key in %s", filepath.Join(s.dir, dir)).
			WithFix("greentic key list shows the keys there are")
	}
	if err != nil {
		return nil, fault.As(fault.Unavailable, "key "+name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fault.As(fault.Unavailable, "key "+name, err)
	}
	if dir != trustedDir && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fault.Newf(fault.Denied, "key "+name, "%s can be read by others (mode %o)", f.Name(), info.Mode().Perm()).
			WithFix("chmod 600 " + f.Name() + ", and consider making a new key")
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	return b, fault.As(fault.Unavailable, "key "+name, err)
}

// write puts a file in place whole or not at all, and never over another.
func (s *Store) write(dir, name string, text []byte, mode os.FileMode) error {
	folder := filepath.Join(s.dir, dir)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fault.As(fault.Unavailable, "key store", err)
	}
	tmp, err := os.CreateTemp(folder, ".new-*")
	if err != nil {
		return fault.As(fault.Unavailable, "key store", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Link(tmp.Name(), s.path(dir, name))
	}
	if errors.Is(err, fs.ErrExist) {
		return fault.Newf(fault.Exists, "key "+name, "%s is there already", s.path(dir, name)).WithFix("choose another name")
	}
	return fault.As(fault.Unavailable, "key store", err)
}

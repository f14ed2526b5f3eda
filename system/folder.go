package system

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"

	"greentic.dev/backing/keys"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/pack"
)

// folder is the data folder of a running process: locked, with the secrets made for it. A nil
// folder is that of an ephemeral process: its secrets last as long as it does.
type folder struct {
	dir      string
	lock     *flock.Flock
	operator string
}

// ServerFile names the file in the data folder through which commands find a running server.
const ServerFile = "server.json"

// Server says how to reach the process that uses a data folder.
type Server struct {
	URL   string `json:"url"`
	PID   int    `json:"pid"`
	Token string `json:"token"` // of operators; the file is readable by the owner only
}

// openFolder creates and locks a data folder. One in use is fault.Conflict and names the process.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Op: "data folder", Err: err, Fix: "choose a folder you may write to with --data"}
	}
	f := &folder{dir: dir, lock: flock.New(filepath.Join(dir, "lock"))}
	ok, err := f.lock.TryLock()
	if err != nil {
		return nil, &fault.Error{Kind: fault.Unavailable, Op: "data folder " + dir, Err: err, Fix: "choose a folder you may write to with --data"}
	}
	if !ok {
		err := fault.Newf(fault.Conflict, "data folder "+dir, "another greentic process is using it").WithFix("stop it, or choose another folder with --data")
		if s, serr := FindServer(dir); serr == nil {
			err.Msg += " (pid " + itoa(s.PID) + ", " + s.URL + ")"
		}
		return nil, err
	}
	if f.operator, err = f.secret("operator.token"); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func itoa(n int) string {
	b, _ := json.Marshal(n)
	return string(b)
}

// secret is a random value of 32 bytes in hexadecimal, made once and kept under its name.
func (f *folder) secret(name string) (string, error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", fault.Wrap("secret "+name, err)
	}
	fresh := hex.EncodeToString(raw[:])
	if f == nil {
		return fresh, nil
	}
	file := filepath.Join(f.dir, name)
	kept, err := os.ReadFile(file)
	if err == nil && len(kept) >= 32 {
		return string(kept), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fault.As(fault.Unavailable, "secret "+name, err)
	}
	return fresh, fault.As(fault.Unavailable, "secret "+name, maybe.WriteFile(file, []byte(fresh), 0o600))
}

func (f *folder) token() string {
	if f == nil {
		return ""
	}
	return f.operator
}

// announce writes the server file.
func (f *folder) announce(url string) error {
	if f == nil {
		return nil
	}
	raw, err := json.Marshal(Server{URL: url, PID: os.Getpid(), Token: f.operator})
	if err != nil {
		return fault.Wrap("server file", err)
	}
	return fault.As(fault.Unavailable, "server file", maybe.WriteFile(filepath.Join(f.dir, ServerFile), raw, 0o600))
}

func (f *folder) close() error {
	if f == nil {
		return nil
	}
	_ = os.Remove(filepath.Join(f.dir, ServerFile))
	return fault.As(fault.Unavailable, "data folder", f.lock.Unlock())
}

// FindServer reads the server file of a data folder; fault.NotFound when none is there.
func FindServer(dir string) (Server, error) {
	var s Server
	raw, err := os.ReadFile(filepath.Join(dir, ServerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, fault.Newf(fault.NotFound, "server", "none is running on %s", dir)
	}
	if err != nil {
		return s, fault.As(fault.Unavailable, "server", err)
	}
	return s, fault.As(fault.Invalid, "server file", json.Unmarshal(raw, &s))
}

// CodeCache is where compiled code is kept: the configured folder, else one in the data folder
// when there is one, else the user's cache folder, else nowhere. A cache is never a reason to fail:
// where the user has no folder that can be written, nothing is cached.
func (c *Config) CodeCache(inData bool) string {
	if c.Cache != "" {
		return c.Cache
	}
	if inData {
		return filepath.Join(c.Data, "cache")
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(base, "greentic", "code")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}

// KeyStore is the folder of signing keys and trusted keys: keys in greentic.yaml, GREENTIC_KEYS,
// else greentic/keys in the user's configuration folder.
func (c *Config) KeyStore() (*keys.Store, error) {
	dir := c.Keys
	if dir == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return nil, &fault.Error{Kind: fault.NotFound, Op: "key store", Err: err, Fix: "say where keys live: set GREENTIC_KEYS"}
		}
		dir = filepath.Join(base, "greentic", "keys")
	}
	return keys.New(dir, keys.Options{}), nil
}

// PackLimits bounds the packs this process reads.
func (c *Config) PackLimits() pack.Options {
	return pack.Options{MaxTotal: c.PackBytes, MaxFile: c.FileBytes}
}

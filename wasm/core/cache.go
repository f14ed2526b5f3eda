package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"

	"greentic.dev/greentic/fault"
)

// codeCache keeps compiled code between processes. wazero executes what it finds in its folder,
// so that folder is this engine's alone and is empty except while a module is compiled. What
// lasts lies beside it: KEY.code, and KEY.sum with the digest it must have and the name wazero
// knows it by. An entry that is not exactly what was written is removed and made again.
type codeCache struct {
	dir    string // of the entries
	own    string // of this engine, removed with it
	live   string // inside own, where wazero looks
	wazero wazero.CompilationCache
	warn   func(message string)
	mu     sync.Mutex // one module at a time: a file that appears in live belongs to it
}

const (
	codeSuffix = ".code"
	sumSuffix  = ".sum"
	ownPrefix  = "live-"
	cacheSize  = 4 << 30 // bytes of entries, when Options.CacheSize does not say

	// cacheFormat is the folder of the entries: wazero's own version check knows only released
	// binaries.
	cacheFormat = formatPrefix + "v1.12.0"

	formatPrefix = "wazero-"
	formatAge    = 24 * time.Hour // for so long the entries of another version are left to it
)

func openCache(dir string, size int64, warn func(string)) (*codeCache, error) {
	const op = "compile cache"
	for _, d := range []string{dir, filepath.Join(dir, cacheFormat)} {
		if err := privateDir(d); err != nil {
			return nil, err
		}
	}
	forget(dir)
	dir = filepath.Join(dir, cacheFormat)
	prune(dir, size)
	own, err := os.MkdirTemp(dir, ownPrefix)
	if err != nil {
		return nil, fault.As(fault.Unavailable, op, err)
	}
	if warn == nil {
		warn = func(string) {}
	}
	c := &codeCache{dir: dir, own: own, warn: warn}
	if c.wazero, err = wazero.NewCompilationCacheWithDir(own); err != nil {
		_ = os.RemoveAll(own) // the first failure is the one to tell
		return nil, fault.As(fault.Unavailable, op, err)
	}
	names, err := filepath.Glob(filepath.Join(own, "*"))
	if err != nil || len(names) != 1 {
		_ = os.RemoveAll(own)
		return nil, fault.New(fault.Internal, op, "the engine's own folder is not where it was")
	}
	c.live = names[0]
	return c, nil
}

// close frees the code in memory; entries stay.
func (c *codeCache) close(ctx context.Context) error {
	return errors.Join(c.wazero.Close(ctx), os.RemoveAll(c.own))
}

// privateDir makes dir, or refuses it when somebody else may write to it.
func privateDir(dir string) error {
	const op = "compile cache"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.As(fault.Unavailable, op, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fault.As(fault.Unavailable, op, err)
	}
	if os.PathSeparator == '/' && info.Mode().Perm()&0o022 != 0 || !owned(info) {
		return fault.Newf(fault.Denied, op, "others may write to %s, which holds code to execute", dir).WithFix("chmod 700 " + dir)
	}
	return nil
}

// compile runs do, which compiles the module known by key, with the entry of that key in
// wazero's folder if there is a sound one, and keeps what do adds. A cache that fails is only
// slow: do then runs without it.
func (c *codeCache) compile(key string, do func() (wazero.CompiledModule, error)) (wazero.CompiledModule, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = os.MkdirAll(c.live, 0o700) // somebody may have cleaned up; if this fails, so does what follows
	lent := c.lend(key)
	compiled, err := do()
	if err == nil {
		c.keep(key, lent)
	}
	c.clear()
	if err != nil {
		c.remove(key)
		compiled, err = do() // wazero keeps code in memory even if it cannot write it down
		c.clear()
	}
	return compiled, err
}

// lend puts the entry of key where wazero finds it and returns its name there.
func (c *codeCache) lend(key string) string {
	sum, err := os.ReadFile(c.path(key, sumSuffix))
	if err != nil {
		return ""
	}
	digest, name, ok := strings.Cut(strings.TrimSuffix(string(sum), "\n"), " ")
	code := c.path(key, codeSuffix)
	if ok = ok && isHex(name); ok {
		actual, err := digestOf(key, name, code)
		ok = err == nil && actual == digest
	}
	if ok {
		err = linkOrCopy(code, filepath.Join(c.live, name))
	}
	if !ok {
		c.warn("compiled code in the cache is not what was written, it is made again: " + code)
	}
	if !ok || err != nil {
		c.remove(key)
		return ""
	}
	return name
}

// keep takes over the file that wazero wrote, if it did.
func (c *codeCache) keep(key, lent string) {
	files, err := os.ReadDir(c.live)
	if err != nil {
		return
	}
	for _, f := range files {
		from := filepath.Join(c.live, f.Name())
		if !isHex(f.Name()) || f.Name() == lent && sameFile(from, c.path(key, codeSuffix)) {
			continue // else wazero did not take what it was lent: it is of another version
		}
		digest, err := digestOf(key, f.Name(), from)
		if err == nil && os.Rename(from, c.path(key, codeSuffix)) == nil {
			err = os.WriteFile(c.path(key, sumSuffix), []byte(digest+" "+f.Name()+"\n"), 0o600) // torn, it is not used
		}
		if err != nil {
			c.remove(key)
		}
	}
}

// clear empties wazero's folder.
func (c *codeCache) clear() {
	files, err := os.ReadDir(c.live)
	if err != nil {
		return
	}
	for _, f := range files {
		_ = os.Remove(filepath.Join(c.live, f.Name())) // what stays is lent for the next compilation, unused
	}
}

func (c *codeCache) path(key, suffix string) string { return filepath.Join(c.dir, key+suffix) }

func (c *codeCache) remove(key string) {
	_ = os.Remove(c.path(key, sumSuffix)) // without it the code is not used
	_ = os.Remove(c.path(key, codeSuffix))
}

func isHex(name string) bool {
	b, err := hex.DecodeString(name)
	return err == nil && len(b) == sha256.Size
}

// digestOf binds the content of a file to what it is for.
func digestOf(key, name, file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // read only
	h := sha256.New()
	_, _ = io.WriteString(h, key+" "+name+"\n") // a hash does not fail
	if _, err = io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	second, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(first, second)
}

func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}

// prune removes the oldest entries of a cache that has grown too large, and the folders of
// engines that were killed. Other engines may be using the cache: one that misses its own
// folder makes it again, one that misses an entry compiles.
func prune(dir string, size int64) {
	if size <= 0 {
		size = cacheSize
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			for _, inner := range []string{filepath.Join(path, "*"), path} {
				removeEmpty(inner)
			}
		} else if info, err := e.Info(); err == nil {
			files, total = append(files, info), total+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for ; total > size; files = files[1:] {
		total -= files[0].Size()
		_ = os.Remove(filepath.Join(dir, files[0].Name())) // the next engine tries again
	}
}

// forget removes the entries of other versions of the engine that nobody has added to lately.
func forget(dir string) {
	others, _ := filepath.Glob(filepath.Join(dir, formatPrefix+"*")) // only a malformed pattern fails
	for _, other := range others {
		info, err := os.Stat(other)
		if err == nil && info.IsDir() && filepath.Base(other) != cacheFormat && time.Since(info.ModTime()) > formatAge {
			_ = os.RemoveAll(other) // the next engine tries again
		}
	}
}

// removeEmpty removes the folders of a pattern that are empty: nobody is compiling there.
func removeEmpty(pattern string) {
	folders, _ := filepath.Glob(pattern) // only a malformed pattern fails
	for _, f := range folders {
		if inner, err := os.ReadDir(f); err == nil && len(inner) == 0 {
			_ = os.Remove(f)
		}
	}
}

package wasi

import (
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"strconv"

	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// descriptor is an opened file or directory: a path in Config.Files, fit for fs.FS. It holds
// no open file, so nothing leaks when a guest forgets it.
type descriptor struct {
	path string
	dir  bool
}

// entries is a directory being listed.
type entries struct{ rest []fs.DirEntry }

func filesystem() []*link.Interface {
	preopens := face("filesystem/preopens", map[string]link.Func{
		"get-directories": fn(func(c *call) any {
			if c.cfg.Files == nil {
				return []any{}
			}
			return []any{[]any{own(descriptor{path: ".", dir: true}), "/"}}
		}),
	})
	funcs := map[string]link.Func{
		"filesystem-error-code": fn(func(c *call) any {
			if e := self[*ioError](c, 0); e != nil && e.code != "" {
				return canon.Some(enum(e.code))
			}
			return canon.Option{}
		}),
		"[method]directory-entry-stream.read-directory-entry": fn((*call).nextEntry),
	}
	for name, f := range map[string]func(*call) (any, error){
		"read-via-stream":  (*call).readViaStream,
		"advise":           (*call).nothing,
		"sync-data":        (*call).nothing,
		"sync":             (*call).nothing,
		"get-flags":        func(c *call) (any, error) { return canon.Flags{"read"}, nil },
		"get-type":         (*call).getType,
		"read":             (*call).readFile,
		"read-directory":   (*call).readDirectory,
		"stat":             func(c *call) (any, error) { return c.stat(self[descriptor](c, 0).path) },
		"stat-at":          func(c *call) (any, error) { return at(c, c.stat) },
		"open-at":          (*call).openAt,
		"readlink-at":      (*call).readlinkAt,
		"metadata-hash":    func(c *call) (any, error) { return c.hash(self[descriptor](c, 0).path) },
		"metadata-hash-at": func(c *call) (any, error) { return at(c, c.hash) },
	} {
		funcs["[method]descriptor."+name] = fallible(f)
	}
	for _, name := range []string{"write-via-stream", "append-via-stream", "set-size", "set-times", "write",
		"create-directory-at", "set-times-at", "link-at", "remove-directory-at", "rename-at", "symlink-at", "unlink-file-at"} {
		funcs["[method]descriptor."+name] = fallible(func(*call) (any, error) { return nil, errReadOnly })
	}
	funcs["[method]descriptor.is-same-object"] = fn(func(c *call) any { return self[descriptor](c, 0) == self[descriptor](c, 1) })
	return []*link.Interface{preopens, face("filesystem/types", funcs, "descriptor", "directory-entry-stream")}
}

// fallible makes a host function out of f whose errors are values of error-code.
func fallible(f func(*call) (any, error)) link.Func {
	return fn(func(c *call) any {
		if c.cfg.Files == nil {
			return canon.Err(enum(string(errBadDescriptor))) // a handle kept from another world
		}
		v, err := f(c)
		if err != nil {
			return canon.Err(enum(string(codeOf(err))))
		}
		return canon.OK(v)
	})
}

func (c *call) nothing() (any, error) { self[descriptor](c, 0); return nil, nil }

func (c *call) getType() (any, error) {
	if self[descriptor](c, 0).dir {
		return enum("directory"), nil
	}
	return enum("regular-file"), nil
}

// at runs f on the path of a "…-at" function: descriptor, path-flags, path.
func at(c *call, f func(string) (any, error)) (any, error) {
	base, name := self[descriptor](c, 0), arg[string](c, 2)
	p, err := c.resolve(base, name)
	if err != nil {
		return nil, err
	}
	return f(p)
}

func (c *call) stat(p string) (any, error) {
	info, err := fs.Stat(c.cfg.Files, p)
	if err != nil {
		return nil, err
	}
	size, modified := uint64(0), canon.Option{}
	if info.Mode().IsRegular() {
		size = uint64(max(info.Size(), 0))
	}
	if t := info.ModTime(); t.Unix() > 0 {
		modified = canon.Some(datetime(t))
	}
	return canon.Record{
		{Name: "type", Value: enum(kindOf(info.Mode()))},
		{Name: "link-count", Value: uint64(1)},
		{Name: "size", Value: size},
		{Name: "data-access-timestamp", Value: canon.Option{}},
		{Name: "data-modification-timestamp", Value: modified},
		{Name: "status-change-timestamp", Value: canon.Option{}},
	}, nil
}

// hash identifies what stands at a path: it changes when the path, size or time does.
func (c *call) hash(p string) (any, error) {
	info, err := fs.Stat(c.cfg.Files, p)
	if err != nil {
		return nil, err
	}
	text := p + "\x00" + strconv.FormatInt(info.Size(), 10) + "\x00" + strconv.FormatInt(info.ModTime().UnixNano(), 10)
	sum := sha256.Sum256([]byte(text))
	return canon.Record{
		{Name: "lower", Value: binary.LittleEndian.Uint64(sum[:8])},
		{Name: "upper", Value: binary.LittleEndian.Uint64(sum[8:16])},
	}, nil
}

// openAt opens for reading: descriptor, path-flags, path, open-flags, descriptor-flags.
// Whatever would change the tree answers read-only.
func (c *call) openAt() (any, error) {
	base, name := self[descriptor](c, 0), arg[string](c, 2)
	open, flags := arg[canon.Flags](c, 3), arg[canon.Flags](c, 4)
	p, err := c.resolve(base, name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(c.cfg.Files, p)
	switch {
	case err != nil && has(open, "create") && codeOf(err) == errNoEntry:
		return nil, errReadOnly
	case err != nil:
		return nil, err
	case has(open, "create") && has(open, "exclusive"):
		return nil, errExist
	case has(open, "directory") && !info.IsDir():
		return nil, errNotDirectory
	case has(open, "truncate") || has(flags, "write") || has(flags, "mutate-directory"):
		return nil, errReadOnly
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, errNotPermitted
	}
	return own(descriptor{path: p, dir: info.IsDir()}), nil
}

// readlinkAt finds no links, for the tree has none.
func (c *call) readlinkAt() (any, error) {
	p, err := c.resolve(self[descriptor](c, 0), arg[string](c, 1))
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(c.cfg.Files, p); err != nil {
		return nil, err
	}
	return nil, errInvalid
}

func (c *call) readDirectory() (any, error) {
	d := self[descriptor](c, 0)
	if c.err == nil && !d.dir {
		return nil, errNotDirectory
	}
	list, err := fs.ReadDir(c.cfg.Files, d.path)
	if err != nil {
		return nil, err
	}
	return own(&entries{rest: list}), nil
}

func (c *call) nextEntry() any {
	e := self[*entries](c, 0)
	if e == nil || len(e.rest) == 0 {
		return canon.OK(canon.Option{})
	}
	entry := e.rest[0]
	e.rest = e.rest[1:]
	return canon.OK(canon.Some(canon.Record{
		{Name: "type", Value: enum(kindOf(entry.Type()))},
		{Name: "name", Value: entry.Name()},
	}))
}

func has(flags canon.Flags, name string) bool {
	for _, f := range flags {
		if f == name {
			return true
		}
	}
	return false
}

// kindOf is the descriptor-type of a mode.
func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m.IsRegular():
		return "regular-file"
	case m&fs.ModeSymlink != 0:
		return "symbolic-link"
	}
	return "unknown"
}

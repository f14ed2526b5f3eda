package wasi

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
)

// object is what stands at a path.
type object interface {
	stat(c *Call) (canon.Record, error)
	identity(c *Call) (string, error) // another text for another object, size or time
}

// descriptor is an opened file or directory, of the asset tree or of the scratch directory.
type descriptor interface {
	object
	kind() string        // descriptor-type
	rights() canon.Flags // descriptor-flags
	read(c *Call, n int, offset int64) (b []byte, end bool, err error)
	again() (descriptor, error) // the same once more, for a stream
	list(c *Call) ([]listed, error)
	find(c *Call, follow bool, name string) (object, error)
	open(c *Call, how opening) (descriptor, error)
	readlink(c *Call, name string) (string, error)
}

// opening is what open-at asks for.
type opening struct {
	name                                   string
	follow                                 bool
	create, directory, exclusive, truncate bool
	read, write, mutate                    bool
}

// listed is an entry of a directory.
type listed struct{ kind, name string }

// listing is a directory being listed.
type listing struct {
	state *State
	rest  []listed
	of    *opened // a scratch directory; nil: none
}

// maxListed is how many entries the listings of an invocation hold together.
const maxListed = 100_000

func filesystem() []*link.Interface {
	preopens := Face("filesystem/preopens", map[string]link.Func{"get-directories": Func((*Call).preopens)})
	funcs := map[string]link.Func{
		"filesystem-error-code": Func(func(c *Call) any {
			var code fsError
			if e := Self[*Failure](c, 0); e != nil && errors.As(e.Err, &code) {
				return canon.Some(enum(string(code)))
			}
			return canon.Option{}
		}),
		"[method]directory-entry-stream.read-directory-entry": Func((*Call).nextEntry),
		"[method]descriptor.is-same-object":                   Func((*Call).isSame),
	}
	for name, f := range map[string]func(*Call) (any, error){
		"read-via-stream":  (*Call).readViaStream,
		"advise":           (*Call).nothing,
		"sync-data":        (*Call).nothing,
		"sync":             (*Call).nothing,
		"get-flags":        (*Call).getFlags,
		"get-type":         (*Call).getType,
		"read":             (*Call).readFile,
		"read-directory":   (*Call).readDirectory,
		"stat":             func(c *Call) (any, error) { return at(c, object.stat) },
		"stat-at":          func(c *Call) (any, error) { return at(c, object.stat) },
		"open-at":          (*Call).openAt,
		"readlink-at":      (*Call).readlinkAt,
		"metadata-hash":    func(c *Call) (any, error) { return at(c, hash) },
		"metadata-hash-at": func(c *Call) (any, error) { return at(c, hash) },

		"write-via-stream":    func(c *Call) (any, error) { return c.sinkAt(Arg[uint64](c, 1), false) },
		"append-via-stream":   func(c *Call) (any, error) { return c.sinkAt(0, true) },
		"set-size":            (*Call).setSize,
		"set-times":           (*Call).setTimes,
		"set-times-at":        (*Call).setTimesAt,
		"write":               (*Call).writeFile,
		"create-directory-at": (*Call).createDirectoryAt,
		"remove-directory-at": (*Call).removeDirectoryAt,
		"unlink-file-at":      (*Call).unlinkFileAt,
		"rename-at":           (*Call).renameAt,
		"link-at":             (*Call).linkAt,
		"symlink-at":          (*Call).symlinkAt,
	} {
		funcs["[method]descriptor."+name] = fallible(f)
	}
	return []*link.Interface{preopens, Face("filesystem/types", funcs, "descriptor", "directory-entry-stream")}
}

// fallible makes a host function out of f whose errors are values of error-code.
func fallible(f func(*Call) (any, error)) link.Func {
	return Func(func(c *Call) any {
		v, err := f(c)
		if err != nil {
			return canon.Err(enum(string(codeOf(err))))
		}
		return canon.OK(v)
	})
}

func (c *Call) preopens() any {
	list := []any{}
	if c.cfg.Files != nil {
		list = append(list, []any{own(asset{path: ".", dir: true}), "/"})
	}
	if c.scratch != nil {
		list = append(list, []any{own(scratchRoot{}), scratchPath})
	}
	return list
}

// descriptor is the open file or directory behind argument i. A handle kept from another world
// is a bad descriptor, anything else than a descriptor traps.
func (c *Call) descriptor(i int) (descriptor, error) {
	switch d := Self[any](c, i).(type) {
	case asset:
		if c.cfg.Files != nil {
			return d, nil
		}
	case scratchRoot:
		if c.scratch != nil {
			c.Touched("it looked into its scratch directory")
			return c.scratch.top, nil
		}
	case *opened:
		if d.in == c.scratch {
			return d, nil
		}
	default:
		c.Trapf(fault.Invalid, "filesystem", "a handle is to %T, not to a descriptor", d)
	}
	return nil, errBadDescriptor
}

func (c *Call) nothing() (any, error) {
	_, err := c.descriptor(0)
	return nil, err
}

func (c *Call) getType() (any, error) {
	if _, ok := Self[any](c, 0).(scratchRoot); ok && c.scratch != nil {
		return enum("directory"), nil
	}
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	return enum(d.kind()), nil
}

func (c *Call) getFlags() (any, error) {
	if _, ok := Self[any](c, 0).(scratchRoot); ok && c.scratch != nil {
		return c.scratch.top.rights(), nil
	}
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	return d.rights(), nil
}

func (c *Call) isSame() any {
	a, errA := c.descriptor(0)
	b, errB := c.descriptor(1)
	if errA != nil || errB != nil {
		return false
	}
	x, okX := a.(*opened)
	y, okY := b.(*opened)
	if okX && okY {
		return x.node == y.node
	}
	return a == b
}

// at runs f on the object of a function: the descriptor, or for "…-at" functions, which have
// path-flags and path behind it, what stands there.
func at[T any](c *Call, f func(object, *Call) (T, error)) (any, error) {
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	var o object = d
	if len(c.args) > 1 {
		follow, name := has(Arg[canon.Flags](c, 1), "symlink-follow"), Arg[string](c, 2)
		if c.err != nil {
			return nil, errInvalid
		}
		if o, err = d.find(c, follow, name); err != nil {
			return nil, err
		}
	}
	return f(o, c)
}

// status is a descriptor-stat.
func status(kind string, links, size uint64, accessed, modified, changed canon.Option) canon.Record {
	return canon.Record{
		{Name: "type", Value: enum(kind)},
		{Name: "link-count", Value: links},
		{Name: "size", Value: size},
		{Name: "data-access-timestamp", Value: accessed},
		{Name: "data-modification-timestamp", Value: modified},
		{Name: "status-change-timestamp", Value: changed},
	}
}

func hash(o object, c *Call) (canon.Record, error) {
	text, err := o.identity(c)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(text))
	return canon.Record{
		{Name: "lower", Value: binary.LittleEndian.Uint64(sum[:8])},
		{Name: "upper", Value: binary.LittleEndian.Uint64(sum[8:16])},
	}, nil
}

// openAt has descriptor, path-flags, path, open-flags and descriptor-flags.
func (c *Call) openAt() (any, error) {
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	how, flags := Arg[canon.Flags](c, 3), Arg[canon.Flags](c, 4)
	o := opening{
		name: Arg[string](c, 2), follow: has(Arg[canon.Flags](c, 1), "symlink-follow"),
		create: has(how, "create"), directory: has(how, "directory"), exclusive: has(how, "exclusive"), truncate: has(how, "truncate"),
		read: has(flags, "read"), write: has(flags, "write"), mutate: has(flags, "mutate-directory"),
	}
	if c.err != nil {
		return nil, errInvalid
	}
	opened, err := d.open(c, o)
	if err != nil {
		return nil, err
	}
	return own(opened), nil
}

func (c *Call) readlinkAt() (any, error) {
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	name := Arg[string](c, 1)
	if c.err != nil {
		return nil, errInvalid
	}
	return d.readlink(c, name)
}

// readFile is descriptor.read: length, offset -> bytes and whether the end was reached.
func (c *Call) readFile() (any, error) {
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	length, at := Arg[uint64](c, 1), Arg[uint64](c, 2)
	if d.kind() == "directory" {
		return nil, errIsDirectory
	}
	offset, err := offsetOf(at)
	if err != nil {
		return nil, err
	}
	if c.err != nil || length == 0 {
		return []any{[]byte{}, false}, nil
	}
	b, end, err := d.read(c, int(min(length, maxRead)), offset)
	return []any{b, end}, err
}

func (c *Call) readViaStream() (any, error) {
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	at := Arg[uint64](c, 1)
	if d.kind() == "directory" {
		return nil, errIsDirectory
	}
	offset, err := offsetOf(at)
	if err != nil {
		return nil, err
	}
	if d, err = d.again(); err != nil {
		return nil, err
	}
	return own(&fileStream{from: d, offset: offset}), nil
}

func (c *Call) readDirectory() (any, error) {
	d, err := c.descriptor(0)
	if err != nil {
		return nil, err
	}
	if d.kind() != "directory" {
		return nil, errNotDirectory
	}
	list, err := d.list(c)
	if err != nil {
		return nil, err
	}
	if c.listed+len(list) > maxListed {
		return nil, errNoMemory
	}
	l := &listing{state: c.State, rest: list}
	if o, ok := d.(*opened); ok {
		held, err := o.again()
		if err != nil {
			return nil, err
		}
		l.of = held.(*opened)
	}
	c.listed += len(list)
	return own(l), nil
}

func (c *Call) nextEntry() any {
	l := Self[*listing](c, 0)
	if l == nil || len(l.rest) == 0 {
		return canon.OK(canon.Option{})
	}
	entry := l.rest[0]
	l.rest = l.rest[1:]
	c.listed--
	return canon.OK(canon.Some(canon.Record{
		{Name: "type", Value: enum(entry.kind)},
		{Name: "name", Value: entry.name},
	}))
}

// Dropped gives back what the listing held.
func (l *listing) Dropped() error {
	l.state.listed -= len(l.rest)
	l.rest = nil
	if l.of != nil {
		return l.of.Dropped()
	}
	return nil
}

func has(flags canon.Flags, name string) bool {
	for _, f := range flags {
		if f == name {
			return true
		}
	}
	return false
}

package wasi

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"time"

	"greentic.dev/wasm/canon"
)

// opened is an open file or directory of the scratch directory.
type opened struct {
	in                 *scratch
	node               *node
	readable, writable bool
}

// hold opens n once more.
func (s *scratch) hold(n *node, readable, writable bool) (*opened, error) {
	if s.open >= s.limit.Open {
		return nil, errNoMemory
	}
	s.open++
	n.opens++
	return &opened{in: s, node: n, readable: readable, writable: writable}, nil
}

// Dropped closes it.
func (o *opened) Dropped() error {
	if o == o.in.top {
		return nil
	}
	o.in.open--
	o.node.opens--
	o.in.forget(o.node)
	return nil
}

func (o *opened) again() (descriptor, error) {
	held, err := o.in.hold(o.node, o.readable, o.writable)
	if err != nil {
		return nil, err
	}
	return held, nil
}

func (o *opened) kind() string { return o.node.kind }

// rights of a directory include changing it: directories inherit that from the preopened one,
// as guests which open a directory and change what is in it expect.
func (o *opened) rights() canon.Flags {
	if o.node.kind == aDirectory {
		return canon.Flags{"read", "mutate-directory"}
	}
	var flags canon.Flags
	if o.readable {
		flags = append(flags, "read")
	}
	if o.writable {
		flags = append(flags, "write")
	}
	return flags
}

func (o *opened) stat(c *Call) (canon.Record, error) { return o.node.stat(c) }
func (o *opened) identity(c *Call) (string, error)   { return o.node.identity(c) }

func (n *node) stat(*Call) (canon.Record, error) {
	when := func(t time.Time) canon.Option { return canon.Some(datetime(t)) }
	size := uint64(n.data.size) + uint64(len(n.target))
	return status(n.kind, uint64(n.names), size, when(n.accessed), when(n.modified), when(n.changed)), nil
}

func (n *node) identity(*Call) (string, error) {
	return "\x00scratch\x00" + strconv.FormatUint(n.id, 10) + "\x00" + strconv.FormatInt(n.data.size, 10) + "\x00" +
		strconv.FormatInt(n.modified.UnixNano(), 10), nil
}

func (o *opened) find(_ *Call, follow bool, name string) (object, error) {
	at, err := o.in.walk(o.node, name, follow)
	if err != nil {
		return nil, err
	}
	if at.node == nil {
		return nil, errNoEntry
	}
	return at.node, nil
}

func (o *opened) readlink(_ *Call, name string) (string, error) {
	at, err := o.in.walk(o.node, name, false)
	switch {
	case err != nil:
		return "", err
	case at.node == nil:
		return "", errNoEntry
	case at.node.kind != aLink:
		return "", errInvalid
	}
	return at.node.target, nil
}

func (o *opened) list(c *Call) ([]listed, error) {
	list := make([]listed, 0, len(o.node.entries))
	for name, n := range o.node.entries {
		list = append(list, listed{kind: n.kind, name: name})
	}
	slices.SortFunc(list, func(a, b listed) int { return cmp.Compare(a.name, b.name) })
	o.node.accessed = c.wall()
	return list, nil
}

func (o *opened) read(c *Call, n int, offset int64) ([]byte, bool, error) {
	if !o.readable {
		return nil, false, errBadDescriptor
	}
	o.node.accessed = c.wall()
	b := o.node.data.at(offset, n)
	return b, offset+int64(len(b)) >= o.node.data.size, nil
}

// open opens or makes what how names.
func (o *opened) open(c *Call, how opening) (descriptor, error) {
	if how.create && how.directory {
		return nil, errInvalid
	}
	at, err := o.in.walk(o.node, how.name, how.follow && !(how.create && how.exclusive))
	if err != nil {
		return nil, err
	}
	isNew := at.node == nil
	switch {
	case isNew && !how.create:
		return nil, errNoEntry
	case isNew && at.slash:
		return nil, errIsDirectory
	case isNew:
		at.node = o.in.node(aFile, c.wall())
	case how.create && how.exclusive:
		return nil, errExist
	case at.node.kind == aLink:
		return nil, errLoop
	case how.directory && at.node.kind != aDirectory:
		return nil, errNotDirectory
	case at.node.kind == aDirectory && (how.write || how.truncate || how.create):
		return nil, errIsDirectory
	}
	held, err := o.in.hold(at.node, how.read || !how.write, how.write)
	if err != nil {
		return nil, err
	}
	if isNew {
		err = o.in.add(at, at.node, c.wall())
	} else if how.truncate {
		err = o.in.resize(at.node, 0, c.wall())
	}
	if err != nil {
		_ = held.Dropped() // never fails
		return nil, err
	}
	return held, nil
}

// fileSink writes a scratch file from an offset on, or at its end.
type fileSink struct {
	to     *opened
	offset int64
	append bool
}

func (c *Call) sinkAt(at uint64, atEnd bool) (any, error) {
	o, err := c.changeable(0)
	if err != nil {
		return nil, err
	}
	switch {
	case o.node.kind == aDirectory:
		return nil, errIsDirectory
	case !o.writable:
		return nil, errBadDescriptor
	}
	offset, err := offsetOf(at)
	if err != nil {
		return nil, err
	}
	if o, err = o.in.hold(o.node, o.readable, true); err != nil {
		return nil, err
	}
	return own(&fileSink{to: o, offset: offset, append: atEnd}), nil
}

// Dropped gives up the file.
func (f *fileSink) Dropped() error { return f.to.Dropped() }

func (f *fileSink) Room(*Call) (int, error) { return maxWrite, nil }
func (f *fileSink) Permit(int)              {}
func (f *fileSink) Claim(int) bool          { return true }
func (f *fileSink) Flush(*Call, bool) error { return nil }
func (f *fileSink) Wait(*Call) error        { return nil }
func (f *fileSink) Subscribe() Pollable     { return moment(0) }

func (f *fileSink) Put(c *Call, b []byte) error {
	if f.to.in != c.scratch {
		return io.EOF
	}
	if f.append {
		f.offset = f.to.node.data.size
	}
	if err := f.to.in.write(f.to.node, b, f.offset, c.wall()); err != nil {
		return err
	}
	f.offset += int64(len(b))
	return nil
}

package wasi

import (
	"time"

	"greentic.dev/wasm/canon"
)

// changeable is the descriptor in argument i of a function that changes something: one of the
// scratch directory. The asset tree is read-only.
func (c *Call) changeable(i int) (*opened, error) {
	d, err := c.descriptor(i)
	if err != nil {
		return nil, err
	}
	o, ok := d.(*opened)
	if !ok {
		return nil, errReadOnly
	}
	return o, nil
}

// place is the descriptor in argument i and where the path in argument j leads from it.
func (c *Call) place(i, j int, follow bool) (*opened, spot, error) {
	o, err := c.changeable(i)
	if err != nil {
		return nil, spot{}, err
	}
	name := Arg[string](c, j)
	if c.err != nil {
		return nil, spot{}, errInvalid
	}
	at, err := o.in.walk(o.node, name, follow)
	return o, at, err
}

func (c *Call) writeFile() (any, error) {
	o, err := c.changeable(0)
	if err != nil {
		return nil, err
	}
	b, at := Arg[[]byte](c, 1), Arg[uint64](c, 2)
	switch {
	case o.node.kind == aDirectory:
		return nil, errIsDirectory
	case !o.writable:
		return nil, errBadDescriptor
	}
	offset, err := offsetOf(at)
	if err == nil && c.err == nil {
		err = o.in.write(o.node, b, offset, c.wall())
	}
	return uint64(len(b)), err
}

func (c *Call) setSize() (any, error) {
	o, err := c.changeable(0)
	if err != nil {
		return nil, err
	}
	size, err := offsetOf(Arg[uint64](c, 1))
	switch {
	case o.node.kind == aDirectory:
		return nil, errIsDirectory
	case !o.writable:
		return nil, errBadDescriptor
	case err != nil || c.err != nil:
		return nil, err
	}
	return nil, o.in.resize(o.node, size, c.wall())
}

func (c *Call) setTimes() (any, error) {
	o, err := c.changeable(0)
	if err != nil {
		return nil, err
	}
	return nil, c.stamp(o.node, 1)
}

func (c *Call) setTimesAt() (any, error) {
	_, at, err := c.place(0, 2, has(Arg[canon.Flags](c, 1), "symlink-follow"))
	switch {
	case err != nil:
		return nil, err
	case at.node == nil:
		return nil, errNoEntry
	}
	return nil, c.stamp(at.node, 3)
}

// stamp sets the times in arguments i (access) and i+1 (modification).
func (c *Call) stamp(n *node, i int) error {
	now := c.wall()
	accessed, err := c.newTime(i, n.accessed, now)
	if err != nil {
		return err
	}
	modified, err := c.newTime(i+1, n.modified, now)
	if err != nil || c.err != nil {
		return err
	}
	n.accessed, n.modified, n.changed = accessed, modified, now
	return nil
}

// newTime is what the new-timestamp in argument i makes of a time.
func (c *Call) newTime(i int, old, now time.Time) (time.Time, error) {
	switch v := Arg[canon.Variant](c, i); v.Case {
	case "now":
		return now, nil
	case "timestamp":
		rec, _ := v.Value.(canon.Record)
		seconds, _ := rec.Get("seconds").(uint64)
		nanos, _ := rec.Get("nanoseconds").(uint32)
		if seconds >= 1<<60 || nanos >= 1e9 {
			return old, errInvalid
		}
		return time.Unix(int64(seconds), int64(nanos)), nil
	}
	return old, nil
}

func (c *Call) createDirectoryAt() (any, error) {
	o, at, err := c.place(0, 1, false)
	switch {
	case err != nil:
		return nil, err
	case at.node != nil:
		return nil, errExist
	}
	now := c.wall()
	return nil, o.in.add(at, o.in.node(aDirectory, now), now)
}

func (c *Call) removeDirectoryAt() (any, error) {
	o, at, err := c.place(0, 1, false)
	switch {
	case err != nil:
		return nil, err
	case at.node == nil:
		return nil, errNoEntry
	case at.node.kind != aDirectory:
		return nil, errNotDirectory
	case at.dir == nil:
		return nil, errInvalid
	case len(at.node.entries) > 0:
		return nil, errNotEmpty
	}
	o.in.remove(at, c.wall())
	return nil, nil
}

func (c *Call) unlinkFileAt() (any, error) {
	o, at, err := c.place(0, 1, false)
	switch {
	case err != nil:
		return nil, err
	case at.node == nil:
		return nil, errNoEntry
	case at.node.kind == aDirectory:
		return nil, errIsDirectory
	}
	o.in.remove(at, c.wall())
	return nil, nil
}

// symlinkAt has descriptor, target and path. A target may be anything but absolute; where it
// leads is decided when it is followed.
func (c *Call) symlinkAt() (any, error) {
	o, at, err := c.place(0, 2, false)
	target := Arg[string](c, 1)
	switch {
	case err != nil:
		return nil, err
	case at.node != nil:
		return nil, errExist
	case at.slash:
		return nil, errNoEntry
	}
	if err := checkPath(target); err != nil {
		return nil, err
	}
	if int64(len(target)) > o.in.limit.Bytes-o.in.bytes {
		return nil, errNoSpace
	}
	now := c.wall()
	n := o.in.node(aLink, now)
	if err := o.in.add(at, n, now); err != nil {
		return nil, err
	}
	n.target = target
	o.in.bytes += int64(len(target))
	return nil, nil
}

// linkAt has descriptor, path-flags, path, new descriptor and new path.
func (c *Call) linkAt() (any, error) {
	o, from, err := c.place(0, 2, has(Arg[canon.Flags](c, 1), "symlink-follow"))
	if err != nil {
		return nil, err
	}
	_, to, err := c.place(3, 4, false)
	switch {
	case err != nil:
		return nil, err
	case from.node == nil:
		return nil, errNoEntry
	case from.node.kind == aDirectory:
		return nil, errNotPermitted
	case to.node != nil:
		return nil, errExist
	case to.slash:
		return nil, errNoEntry
	}
	return nil, o.in.add(to, from.node, c.wall())
}

// renameAt has descriptor, path, new descriptor and new path. What stands at the new path is
// replaced if it is of the same sort, a directory only if it is empty.
func (c *Call) renameAt() (any, error) {
	o, from, err := c.place(0, 1, false)
	if err != nil {
		return nil, err
	}
	_, to, err := c.place(2, 3, false)
	if err != nil {
		return nil, err
	}
	if from.node == nil {
		return nil, errNoEntry
	}
	if from.dir == nil || to.dir == nil {
		return nil, errBusy
	}
	moved, isDir := from.node, from.node.kind == aDirectory
	switch {
	case moved == to.node:
		return nil, nil
	case to.slash && !isDir:
		return nil, errNotDirectory
	case isDir && to.dir.below(moved):
		return nil, errInvalid
	case to.dir.gone():
		return nil, errNoEntry
	case to.node == nil:
	case isDir && to.node.kind != aDirectory:
		return nil, errNotDirectory
	case !isDir && to.node.kind == aDirectory:
		return nil, errIsDirectory
	case len(to.node.entries) > 0:
		return nil, errNotEmpty
	}
	now := c.wall()
	if to.node != nil {
		o.in.remove(to, now)
	}
	delete(from.dir.entries, from.name)
	from.dir.modified, from.dir.changed = now, now
	moved.names--
	o.in.enter(to, moved, now)
	return nil, nil
}

// below says whether directory n is other or stands in it.
func (n *node) below(other *node) bool {
	for ; n != nil; n = n.parent {
		if n == other {
			return true
		}
	}
	return false
}

// cwd is where relative names begin.
func (s *State) cwd() canon.Option {
	switch {
	case s.cfg.Files != nil:
		return canon.Some("/")
	case s.scratch != nil:
		return canon.Some(scratchPath)
	}
	return canon.Option{}
}

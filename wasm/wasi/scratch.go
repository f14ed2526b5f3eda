package wasi

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Scratch bounds the scratch directory of an invocation. The zero value is none.
type Scratch struct {
	Bytes   int64 // in files and link targets; 0: there is no scratch directory
	Entries int   // names of files, directories and links; 0 means DefaultScratchEntries
	Open    int   // descriptors, streams and listings open in it at once; 0 means DefaultScratchOpen
}

// What a Scratch with zero fields permits.
const (
	DefaultScratchEntries = 1024
	DefaultScratchOpen    = 256
)

const (
	scratchPath = "/scratch"
	maxName     = 255 // bytes of a name in a directory
	maxLinks    = 40  // symbolic links followed on one path
)

// scratch is a tree in memory that lives as long as its invocation.
type scratch struct {
	limit   Scratch
	bytes   int64 // in files and link targets that have a name or are open
	entries int
	open    int
	nodes   uint64 // made so far
	root    *node
	top     *opened // the preopened directory
}

// scratchRoot is the handle to the preopened directory. It is a name only: the state of the
// running invocation says what it means, so a handle to it survives in an image.
type scratchRoot struct{}

// node is a file, directory or symbolic link.
type node struct {
	id      uint64
	kind    string           // descriptor-type
	data    content          // of a file
	target  string           // of a link
	entries map[string]*node // of a directory
	parent  *node            // of a directory; nil: the root, or it was removed
	names   int              // entries that lead here
	opens   int

	accessed, modified, changed time.Time
}

const (
	aFile      = "regular-file"
	aDirectory = "directory"
	aLink      = "symbolic-link"
)

func newScratch(limit Scratch, now time.Time) *scratch {
	if limit.Entries == 0 {
		limit.Entries = DefaultScratchEntries
	}
	if limit.Open == 0 {
		limit.Open = DefaultScratchOpen
	}
	s := &scratch{limit: limit}
	s.root = s.node(aDirectory, now)
	s.root.names = 1
	s.top = &opened{in: s, node: s.root, readable: true, writable: true}
	return s
}

func (s *scratch) node(kind string, now time.Time) *node {
	s.nodes++
	n := &node{id: s.nodes, kind: kind, accessed: now, modified: now, changed: now}
	if kind == aDirectory {
		n.entries = map[string]*node{}
	}
	return n
}

// gone says that a directory was removed while it was open.
func (n *node) gone() bool { return n.names == 0 }

// spot is where a path leads: a name in a directory and what stands there, if anything. A path
// that ends in the directory it began with, in "." or in ".." has no dir.
type spot struct {
	dir   *node
	name  string
	node  *node
	slash bool // the path ends as a directory
}

// walk follows name from a directory, never above it, and the link it ends in only if follow or
// a slash behind it says so.
func (s *scratch) walk(from *node, name string, follow bool) (spot, error) {
	if from.kind != aDirectory {
		return spot{}, errNotDirectory
	}
	if err := checkPath(name); err != nil {
		return spot{}, err
	}
	if !utf8.ValidString(name) {
		return spot{}, errInvalid
	}
	at, dot := spot{node: from, slash: endsInside(name)}, endsInDot(name)
	above := []*node{} // the directories between from and at
	rest, links := split(name), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		dir := at.node
		switch {
		case dir.kind != aDirectory:
			return spot{}, errNotDirectory
		case part == "..":
			if len(above) == 0 {
				return spot{}, errNotPermitted
			}
			at.node, above = above[len(above)-1], above[:len(above)-1]
			at.dir, at.name = nil, ""
			continue
		case len(part) > maxName:
			return spot{}, errNameTooLong
		}
		child, last := dir.entries[part], len(rest) == 0
		switch {
		case child == nil && last && !dot:
			return spot{dir: dir, name: part, slash: at.slash}, nil
		case child == nil:
			return spot{}, errNoEntry
		case child.kind == aLink && (!last || follow || at.slash):
			if links++; links > maxLinks {
				return spot{}, errLoop
			}
			at.slash, dot = at.slash || last && endsInside(child.target), dot || last && endsInDot(child.target)
			rest = append(split(child.target), rest...)
			if len(rest) == 0 { // a link to "."
				at.dir, at.name = nil, ""
			}
			continue
		}
		above = append(above, dir)
		at.dir, at.name, at.node = dir, part, child
	}
	switch {
	case at.slash && at.node.kind != aDirectory:
		return spot{}, errNotDirectory
	case dot:
		at.dir, at.name = nil, ""
	}
	return at, nil
}

// endsInside says whether a path ends as a directory: in a slash or in ".".
func endsInside(name string) bool {
	last := name[strings.LastIndexByte(name, '/')+1:]
	return last == "" || last == "."
}

func endsInDot(name string) bool { return name == "." || strings.HasSuffix(name, "/.") }

// split is the parts of a path that lead somewhere.
func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(part string) bool { return part == "" || part == "." })
}

// add puts n, new or already standing elsewhere, under a name that is free.
func (s *scratch) add(at spot, n *node, now time.Time) error {
	switch {
	case at.dir.gone():
		return errNoEntry
	case s.entries >= s.limit.Entries:
		return errNoSpace
	}
	s.entries++
	s.enter(at, n, now)
	return nil
}

func (s *scratch) enter(at spot, n *node, now time.Time) {
	at.dir.entries[at.name] = n
	at.dir.modified, at.dir.changed, n.changed = now, now, now
	n.names++
	if n.kind == aDirectory {
		n.parent = at.dir
	}
}

// remove takes away a name and, if it was the last and nobody has it open, what stood there.
func (s *scratch) remove(at spot, now time.Time) {
	s.entries--
	delete(at.dir.entries, at.name)
	at.dir.modified, at.dir.changed, at.node.changed = now, now, now
	at.node.names--
	at.node.parent = nil
	s.forget(at.node)
}

// forget gives back the bytes of what can no longer be reached.
func (s *scratch) forget(n *node) {
	if n.names == 0 && n.opens == 0 {
		s.bytes -= n.data.size + int64(len(n.target))
		n.data, n.target = content{}, ""
	}
}

// resize makes a file longer, with zeroes, or shorter.
func (s *scratch) resize(n *node, size int64, now time.Time) error {
	more := size - n.data.size
	if more > s.limit.Bytes-s.bytes {
		return errNoSpace
	}
	n.data.resize(size)
	s.bytes += more
	n.modified, n.changed = now, now
	return nil
}

// write puts b into a file, which grows if it must.
func (s *scratch) write(n *node, b []byte, offset int64, now time.Time) error {
	if offset > s.limit.Bytes {
		return errNoSpace
	}
	if end := offset + int64(len(b)); len(b) > 0 && end > n.data.size {
		if err := s.resize(n, end, now); err != nil {
			return err
		}
	}
	n.data.put(b, offset)
	n.modified, n.changed = now, now
	return nil
}

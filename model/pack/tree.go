package pack

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Assets is a read-only file system of the files Asset can reach, under the paths they have in
// the archive. Files are found with the same detours as Asset; listings show the literal tree.
// It is safe for concurrent use.
func (a *Archive) Assets() fs.FS { return tree{a} }

type tree struct{ a *Archive }

// Open opens a file or folder.
func (t tree) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if list := t.a.folder(name); list != nil {
		return &openFolder{stat: stat{name: path.Base(name), dir: true}, list: list}, nil
	}
	e, err := t.a.asset(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	content, err := e.read()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{stat: stat{name: path.Base(name), size: e.size}, Reader: bytes.NewReader(content)}, nil
}

// folder lists a folder; nil when there is none of that name.
func (a *Archive) folder(name string) []fs.DirEntry {
	prefix := name + "/"
	if name == "." {
		prefix = ""
	}
	seen := map[string]stat{}
	for _, p := range a.order {
		rest, ok := strings.CutPrefix(p, prefix)
		if !ok || !isAsset(p) {
			continue
		}
		first, _, deeper := strings.Cut(rest, "/")
		seen[first] = stat{name: first, dir: deeper, size: a.entries[p].size}
	}
	if len(seen) == 0 && name != "." {
		return nil
	}
	list := make([]fs.DirEntry, 0, len(seen))
	for _, s := range seen {
		if s.dir {
			s.size = 0
		}
		list = append(list, fs.FileInfoToDirEntry(s))
	}
	slices.SortFunc(list, func(x, y fs.DirEntry) int { return strings.Compare(x.Name(), y.Name()) })
	return list
}

// stat describes a file or folder of an archive: read-only and of 1980.
type stat struct {
	name string
	size int64
	dir  bool
}

func (s stat) Name() string       { return s.name }
func (s stat) Size() int64        { return s.size }
func (s stat) IsDir() bool        { return s.dir }
func (s stat) Sys() any           { return nil }
func (s stat) ModTime() time.Time { return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC) }
func (s stat) Mode() fs.FileMode {
	if s.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	stat
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.stat, nil }
func (f *openFile) Size() int64                { return f.stat.size }
func (f *openFile) Close() error               { return nil }

type openFolder struct {
	stat
	list []fs.DirEntry
}

func (f *openFolder) Stat() (fs.FileInfo, error) { return f.stat, nil }
func (f *openFolder) Close() error               { return nil }
func (f *openFolder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
}

// ReadDir returns the next n entries, or all that are left when n <= 0.
func (f *openFolder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.list)
	} else if len(f.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.list))
	next := f.list[:n]
	f.list = f.list[n:]
	return next, nil
}

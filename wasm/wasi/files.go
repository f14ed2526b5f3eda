package wasi

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"

	"greentic.dev/wasm/canon"
)

// fsError is a case of wasi:filesystem error-code.
type fsError string

func (e fsError) Error() string { return string(e) }

const (
	errAccess        fsError = "access"
	errBadDescriptor fsError = "bad-descriptor"
	errBusy          fsError = "busy"
	errExist         fsError = "exist"
	errInvalid       fsError = "invalid"
	errIO            fsError = "io"
	errIsDirectory   fsError = "is-directory"
	errLoop          fsError = "loop"
	errNameTooLong   fsError = "name-too-long"
	errNoEntry       fsError = "no-entry"
	errNoMemory      fsError = "insufficient-memory"
	errNoSpace       fsError = "insufficient-space"
	errNotDirectory  fsError = "not-directory"
	errNotEmpty      fsError = "not-empty"
	errNotPermitted  fsError = "not-permitted"
	errOverflow      fsError = "overflow"
	errReadOnly      fsError = "read-only"
)

// codeOf is the error-code for an error of Config.Files; what it does not know is io.
func codeOf(err error) fsError {
	var code fsError
	switch {
	case errors.As(err, &code):
		return code
	case errors.Is(err, fs.ErrNotExist):
		return errNoEntry
	case errors.Is(err, fs.ErrPermission):
		return errAccess
	case errors.Is(err, fs.ErrInvalid):
		return errInvalid
	}
	return errIO
}

const maxPath = 4096 // bytes of a path

// checkPath refuses what is no path below a directory.
func checkPath(name string) error {
	switch {
	case name == "":
		return errNoEntry
	case len(name) > maxPath:
		return errNameTooLong
	case strings.ContainsRune(name, 0):
		return errInvalid
	case strings.HasPrefix(name, "/"):
		return errNotPermitted
	}
	return nil
}

// asset is a file or directory of Config.Files: a path fit for fs.FS. It holds no open file, so
// nothing leaks when a guest forgets it, and nothing of an invocation.
type asset struct {
	path string
	dir  bool
}

// resolve finds the path of name below a. Absolute names and names that leave a are not
// permitted; a name that goes through or ends as a directory must be one.
func (a asset) resolve(c *Call, name string) (string, error) {
	if !a.dir {
		return "", errNotDirectory
	}
	if err := checkPath(name); err != nil {
		return "", err
	}
	depth := 0
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return "", errNotPermitted
			}
		default:
			depth++
		}
	}
	p := path.Join(a.path, name)
	if !fs.ValidPath(p) {
		return "", errInvalid
	}
	if last := name[strings.LastIndexByte(name, '/')+1:]; last == "" || last == "." {
		info, err := fs.Stat(c.cfg.Files, p)
		if err != nil {
			return "", err
		}
		if !info.IsDir() {
			return "", errNotDirectory
		}
	}
	return p, nil
}

func (a asset) kind() string {
	if a.dir {
		return "directory"
	}
	return "regular-file"
}

func (a asset) rights() canon.Flags { return canon.Flags{"read"} }

func (a asset) again() (descriptor, error) { return a, nil }

func (a asset) find(c *Call, _ bool, name string) (object, error) {
	p, err := a.resolve(c, name)
	return asset{path: p}, err
}

// readlink finds no links, for the tree has none.
func (a asset) readlink(c *Call, name string) (string, error) {
	p, err := a.resolve(c, name)
	if err != nil {
		return "", err
	}
	if _, err := fs.Stat(c.cfg.Files, p); err != nil {
		return "", err
	}
	return "", errInvalid
}

func (a asset) stat(c *Call) (canon.Record, error) {
	info, err := fs.Stat(c.cfg.Files, a.path)
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
	return status(kindOf(info.Mode()), 1, size, canon.Option{}, modified, canon.Option{}), nil
}

// identity changes when the path, size or time does.
func (a asset) identity(c *Call) (string, error) {
	info, err := fs.Stat(c.cfg.Files, a.path)
	if err != nil {
		return "", err
	}
	return a.path + "\x00" + strconv.FormatInt(info.Size(), 10) + "\x00" + strconv.FormatInt(info.ModTime().UnixNano(), 10), nil
}

// open opens for reading. Whatever would change the tree answers read-only.
func (a asset) open(c *Call, how opening) (descriptor, error) {
	p, err := a.resolve(c, how.name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(c.cfg.Files, p)
	switch {
	case err != nil && how.create && codeOf(err) == errNoEntry:
		return nil, errReadOnly
	case err != nil:
		return nil, err
	case how.create && how.exclusive:
		return nil, errExist
	case how.directory && !info.IsDir():
		return nil, errNotDirectory
	case how.truncate || how.write || how.mutate:
		return nil, errReadOnly
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, errNotPermitted
	}
	return asset{path: p, dir: info.IsDir()}, nil
}

func (a asset) list(c *Call) ([]listed, error) {
	entries, err := fs.ReadDir(c.cfg.Files, a.path)
	if err != nil {
		return nil, err
	}
	list := make([]listed, len(entries))
	for i, e := range entries {
		list[i] = listed{kind: kindOf(e.Type()), name: e.Name()}
	}
	return list, nil
}

func (a asset) read(c *Call, n int, offset int64) ([]byte, bool, error) {
	return readAt(c.cfg.Files, a.path, n, offset)
}

// fileStream reads a file from an offset on.
type fileStream struct {
	from   descriptor
	offset int64
}

func (f *fileStream) Read(c *Call, n int, _ bool) ([]byte, error) {
	if _, ok := f.from.(asset); ok && c.cfg.Files == nil {
		return nil, io.EOF
	}
	b, end, err := f.from.read(c, n, f.offset)
	if err != nil {
		return nil, codeOf(err)
	}
	if len(b) == 0 && end {
		return nil, io.EOF
	}
	f.offset += int64(len(b))
	return b, nil
}

func (f *fileStream) Subscribe() Pollable { return moment(0) }

// Dropped gives up what the stream reads.
func (f *fileStream) Dropped() error {
	if o, ok := f.from.(*opened); ok {
		return o.Dropped()
	}
	return nil
}

// offsetOf is a file position of the guest.
func offsetOf(offset uint64) (int64, error) {
	if offset > math.MaxInt64 {
		return 0, errOverflow
	}
	return int64(offset), nil
}

// readAt reads up to n bytes at an offset and says whether the file ends there.
func readAt(files fs.FS, name string, n int, offset int64) ([]byte, bool, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || offset >= info.Size() {
		return nil, true, err
	}
	buf := make([]byte, min(int64(n), info.Size()-offset))
	var got int
	switch r := f.(type) {
	case io.ReaderAt:
		got, err = r.ReadAt(buf, offset)
	case io.Seeker:
		if _, err = r.Seek(offset, io.SeekStart); err == nil {
			got, err = io.ReadFull(f, buf)
		}
	default:
		if _, err = io.CopyN(io.Discard, f, offset); err == nil {
			got, err = io.ReadFull(f, buf)
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return buf[:got], true, nil
	}
	return buf[:got], offset+int64(got) == info.Size(), err
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

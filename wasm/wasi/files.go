package wasi

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"path"
	"strings"
)

// fsError is a case of wasi:filesystem error-code.
type fsError string

func (e fsError) Error() string { return string(e) }

const (
	errAccess        fsError = "access"
	errBadDescriptor fsError = "bad-descriptor"
	errExist         fsError = "exist"
	errInvalid       fsError = "invalid"
	errIO            fsError = "io"
	errIsDirectory   fsError = "is-directory"
	errNameTooLong   fsError = "name-too-long"
	errNoEntry       fsError = "no-entry"
	errNotDirectory  fsError = "not-directory"
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

// resolve finds the path of name below base. Absolute names and names that leave base are
// not permitted; a name that goes through or ends as a directory must be one.
func (c *call) resolve(base descriptor, name string) (string, error) {
	switch {
	case c.err != nil:
		return "", errInvalid
	case !base.dir:
		return "", errNotDirectory
	case name == "":
		return "", errNoEntry
	case len(name) > maxPath:
		return "", errNameTooLong
	case strings.ContainsRune(name, 0):
		return "", errInvalid
	case strings.HasPrefix(name, "/"):
		return "", errNotPermitted
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
	p := path.Join(base.path, name)
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

// fileStream reads a file from an offset on.
type fileStream struct {
	path   string
	offset int64
}

func (c *call) readViaStream() (any, error) {
	d, offset := self[descriptor](c, 0), arg[uint64](c, 1)
	switch {
	case d.dir:
		return nil, errIsDirectory
	case offset > math.MaxInt64:
		return nil, errOverflow
	}
	return own(&fileStream{path: d.path, offset: int64(offset)}), nil
}

func (f *fileStream) read(c *call, n int, _ bool) ([]byte, error) {
	if c.cfg.Files == nil {
		return nil, io.EOF
	}
	b, end, err := readAt(c.cfg.Files, f.path, n, f.offset)
	if err != nil {
		return nil, codeOf(err)
	}
	if len(b) == 0 && end {
		return nil, io.EOF
	}
	f.offset += int64(len(b))
	return b, nil
}

// readFile is descriptor.read: length, offset -> bytes and whether the end was reached.
func (c *call) readFile() (any, error) {
	d, length, offset := self[descriptor](c, 0), arg[uint64](c, 1), arg[uint64](c, 2)
	switch {
	case d.dir:
		return nil, errIsDirectory
	case offset > math.MaxInt64:
		return nil, errOverflow
	case c.err != nil || length == 0:
		return []any{[]byte{}, false}, nil
	}
	b, end, err := readAt(c.cfg.Files, d.path, int(min(length, maxRead)), int64(offset))
	if err != nil {
		return nil, err
	}
	return []any{b, end}, nil
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

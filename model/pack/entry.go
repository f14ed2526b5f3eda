package pack

import (
	"bytes"
	"compress/flate"
	"errors"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

const maxNameBytes = 1024

// entry is one file of the archive.
type entry struct {
	name   string
	flags  uint16
	method uint16
	crc    uint32
	packed int64 // bytes in the archive
	size   int64 // bytes when read
	offset int64
	raw    []byte // the bytes in the archive
}

// read returns the content, checked against size and checksum. Stored content is the archive's
// own bytes, so callers must not change what they get.
func (e *entry) read() ([]byte, error) {
	content := e.raw
	if e.method == methodDeflate {
		var err error
		if content, err = e.deflated(); err != nil {
			return nil, err
		}
	}
	if crc32.ChecksumIEEE(content) != e.crc {
		return nil, refuse("PACK_ZIP_CHECKSUM", e.name, "the content does not match its checksum")
	}
	return content, nil
}

// deflated inflates raw into exactly size bytes: a stream that holds more is a bomb or a trick.
func (e *entry) deflated() ([]byte, error) {
	in := bytes.NewReader(e.raw)
	stream := flate.NewReader(in)
	out := bytes.NewBuffer(make([]byte, 0, min(e.size, 8*e.packed+64)+bytes.MinRead))
	n, err := io.Copy(out, io.LimitReader(stream, e.size+1))
	switch {
	case n > e.size:
		return nil, refuse("PACK_ZIP_BOMB", e.name, "the file is larger than the %d bytes it declares", e.size)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, refuse("PACK_ZIP_TRUNCATED", e.name, "the compressed data is cut off")
	case err != nil:
		return nil, refuse("PACK_ZIP_CHECKSUM", e.name, "the compressed data is damaged: %v", err)
	case n < e.size:
		return nil, refuse("PACK_ZIP_MISMATCH", e.name, "the file has %d bytes and declares %d", n, e.size)
	case in.Len() > 0:
		return nil, refuse("PACK_ZIP_HIDDEN", e.name, "%d bytes follow the compressed data", in.Len())
	}
	return out.Bytes(), nil
}

// names collects entry names and refuses the ones a pack may not have.
type names struct {
	seen    map[string]bool // files
	folders map[string]bool
	folded  map[string]string // by lower case
}

func newNames() *names {
	return &names{seen: map[string]bool{}, folders: map[string]bool{}, folded: map[string]string{}}
}

func (n *names) add(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if n.seen[name] {
		return refuse("PACK_ZIP_DUPLICATE", name, "the name occurs twice")
	}
	if other, ok := n.folded[strings.ToLower(name)]; ok {
		return refuse("PACK_ZIP_DUPLICATE", name, "the name differs from %s only in case", printable(other))
	}
	if n.folders[name] {
		return refuse("PACK_ZIP_DUPLICATE", name, "the name is that of a file and of a folder")
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if n.seen[dir] {
			return refuse("PACK_ZIP_DUPLICATE", dir, "the name is that of a file and of a folder")
		}
		n.folders[dir] = true
	}
	n.seen[name], n.folded[strings.ToLower(name)] = true, name
	return nil
}

// checkName accepts clean relative slash-separated paths only.
func checkName(name string) error {
	switch {
	case name == "":
		return refuse("PACK_ZIP_NAME", "", "an entry has no name")
	case len(name) > maxNameBytes:
		return refuse("PACK_ZIP_NAME", name[:64], "the name is longer than %d bytes", maxNameBytes)
	case !utf8.ValidString(name):
		return refuse("PACK_ZIP_NAME", name, "the name is not UTF-8")
	case strings.HasSuffix(name, "/"):
		return refuse("PACK_ZIP_ENTRY_KIND", name, "the entry is a directory")
	case strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':':
		return refuse("PACK_ZIP_NAME", name, "the path is absolute")
	case strings.ContainsAny(name, "\\"):
		return refuse("PACK_ZIP_NAME", name, "the path has a backslash")
	}
	for _, r := range name {
		if r < 0x20 || r == 0x7f {
			return refuse("PACK_ZIP_NAME", name, "the name has control character %U", r)
		}
	}
	for _, segment := range strings.Split(name, "/") {
		switch segment {
		case "":
			return refuse("PACK_ZIP_NAME", name, "the path has an empty segment")
		case ".", "..":
			return refuse("PACK_ZIP_NAME", name, "the path has a segment %q", segment)
		}
	}
	return nil
}

// printable makes a hostile name safe for a terminal and a log.
func printable(name string) string {
	if q := strconv.QuoteToASCII(name); q[1:len(q)-1] != name {
		return q
	}
	return name
}

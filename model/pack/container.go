package pack

import (
	"encoding/binary"
	"slices"

	"greentic.dev/greentic/fault"
)

// The ZIP records we read (APPNOTE 4.3). Offsets are those of the fixed parts.
const (
	localMagic     = 0x04034b50
	centralMagic   = 0x02014b50
	endMagic       = 0x06054b50
	describerMagic = 0x08074b50
	zip64Magic     = 0x07064b50 // the zip64 locator, which would stand before the end record

	localSize   = 30
	centralSize = 46
	endSize     = 22

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	flagStrong     = 1 << 6
	flagMasked     = 1 << 13

	methodStored  = 0
	methodDeflate = 8
)

// container reads the entries of a ZIP strictly: every byte of the file belongs to exactly one
// local entry, the central directory or the end record, so no two readers can see different
// archives in it.
type container struct {
	b     []byte
	limit Options
}

// entries returns the entries in the order of the central directory.
func (c container) entries() ([]*entry, error) {
	b := c.b
	if len(b) < endSize {
		return nil, refuse("PACK_ZIP_TRUNCATED", "", "the file has %d bytes, too few for a ZIP archive", len(b))
	}
	end := b[len(b)-endSize:]
	if u32(end, 0) != endMagic {
		return nil, c.noEnd()
	}
	if u16(end, 20) != 0 {
		return nil, refuse("PACK_ZIP_TRUNCATED", "", "the end record announces a comment that is not there")
	}
	count, size, start := int(u16(end, 10)), int64(u32(end, 12)), int64(u32(end, 16))
	if u16(end, 4) != 0 || u16(end, 6) != 0 || int(u16(end, 8)) != count {
		return nil, unsupported("", "the archive is split over several volumes")
	}
	if count == 0xffff || size == 0xffffffff || start == 0xffffffff {
		return nil, unsupported("", "zip64 archives are not packs")
	}
	directoryEnd := int64(len(b) - endSize)
	if start+size != directoryEnd {
		return nil, refuse("PACK_ZIP_OVERLAP", "", "the central directory at %d with %d bytes does not end where the end record begins (%d)", start, size, directoryEnd)
	}
	if size >= 20 && u32(b[directoryEnd-20:], 0) == zip64Magic {
		return nil, unsupported("", "zip64 archives are not packs")
	}
	list, err := c.directory(b[start:directoryEnd], count)
	if err != nil {
		return nil, err
	}
	return list, c.locals(list, start)
}

// noEnd finds out why the file does not end in an end record.
func (c container) noEnd() error {
	b := c.b
	for i := len(b) - endSize - 1; i >= max(0, len(b)-endSize-0xffff-64); i-- {
		if u32(b[i:], 0) != endMagic {
			continue
		}
		if i+endSize+int(u16(b[i:], 20)) == len(b) {
			return refuse("PACK_ZIP_TRAILING", "", "the archive carries a comment of %d bytes; packs have none", u16(b[i:], 20))
		}
		return refuse("PACK_ZIP_TRAILING", "", "%d bytes follow the end of the archive", len(b)-i-endSize)
	}
	if len(b) >= 4 && u32(b, 0) == localMagic {
		return refuse("PACK_ZIP_TRUNCATED", "", "the archive is cut off: it has no end record")
	}
	return refuse("PACK_ZIP_TRUNCATED", "", "the file is not a ZIP archive")
}

// directory reads the central directory.
func (c container) directory(dir []byte, count int) ([]*entry, error) {
	var (
		list  []*entry
		total int64
		names = newNames()
	)
	for len(dir) > 0 {
		if len(dir) < centralSize || u32(dir, 0) != centralMagic {
			return nil, refuse("PACK_ZIP_MISMATCH", "", "the central directory is damaged after %d entries", len(list))
		}
		nameLen, extraLen, commentLen := int(u16(dir, 28)), int(u16(dir, 30)), int(u16(dir, 32))
		next := centralSize + nameLen + extraLen + commentLen
		if next > len(dir) {
			return nil, refuse("PACK_ZIP_TRUNCATED", "", "the central directory is cut off after %d entries", len(list))
		}
		e := &entry{
			name: string(dir[centralSize : centralSize+nameLen]), flags: u16(dir, 8), method: u16(dir, 10),
			crc: u32(dir, 16), packed: int64(u32(dir, 20)), size: int64(u32(dir, 24)), offset: int64(u32(dir, 42)),
		}
		if err := c.checkEntry(e, dir); err != nil {
			return nil, err
		}
		if err := names.add(e.name); err != nil {
			return nil, err
		}
		if total += e.size; total > c.limit.MaxTotal {
			return nil, refuse("PACK_TOO_LARGE", e.name, "the files up to this one add up to more than %d bytes", c.limit.MaxTotal).
				WithFix("raise limits.pack_mib in greentic.yaml if you trust where the pack comes from")
		}
		list = append(list, e)
		dir = dir[next:]
	}
	if len(list) != count {
		return nil, refuse("PACK_ZIP_MISMATCH", "", "the end record announces %d entries, the central directory has %d", count, len(list))
	}
	return list, nil
}

// checkEntry refuses what a pack entry may not be; h is its central header.
func (c container) checkEntry(e *entry, h []byte) error {
	switch {
	case e.flags&(flagEncrypted|flagStrong|flagMasked) != 0:
		return unsupported(e.name, "the entry is encrypted")
	case e.method != methodStored && e.method != methodDeflate:
		return unsupported(e.name, "compression method %d; packs are stored or deflated", e.method)
	case u16(h, 34) != 0:
		return unsupported(e.name, "the entry lies on another volume")
	case e.size == 0xffffffff || e.packed == 0xffffffff || e.offset == 0xffffffff:
		return unsupported(e.name, "zip64 entries are not supported")
	case e.method == methodStored && e.size != e.packed:
		return refuse("PACK_ZIP_MISMATCH", e.name, "the stored entry has %d bytes and claims %d", e.packed, e.size)
	case e.size > c.limit.MaxFile:
		return refuse("PACK_TOO_LARGE", e.name, "the file has %d bytes, more than %d", e.size, c.limit.MaxFile).
			WithFix("raise limits.file_mib in greentic.yaml if you trust where the pack comes from")
	}
	if mode := u32(h, 38) >> 16; u16(h, 4)>>8 == 3 && mode&0xf000 != 0 && mode&0xf000 != 0x8000 {
		return refuse("PACK_ZIP_ENTRY_KIND", e.name, "the entry is no regular file (mode %o)", mode)
	}
	if attrs := u32(h, 38); attrs&0x10 != 0 {
		return refuse("PACK_ZIP_ENTRY_KIND", e.name, "the entry is a directory")
	}
	return nil
}

// locals checks that the local entries fill the file up to the central directory, without
// gap or overlap, and say what the central directory says.
func (c container) locals(list []*entry, end int64) error {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b *entry) int { return int(a.offset - b.offset) })
	at := int64(0)
	for _, e := range sorted {
		if e.offset < at {
			return refuse("PACK_ZIP_OVERLAP", e.name, "the entry at %d overlaps the one before, which ends at %d", e.offset, at)
		}
		if e.offset > at {
			return refuse("PACK_ZIP_HIDDEN", e.name, "%d bytes before the entry belong to no file", e.offset-at)
		}
		next, err := c.local(e, end)
		if err != nil {
			return err
		}
		at = next
	}
	if at != end {
		return refuse("PACK_ZIP_HIDDEN", "", "%d bytes before the central directory belong to no file", end-at)
	}
	return nil
}

// local compares the local header of e with its central one and takes the data; it returns
// where the entry ends.
func (c container) local(e *entry, end int64) (int64, error) {
	h := c.b[e.offset:end]
	if len(h) < localSize || u32(h, 0) != localMagic {
		return 0, refuse("PACK_ZIP_MISMATCH", e.name, "no local entry at offset %d", e.offset)
	}
	data := int64(localSize) + int64(u16(h, 26)) + int64(u16(h, 28))
	if data+e.packed > int64(len(h)) {
		return 0, refuse("PACK_ZIP_TRUNCATED", e.name, "the entry reaches into the central directory")
	}
	name := string(h[localSize : localSize+int(u16(h, 26))])
	if name != e.name {
		return 0, refuse("PACK_ZIP_MISMATCH", e.name, "the local entry is called %q", name)
	}
	if u16(h, 6)&^flagUTF8 != e.flags&^flagUTF8 || u16(h, 8) != e.method {
		return 0, refuse("PACK_ZIP_MISMATCH", e.name, "local and central entry differ in flags or method")
	}
	e.raw = h[data : data+e.packed]
	after := data + e.packed
	crc, packed, size := u32(h, 14), int64(u32(h, 18)), int64(u32(h, 22))
	if e.flags&flagDescriptor != 0 {
		if crc|uint32(packed)|uint32(size) != 0 && (crc != e.crc || packed != e.packed || size != e.size) {
			return 0, refuse("PACK_ZIP_MISMATCH", e.name, "local and central entry differ in size or checksum")
		}
		d := h[after:]
		if len(d) >= 16 && u32(d, 0) == describerMagic {
			d, after = d[4:], after+4
		}
		if len(d) < 12 {
			return 0, refuse("PACK_ZIP_TRUNCATED", e.name, "the data descriptor is missing")
		}
		crc, packed, size = u32(d, 0), int64(u32(d, 4)), int64(u32(d, 8))
		after += 12
	}
	if crc != e.crc || packed != e.packed || size != e.size {
		return 0, refuse("PACK_ZIP_MISMATCH", e.name, "local and central entry differ in size or checksum")
	}
	return e.offset + after, nil
}

func u16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

// refuse is a fault.Invalid with a code, naming the entry.
func refuse(code, entry, format string, args ...any) *fault.Error {
	op := "pack open"
	if entry != "" {
		op += " " + printable(entry)
	}
	return fault.Newf(fault.Invalid, op, format, args...).WithCode(code)
}

// unsupported is refuse for what is well-formed ZIP and yet no pack.
func unsupported(entry, format string, args ...any) *fault.Error {
	err := refuse("PACK_ZIP_UNSUPPORTED", entry, format, args...)
	err.Kind = fault.Unsupported
	return err
}

package canon

// transcode writes a string that a guest of another encoding passed. A guest sees which room is
// asked for and in which order, so the steps are those of the specification. It starts with the
// room that short characters need, changes to the worst case at the first long one, and gives
// back what is left. A string that its guest tagged as UTF-16 although it is all Latin-1 is taken
// for Latin-1.
func (l *lowerer) transcode(s string, from, to Encoding) (ptr, units uint32, err error) {
	n, latin1 := measure16(s)
	switch {
	case to == UTF8 && from == CompactUTF16 && latin1:
		return l.toUTF8(s, n, 2)
	case to == UTF8:
		return l.toUTF8(s, n, 3)
	case to == UTF16 && from == UTF8:
		return l.toUTF16(s, n)
	case to == CompactUTF16 && from == UTF8:
		return l.toCompact(s, len(s), n)
	case to == CompactUTF16 && from == UTF16:
		return l.toCompact(s, n, n)
	}
	return l.copied(s, to)
}

// toUTF8 is store_string_to_utf8 of the specification: units are those of the source, each of
// which takes at most factor bytes.
func (l *lowerer) toUTF8(s string, units, factor int) (ptr, length uint32, err error) {
	if err := l.env.charge(uint64(len(s))); err != nil {
		return 0, 0, err
	}
	if ptr, err = l.realloc(0, 0, 1, uint64(units)); err != nil {
		return 0, 0, err
	}
	ascii := 0
	for ascii < len(s) && s[ascii] < 0x80 {
		ascii++
	}
	copy(l.mem[ptr:], s[:ascii])
	if ascii == len(s) {
		return ptr, uint32(len(s)), nil
	}
	worst := uint64(units) * uint64(factor)
	if ptr, err = l.realloc(ptr, uint64(units), 1, worst); err != nil {
		return 0, 0, err
	}
	copy(l.mem[ptr+uint32(ascii):], s[ascii:])
	ptr, err = l.shrink(ptr, worst, 1, len(s))
	return ptr, uint32(len(s)), err
}

// toUTF16 is store_utf8_to_utf16 of the specification; n is the length in code units.
func (l *lowerer) toUTF16(s string, n int) (ptr, units uint32, err error) {
	worst := 2 * uint64(len(s))
	if err := l.env.charge(2 * uint64(n)); err != nil {
		return 0, 0, err
	}
	if ptr, err = l.realloc(0, 0, 2, worst); err != nil {
		return 0, 0, err
	}
	l.put16(ptr, s)
	ptr, err = l.shrink(ptr, worst, 2, 2*n)
	return ptr, uint32(n), err
}

// toCompact is store_string_to_latin1_or_utf16 of the specification: units are those of the
// source, n are those in UTF-16.
func (l *lowerer) toCompact(s string, units, n int) (ptr, tagged uint32, err error) {
	if err := l.env.charge(uint64(max(n, units))); err != nil {
		return 0, 0, err
	}
	if ptr, err = l.realloc(0, 0, 2, uint64(units)); err != nil {
		return 0, 0, err
	}
	latin1 := 0
	for i, r := range s {
		if r > 0xff {
			return l.inflate(ptr, uint64(units), latin1, s[i:], n)
		}
		l.mem[ptr+uint32(latin1)] = byte(r)
		latin1++
	}
	ptr, err = l.shrink(ptr, uint64(units), 2, latin1)
	return ptr, uint32(latin1), err
}

// inflate goes on in UTF-16 after so many characters in Latin-1; rest is what follows them.
func (l *lowerer) inflate(ptr uint32, units uint64, latin1 int, rest string, n int) (uint32, uint32, error) {
	ptr, err := l.realloc(ptr, units, 2, 2*units)
	if err != nil {
		return 0, 0, err
	}
	for j := latin1 - 1; j >= 0; j-- {
		l.put(ptr+2*uint32(j), 2, uint64(l.mem[ptr+uint32(j)]))
	}
	l.put16(ptr+2*uint32(latin1), rest)
	ptr, err = l.shrink(ptr, 2*units, 2, 2*n)
	return ptr, uint32(n) | utf16Tag, err
}

// shrink gives back what is more than size.
func (l *lowerer) shrink(ptr uint32, has uint64, align uint32, size int) (uint32, error) {
	if has <= uint64(size) {
		return ptr, nil
	}
	return l.realloc(ptr, has, align, uint64(size))
}

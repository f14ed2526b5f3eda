package link

import (
	"encoding/binary"

	wb "greentic.dev/wasm/binary"
)

func scan(code []byte) (m *module, err error) {
	defer func() {
		if recover() != nil {
			err = invalid("core module is malformed")
		}
	}()
	m = &module{parsed: code, exports: map[string]coreItem{}}
	pos := 8
	u := func() int {
		v, n := binary.Uvarint(code[pos:])
		pos += n
		return int(v)
	}
	str := func() string { n := u(); pos += n; return string(code[pos-n : pos]) }
	type sig struct{ p, r []byte }
	var types []sig
	var spaces [4][]coreItem
	limits := func() {
		if f := u(); f&1 != 0 {
			u()
		}
		u()
	}
	ext := func(sort wb.CoreSort) coreItem {
		it := coreItem{sort: sort}
		switch sort {
		case wb.CoreFunc:
			t := types[u()]
			it.params, it.result = t.p, t.r
		case wb.CoreTable:
			pos++
			limits()
		case wb.CoreMemory:
			limits()
		case wb.CoreGlobal:
			pos += 2
		}
		spaces[sort] = append(spaces[sort], it)
		return it
	}
	for pos < len(code) {
		id := code[pos]
		pos++
		size := u()
		end := pos + size
		switch id {
		case 1:
			for n := u(); n > 0; n-- {
				pos++
				var s sig
				k := u()
				s.p = code[pos : pos+k]
				pos += k
				k = u()
				s.r = code[pos : pos+k]
				pos += k
				types = append(types, s)
			}
		case 2:
			for n := u(); n > 0; n-- {
				mod, name := str(), str()
				s := wb.CoreSort(code[pos])
				pos++
				it := ext(s)
				it.name = name
				m.imports = append(m.imports, coreImport{mod, it})
			}
		case 3:
			for n := u(); n > 0; n-- {
				t := types[u()]
				spaces[0] = append(spaces[0], coreItem{params: t.p, result: t.r})
			}
		case 4:
			for n := u(); n > 0; n-- {
				spaces[1] = append(spaces[1], coreItem{sort: wb.CoreTable})
			}
		case 5:
			for n := u(); n > 0; n-- {
				spaces[2] = append(spaces[2], coreItem{sort: wb.CoreMemory})
			}
		case 6:
			for n := u(); n > 0; n-- {
				spaces[3] = append(spaces[3], coreItem{sort: wb.CoreGlobal})
			}
		case 7:
			for n := u(); n > 0; n-- {
				name := str()
				s := wb.CoreSort(code[pos])
				pos++
				it := spaces[s][u()]
				it.name = name
				m.exports[name] = it
			}
		}
		pos = end
	}
	return m, nil
}

func (p *planner) module(c *wb.CoreModule) (*module, error) {
	if m := p.modules[c]; m != nil {
		return m, nil
	}
	m, err := scan(c.Code)
	p.modules[c] = m
	return m, err
}

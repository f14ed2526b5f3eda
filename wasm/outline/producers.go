package outline

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	component "greentic.dev/wasm/binary"
)

// Producer is a tool or language that took part in making a component (tool conventions,
// "Producers Section").
type Producer struct {
	Field   string `json:"field"` // language, processed-by or sdk
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

const producersSection = "producers"

// Producers merges what the component, the components nested in it and their core modules say
// about who made them: by field, name and version, each once. Sections that are malformed say
// nothing.
func (o *Outline) Producers() []Producer {
	var list []Producer
	var all func(c *component.Component)
	all = func(c *component.Component) {
		for _, s := range c.Custom {
			if s.Name == producersSection {
				list = append(list, producers(s.Data)...)
			}
		}
		for i := range c.Defs {
			switch d := &c.Defs[i]; {
			case d.Component != nil:
				all(d.Component)
			case d.CoreModule != nil:
				sections(d.CoreModule.Code, func(id byte, name string, body []byte) {
					if id == 0 && name == producersSection {
						list = append(list, producers(body)...)
					}
				})
			}
		}
	}
	all(o.decoded)
	slices.SortFunc(list, func(a, b Producer) int {
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return slices.Compact(list)
}

// producers reads a section: fields, each with names and versions.
func producers(b []byte) (list []Producer) {
	c := cursor{b, true}
	for n := c.u32(); n > 0 && c.ok; n-- {
		field := c.name()
		for m := c.u32(); m > 0 && c.ok; m-- {
			p := Producer{Field: field, Name: c.name(), Version: c.name()}
			if c.ok {
				list = append(list, p)
			}
		}
	}
	return list
}

// sections visits the sections of a core module that was parsed before; for a custom section
// body is what follows its name.
func sections(code []byte, visit func(id byte, name string, body []byte)) {
	c := cursor{code, true}
	c.take(8)
	for c.ok && len(c.rest) > 0 {
		id := c.take(1)
		body := c.take(int(c.u32()))
		if !c.ok {
			return
		}
		name := ""
		if id[0] == 0 {
			in := cursor{body, true}
			name = in.name()
			body = in.rest
		}
		visit(id[0], name, body)
	}
}

func isDebug(section string) bool {
	return strings.HasPrefix(section, ".debug_") || section == "sourceMappingURL" || section == "external_debug_info"
}

// cursor reads bytes; after the first failure it is not ok and gives nothing.
type cursor struct {
	rest []byte
	ok   bool
}

func (c *cursor) take(n int) []byte {
	if !c.ok || n < 0 || n > len(c.rest) {
		c.ok = false
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) u32() uint32 {
	v, n := binary.Uvarint(c.rest)
	if !c.ok || n <= 0 || n > 5 || v > 1<<32-1 {
		c.ok = false
		return 0
	}
	c.rest = c.rest[n:]
	return uint32(v)
}

func (c *cursor) name() string {
	b := c.take(int(c.u32()))
	c.ok = c.ok && utf8.Valid(b)
	return string(b)
}

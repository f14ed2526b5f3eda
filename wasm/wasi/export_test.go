package wasi

import (
	"fmt"
	"reflect"
)

// Check says where the books of the scratch directory are wrong or over its limits.
func (s *State) Check() error {
	if s.scratch == nil {
		return nil
	}
	bytes, entries := int64(0), 0
	seen := map[*node]bool{}
	var walk func(n *node)
	walk = func(n *node) {
		if !seen[n] {
			bytes += n.data.size + int64(len(n.target))
		}
		seen[n] = true
		for _, child := range n.entries {
			entries++
			walk(child)
		}
	}
	walk(s.scratch.root)
	switch t := s.scratch; {
	case t.bytes < bytes || t.bytes > bytes && t.open == 0:
		return fmt.Errorf("%d bytes counted, %d there, %d open", t.bytes, bytes, t.open)
	case t.entries != entries:
		return fmt.Errorf("%d entries counted, %d there", t.entries, entries)
	case t.bytes > t.limit.Bytes || t.entries > t.limit.Entries || t.open > t.limit.Open:
		return fmt.Errorf("%d bytes, %d entries, %d open; the limits are %+v", t.bytes, t.entries, t.open, t.limit)
	case s.listed < 0 || s.listed > maxListed:
		return fmt.Errorf("%d entries listed", s.listed)
	}
	return nil
}

// Left is what is still open when a guest dropped everything.
func (s *State) Left() string {
	left := fmt.Sprintf("listed %d", s.listed)
	if s.scratch != nil {
		left += fmt.Sprintf(", open %d", s.scratch.open)
	}
	return left
}

// Counted is a number that another package keeps for the invocation, by the name of its field.
func (s *State) Counted(name string) int64 {
	s.wire.Lock()
	defer s.wire.Unlock()
	for _, p := range s.parts {
		if f := reflect.ValueOf(p).Elem().FieldByName(name); f.IsValid() {
			return f.Int()
		}
	}
	return 0
}

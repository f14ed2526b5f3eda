package sqlite

import "sync"

// absent is the number of a scope that nothing was ever written to: no row has it.
const absent = -1

// scopes remembers the numbers of committed scopes, which never change.
type scopes struct{ known sync.Map } // name string -> int64

// find is the number of a scope, or absent, in the open transaction of s.
func (n *scopes) find(s *statements, name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	if id, ok := n.known.Load(name); ok {
		return id.(int64), nil
	}
	id, found, err := s.scope(name)
	if err != nil || !found {
		return absent, err
	}
	return id, nil
}

// remember is called when the transaction that read or wrote id has been committed.
func (n *scopes) remember(name string, id int64) {
	if _, known := n.known.Load(name); !known && id > 0 {
		n.known.Store(name, id)
	}
}

package sqlite

import (
	"math"
	"sync"
)

// recent is what was committed and is not in the table of keys yet. The writer changes it; views
// look into it at the same time, each as of its beginning.
type recent struct {
	mu      sync.RWMutex
	current *generation
	older   *generation // on its way into the table; nil when there is none
	commit  uint64      // the newest
	moved   uint64      // generations that have arrived in the table
	views   int         // under way

	changes []change // of the commit in the making
}

// change is a cell that the commit in the making has put, and what was there before.
type change struct {
	node *node
	was  *cell
	made bool // the node is new
}

func newRecent() *recent { return &recent{current: newGeneration()} }

// snapshot is the generations as of a commit.
type snapshot struct {
	*recent
	current, older *generation
	commit         uint64
}

// newest is a snapshot for the writer, which sees what it is about to commit.
func (r *recent) newest() snapshot { return snapshot{r, r.current, r.older, math.MaxUint64} }

// view is a snapshot that stays as it is until done. It fits a state of the table that was read
// before, if no generation has arrived there in the meantime.
func (r *recent) view() (s snapshot, moved uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.views++
	return snapshot{r, r.current, r.older, r.commit}, r.moved
}

func (s snapshot) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views--
}

// arrived is how many generations have arrived in the table.
func (r *recent) arrived() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.moved
}

// find is the newest cell of a key; nil when the table has to be asked.
func (s snapshot) find(at id) *cell {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.in(s.current.nodes[at]); c != nil || s.older == nil {
		return c
	}
	return s.in(s.older.nodes[at])
}

// in is the cell of a node as of the snapshot.
func (s snapshot) in(n *node) *cell {
	if n == nil {
		return nil
	}
	c := n.cell
	for c != nil && c.commit > s.commit {
		c = c.before
	}
	return c
}

// merge lays the cells of a range over the rows of the table in it, until there are n pairs.
func (s snapshot) merge(from id, to string, rows []pair, n int, now int64) (list []pair) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	inside := func(n *node) bool { return n != nil && n.scope == from.scope && (to == "" || n.key < to) }
	a, b := s.current.seek(from, nil), (*node)(nil)
	if s.older != nil {
		b = s.older.seek(from, nil)
	}
	for len(list) < n {
		key, found := "", false
		for _, x := range [...]*node{a, b} {
			if inside(x) && (!found || x.key < key) {
				key, found = x.key, true
			}
		}
		if len(rows) > 0 && (!found || rows[0].key <= key) {
			key, found = rows[0].key, true
		}
		if !found {
			break
		}
		var c *cell
		if inside(a) && a.key == key {
			c, a = s.in(a), a.next[0]
		}
		if inside(b) && b.key == key {
			if c == nil {
				c = s.in(b)
			}
			b = b.next[0]
		}
		switch {
		case c != nil && c.alive(now):
			list = append(list, pair{key, append([]byte{}, c.value...)})
		case c == nil && len(rows) > 0 && rows[0].key == key:
			list = append(list, rows[0])
		}
		if len(rows) > 0 && rows[0].key == key {
			rows = rows[1:]
		}
	}
	return list
}

// put adds a cell to the commit in the making.
func (r *recent) put(at id, value []byte, e expiry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, old := r.current.nodes[at]
	if !old {
		n = r.current.add(at)
	}
	r.changes = append(r.changes, change{n, n.cell, !old})
	n.cell = &cell{r.commit + 1, value, e, n.cell}
}

// undo takes back the changes from number n on.
func (r *recent) undo(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.changes) - 1; i >= n; i-- {
		c := r.changes[i]
		if c.node.cell = c.was; c.made {
			r.current.remove(c.node)
		}
	}
	r.changes = r.changes[:n]
}

// publish ends the commit in the making, which row of the log holds. A deletion of what neither
// an older generation nor, as absent says, the table has leaves nothing.
func (r *recent) publish(row int64, absent func(id) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commit++
	r.current.last = row
	for _, c := range r.changes {
		r.current.bytes += len(c.node.key) + len(c.node.cell.value)
		if r.views > 0 {
			continue
		}
		if c.node.cell.before = nil; c.node.cell.value != nil || !absent(c.node.id) || r.current.nodes[c.node.id] != c.node {
			continue
		}
		if r.older == nil || r.older.nodes[c.node.id] == nil {
			r.current.remove(c.node)
		}
	}
	r.changes = r.changes[:0]
}

// freeze begins the next generation; the current one becomes the older.
func (r *recent) freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.older, r.current = r.current, newGeneration()
}

// forget drops the older generation, all of which is in the table.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.older = nil
	r.moved++
}

package sqlite

import "strings"

// writer is the connection that writes, with what it knows of the file, which nobody else changes.
type writer struct {
	*statements
	recent             *recent
	begun              bool // a transaction is open
	lastRow, lastScope int64
	fresh              map[string]int64 // scopes of the commit in the making
	kept               map[id]*cell     // rows of the table that were read
	filled             map[segment]bool // whether the table had rows in a segment when a generation arrived last
	waiting            []*node          // of the older generation, not yet moved; the last comes first
	all                int              // that have waited
	buffer             []byte
	most               int // keys of a generation
}

// maxKept bounds the rows kept in memory.
const maxKept = 4096

func newWriter(s *statements) (*writer, error) {
	w := &writer{statements: s, recent: newRecent(), fresh: map[string]int64{}, kept: map[id]*cell{}, filled: map[segment]bool{}, most: generationKeys}
	var err error
	if w.lastScope, err = s.number("SELECT coalesce(max(id), 0) FROM scopes"); err != nil {
		return nil, err
	}
	if err = w.replay(); err == nil {
		err = w.end(w.rollback) // of what it had to read
	}
	return w, err
}

// open begins the transaction of a batch when something is to be read or written.
func (w *writer) open() error {
	if w.begun {
		return nil
	}
	err := w.run(w.begin)
	w.begun = err == nil
	return err
}

// end ends the transaction of a batch, if there is one.
func (w *writer) end(statement uintptr) error {
	if !w.begun {
		return nil
	}
	err := w.run(statement)
	w.begun = err != nil && statement == w.commit
	return err
}

// table is where a reader finds what is not recent.
type table interface {
	cell(at id, now int64) (*cell, error) // nil: there is none
	pairs(scope int64, from, to string, now int64, n int) ([]pair, error)
}

// cell is that of statements, for what is not known.
func (w *writer) cell(at id, now int64) (*cell, error) {
	if c := w.kept[at]; c != nil {
		return c, nil
	}
	if w.absent(at) {
		return nil, nil
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	c, err := w.statements.cell(at, now)
	if c != nil {
		if len(w.kept) >= maxKept {
			clear(w.kept)
		}
		w.kept[at] = c
	}
	return c, err
}

// pairs is that of statements, where the table is not known to be empty.
func (w *writer) pairs(scope int64, from, to string, now int64, n int) ([]pair, error) {
	if s, ok := segmentOf(id{scope, from}); ok && to != "" && to <= s.end() && w.empty(s) {
		return nil, nil
	}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w.statements.pairs(scope, from, to, now, n)
}

// segment is the keys of a scope that begin alike, up to the first '/'.
type segment id

func segmentOf(at id) (segment, bool) {
	i := strings.IndexByte(at.key, '/')
	return segment{at.scope, at.key[:i+1]}, i >= 0
}

// end is the least key behind the segment.
func (s segment) end() string { return s.key[:len(s.key)-1] + "0" } // it comes after '/'

// empty says that the table has no row in a segment: entries of the inbox and the outbox seldom get
// there, and so what is not there need not be looked for.
func (w *writer) empty(s segment) bool {
	filled, known := w.filled[s]
	if !known {
		filled = w.open() != nil || w.any(s) // not known after an error, which the next statement meets too
		w.filled[s] = filled
	}
	return !filled
}

// absent says that the table is known to have no row with a key.
func (w *writer) absent(at id) bool {
	s, ok := segmentOf(at)
	return ok && w.empty(s)
}

// put adds a cell to the commit in the making; what was known of the row of the key is so no more.
func (w *writer) put(at id, value []byte, e expiry) {
	delete(w.kept, at)
	w.recent.put(at, value, e)
}

// number is the number of a scope that has none.
func (w *writer) number(name string) int64 {
	w.lastScope++
	w.fresh[name] = w.lastScope
	return w.lastScope
}

// record writes the commit in the making into the log. With move the rows that it deletes leave the
// table too, and what is older gets there.
func (w *writer) record(move bool, now int64) error {
	for name, number := range w.fresh {
		if err := w.nameScope(number, name); err != nil {
			return err
		}
	}
	if err := w.log(); err != nil || !move {
		return err
	}
	for _, c := range w.recent.changes {
		if c.node.cell.value == nil && !w.absent(c.node.id) {
			if err := w.remove(c.node.scope, c.node.key); err != nil {
				return err
			}
		}
	}
	return w.move(w.pace(), now)
}

// Moving from the log into the table: a generation that has so many keys or bytes is followed by the next,
// and while that fills, each commit takes some of it along.
const (
	generationKeys  = 4096
	generationBytes = 4 << 20
)

// freeze begins a new generation if it is time, or, for a store at rest, if there is anything in this one.
func (w *writer) freeze(rest bool) {
	g := w.recent.current
	if w.recent.older != nil || g.last == 0 || !rest && len(g.nodes) < w.most && g.bytes < generationBytes {
		return
	}
	w.recent.freeze()
	w.waiting = make([]*node, 0, len(g.nodes))
	for n := g.head.next[0]; n != nil; n = n.next[0] {
		w.waiting = append(w.waiting, n)
	}
	w.all = len(w.waiting)
}

// pace is how many keys are to be moved now so that none is left when the current generation is full.
func (w *writer) pace() int {
	g := w.recent.current
	full := max(float64(len(g.nodes))/float64(w.most), float64(g.bytes)/generationBytes)
	return len(w.waiting) - int(float64(w.all)*(1-min(full, 1)))
}

// move takes n keys of the older generation into the table, from the last on: those that come
// first, the marks and the inbox, are the most likely to be gone meanwhile.
func (w *writer) move(n int, now int64) (err error) {
	older := w.recent.older
	if older == nil {
		return nil
	}
	for ; n > 0 && len(w.waiting) > 0; w.waiting, n = w.waiting[:len(w.waiting)-1], n-1 {
		at := w.waiting[len(w.waiting)-1]
		if w.recent.current.nodes[at.id] != nil {
			continue // written anew, and to be moved with that generation
		}
		switch c := at.cell; {
		case c.alive(now):
			err = w.store(at.scope, at.key, c.value, c.expiry)
		case !w.absent(at.id):
			err = w.remove(at.scope, at.key)
		}
		if err != nil {
			return err
		}
	}
	if len(w.waiting) == 0 {
		return w.dropLog(older.last)
	}
	return nil
}

// arrive ends what move has done, when that is committed.
func (w *writer) arrive() {
	if w.recent.older != nil && len(w.waiting) == 0 {
		w.recent.forget()
		clear(w.filled)
	}
}

package sqlite

import "strings"

// id is a key in its scope.
type id struct {
	scope int64
	key   string
}

// compare orders ids as the table of keys does.
func (a id) compare(b id) int {
	switch {
	case a.scope < b.scope:
		return -1
	case a.scope > b.scope:
		return 1
	}
	return strings.Compare(a.key, b.key)
}

// cell is what a commit has left under a key. It never changes, but for before.
type cell struct {
	commit uint64
	value  []byte // nil: deleted
	expiry
	before *cell // what it replaced; kept for views that began earlier
}

func (c *cell) alive(now int64) bool { return c.value != nil && (c.at == 0 || c.at > now) }

// height is enough for the keys of a generation: one in four stands on the next level too.
const height = 8

// node is a key of a generation.
type node struct {
	id
	cell *cell
	next [height]*node
}

// generation is keys that were written at about the same time: a map and, for scans, a skip list.
type generation struct {
	nodes  map[id]*node
	head   node
	bytes  int   // of keys and values written
	last   int64 // newest row of the log
	random uint32
}

func newGeneration() *generation { return &generation{nodes: map[id]*node{}, random: 1} }

// seek is the first node not before at; path, which may be nil, gets those in front of it.
func (g *generation) seek(at id, path *[height]*node) *node {
	n := &g.head
	for level := height - 1; level >= 0; level-- {
		for n.next[level] != nil && n.next[level].compare(at) < 0 {
			n = n.next[level]
		}
		if path != nil {
			path[level] = n
		}
	}
	return n.next[0]
}

// add makes the node of a key that has none.
func (g *generation) add(at id) *node {
	var path [height]*node
	g.seek(at, &path)
	n := &node{id: at}
	g.random ^= g.random << 13 // xorshift
	g.random ^= g.random >> 17
	g.random ^= g.random << 5
	for level, r := 0, g.random; level < height; level, r = level+1, r>>2 {
		n.next[level], path[level].next[level] = path[level].next[level], n
		if r&3 != 0 {
			break
		}
	}
	g.nodes[at] = n
	return n
}

func (g *generation) remove(n *node) {
	var path [height]*node
	g.seek(n.id, &path)
	for level := range path {
		if path[level].next[level] == n {
			path[level].next[level] = n.next[level]
		}
	}
	delete(g.nodes, n.id)
}

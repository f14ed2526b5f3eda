package batch

import (
	"maps"
	"slices"
	"sort"
)

// layer is writes on top of a state, found by key and by range.
type layer struct {
	writes map[ID]Write
	keys   map[string][]string // those of each scope, sorted
	bytes  int                 // of all keys and values; a key written twice counts twice
}

func newLayer() layer { return layer{map[ID]Write{}, map[string][]string{}, 0} }

func (l *layer) put(w Write) {
	if _, ok := l.writes[w.ID]; !ok {
		keys := l.keys[w.Scope]
		i := sort.SearchStrings(keys, w.Key)
		l.keys[w.Scope] = slices.Insert(keys, i, w.Key)
	}
	l.writes[w.ID] = w
	l.bytes += len(w.Key) + len(w.Value)
}

// between is the keys written in [from, to); the caller must not change it.
func (l *layer) between(scope, from, to string) []string {
	keys := l.keys[scope]
	keys = keys[sort.SearchStrings(keys, from):]
	if to != "" {
		keys = keys[:sort.SearchStrings(keys, to)]
	}
	return keys
}

// list is all writes in an order that is the same each time, so that two servers' processes
// that write the same keys do so in the same order.
func (l *layer) list() []Write {
	all := make([]Write, 0, len(l.writes))
	for _, scope := range slices.Sorted(maps.Keys(l.keys)) {
		for _, key := range l.keys[scope] {
			all = append(all, l.writes[ID{scope, key}])
		}
	}
	return all
}

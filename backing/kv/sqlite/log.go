package sqlite

import (
	"encoding/binary"

	"greentic.dev/greentic/fault"
)

// logRow is about how much one row of the log holds; a larger commit has several.
const logRow = 1 << 20

// encode appends a cell to a row of the log: scope, length of the key, key; 0 for a deletion, or the length of
// the value and one, value, expiry and how much earlier it may be.
func encode(b []byte, at id, c *cell) []byte {
	b = binary.AppendUvarint(b, uint64(at.scope))
	b = append(binary.AppendUvarint(b, uint64(len(at.key))), at.key...)
	if c.value == nil {
		return append(b, 0)
	}
	b = append(binary.AppendUvarint(b, uint64(len(c.value))+1), c.value...)
	b = binary.AppendUvarint(b, uint64(c.at))
	return binary.AppendUvarint(b, uint64(c.at-c.early))
}

// decode calls put for the cells of a row.
func decode(raw []byte, put func(at id, value []byte, e expiry)) error {
	short := false
	number := func() uint64 {
		n, used := binary.Uvarint(raw)
		if used <= 0 {
			short = true
			return 0
		}
		raw = raw[used:]
		return n
	}
	take := func(n uint64) []byte {
		if n > uint64(len(raw)) {
			short = true
			return nil
		}
		part := raw[:n:n]
		raw = raw[n:]
		return part
	}
	for len(raw) > 0 && !short {
		at := id{scope: int64(number())}
		at.key = string(take(number()))
		var value []byte
		var e expiry
		if n := number(); n > 0 && !short {
			value = append([]byte{}, take(n-1)...)
			e.at = int64(number())
			e.early = e.at - int64(number())
		}
		if !short {
			put(at, value, e)
		}
	}
	if short {
		return fault.New(fault.Unavailable, "kv", "a row of the log is cut short").WithFix("restore the data folder from a backup")
	}
	return nil
}

// replay reads the log into recent, as one commit after the other.
func (w *writer) replay() error {
	for {
		row, raw, found, err := w.nextRow(w.lastRow)
		if err != nil || !found {
			return err
		}
		if err := decode(raw, w.recent.put); err != nil {
			return err
		}
		w.lastRow = row
		w.recent.publish(row, w.absent)
	}
}

// log inserts the changes of the commit in the making into the log.
func (w *writer) log() error {
	w.buffer = w.buffer[:0]
	for i, c := range w.recent.changes {
		w.buffer = encode(w.buffer, c.node.id, c.node.cell) // a key that was put twice is there twice
		if len(w.buffer) < logRow && i < len(w.recent.changes)-1 {
			continue
		}
		if err := w.addRow(w.lastRow+1, w.buffer); err != nil {
			return err
		}
		w.lastRow++
		w.buffer = w.buffer[:0]
	}
	if cap(w.buffer) > 2*logRow {
		w.buffer = nil
	}
	return nil
}

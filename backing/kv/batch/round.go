package batch

import (
	"context"
	"time"
)

// maxMerged bounds the bytes of one commit; what finishes beyond waits for the next.
const maxMerged = 16 << 20

// round is one transaction of the store with the tasks that share it. It runs on one goroutine;
// its tasks are coroutines of that goroutine, so nothing here is locked.
//
// A task reads the committed state below the writes of the tasks merged so far. When it
// finishes and what it read is still so, it is merged: as if it had run alone at that moment. So
// the order of merging is the serial order, whatever the tasks interleaved.
type round struct {
	tx      Txn
	now     time.Time
	writes  bool // whether there will be a commit to wait for
	attempt int  // of these jobs, from 1

	base   map[ID]Value // of the committed state, as far as it was read
	pages  map[Range][]Pair
	merged layer
	log    []ID       // the merged writes, in order
	newest map[ID]int // how long the log was after the newest write of a key
	late   []*job     // finished when there was no more room
	done   []*task
}

func newRound(tx Txn, now time.Time, writes bool, attempt int) *round {
	return &round{tx: tx, now: now, writes: writes, attempt: attempt, base: map[ID]Value{}, pages: map[Range][]Pair{}, merged: newLayer(), newest: map[ID]int{}}
}

// run runs the jobs until each is merged, failed by itself or late.
func (r *round) run(ctx context.Context, jobs []*job) (err error) {
	tasks := make([]*task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &task{job: j, round: r}
		tasks[i].start()
	}
	defer func() {
		for _, t := range tasks {
			t.stop()
		}
	}()
	for waiting := tasks; len(waiting) > 0; {
		parked := waiting[:0:0]
		for _, t := range waiting {
			if !r.advance(t) {
				parked = append(parked, t)
			}
		}
		if len(parked) > 0 {
			if err := r.fetch(ctx, parked); err != nil {
				return err
			}
		}
		waiting = parked
	}
	return nil
}

// advance runs a task until it parks or is finished for good.
func (r *round) advance(t *task) (finished bool) {
	for {
		if _, parked := t.next(); parked {
			return false
		}
		if !r.stale(t) {
			r.merge(t)
			return true
		}
		t.start()
	}
}

// stale says whether something that t read was overwritten by a task merged since.
func (r *round) stale(t *task) bool {
	for _, l := range t.seen {
		if l.at == len(r.log) {
			continue
		}
		if l.to == l.from+"\x00" {
			if r.newest[ID{l.scope, l.from}] > l.at {
				return true
			}
			continue
		}
		for _, id := range r.log[l.at:] {
			if id.Scope == l.scope && id.Key >= l.from && (l.to == "" || id.Key < l.to) {
				return true
			}
		}
	}
	return false
}

func (r *round) merge(t *task) {
	if !r.writes {
		t.job.finish(t.result)
		return
	}
	failed := t.result.err != nil || t.result.panic != nil
	if !failed && len(r.merged.writes) > 0 && r.merged.bytes+t.own.bytes > maxMerged {
		r.late = append(r.late, t.job)
		return
	}
	r.done = append(r.done, t)
	if failed {
		return
	}
	for id, w := range t.own.writes {
		r.merged.put(w)
		r.log = append(r.log, id)
		r.newest[id] = len(r.log)
	}
}

// fetch reads what the parked tasks want, each key and each page once.
func (r *round) fetch(ctx context.Context, parked []*task) error {
	var keys []ID
	var ranges []Range
	asked, listed := map[ID]bool{}, map[Range]bool{}
	for _, t := range parked {
		for _, id := range t.keys {
			if !asked[id] {
				asked[id] = true
				keys = append(keys, id)
			}
		}
		for _, page := range t.pages {
			if !listed[page] {
				listed[page] = true
				ranges = append(ranges, page)
			}
		}
		t.keys, t.pages = t.keys[:0], t.pages[:0]
	}
	values, pages, err := r.tx.Read(ctx, keys, ranges)
	if err != nil {
		return err
	}
	for i, id := range keys {
		r.base[id] = values[i]
	}
	for i, page := range ranges {
		r.pages[page] = pages[i]
	}
	return nil
}

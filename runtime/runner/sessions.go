package runner

import (
	"sync"

	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
)

// maxSessions bounds the sessions kept beside the store.
const maxSessions = 4096

// sessions keeps the sessions that this process committed last, so that the next turn of a
// conversation need not read and parse its own. A commit is fenced by the revision: what is kept
// may be old, it is never believed against the store.
type sessions struct {
	mu      sync.Mutex
	kept    map[queue.Lane]session.Session
	changes int // made by operators so far
}

func newSessions() *sessions { return &sessions{kept: map[queue.Lane]session.Session{}} }

func (s *sessions) has(l queue.Lane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.kept[l]
	return ok
}

func (s *sessions) get(l queue.Lane) (session.Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.kept[l]
	return one, ok
}

// seen is how many changes operators have made: a turn remembers it for put.
func (s *sessions) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changes
}

// put keeps a session that was stored; when there are too many, some other one goes. What a turn
// stored that began before an operator's last change may be older than that change: it is not kept.
func (s *sessions) put(l queue.Lane, one session.Session, seen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen != s.changes {
		delete(s.kept, l)
		return
	}
	if len(s.kept) >= maxSessions {
		for other := range s.kept {
			delete(s.kept, other)
			break
		}
	}
	s.kept[l] = one
}

// changed forgets a session that an operator has changed.
func (s *sessions) changed(l queue.Lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	delete(s.kept, l)
}

func (s *sessions) drop(l queue.Lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, l)
}

// forget drops the sessions of shards that are somebody else's now.
func (s *sessions) forget(gone func(shard int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.kept {
		if gone(l.Shard()) {
			delete(s.kept, l)
		}
	}
}

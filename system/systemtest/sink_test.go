package systemtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is the outside: a channel that gets replies and an interface that is called by guests. As
// a good API would, it does once what comes again with the same idempotency key.
type sink struct {
	server *httptest.Server
	random *rand.Rand // unkindness

	mu      sync.Mutex
	replies map[string]arrived   // by id
	of      map[string][]arrived // by tenant and key, in the order of arrival
	effects map[string]int       // calls by idempotency key
	resent  int                  // replies that came again with the same key
	refused int                  // on purpose
	dropped int                  // taken, but the sender was not told
	broken  []string             // promises
	times   []time.Time          // of new replies
	grew    chan struct{}
	quit    chan struct{} // closed when nobody needs to wait any more
}

// newSink starts a sink. Unkind, it refuses one reply of fifty, and of one of fifty it takes it
// does not let the sender know.
func newSink(t *testing.T, seed uint64, unkind bool) *sink {
	s := &sink{replies: map[string]arrived{}, of: map[string][]arrived{}, effects: map[string]int{}, grew: make(chan struct{}), quit: make(chan struct{})}
	if unkind {
		s.random = rand.New(rand.NewPCG(seed, 3))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reply", s.reply)
	mux.HandleFunc("POST /effect", s.effect)
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	return s
}

func (s *sink) reply(w http.ResponseWriter, r *http.Request) {
	var a arrived
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil { // the sender died over it
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mood := 100
	if s.random != nil {
		mood = s.random.IntN(100)
	}
	if mood < 2 {
		s.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.take(a, r.Header.Get("Idempotency-Key"))
	if mood < 4 {
		s.dropped++
		panic(http.ErrAbortHandler) // taken, and the sender does not know
	}
}

func (s *sink) take(a arrived, key string) {
	if key == "" || key != a.ID {
		s.broken = append(s.broken, fmt.Sprintf("reply %q came with the key %q", a.ID, key))
	}
	if old, again := s.replies[a.ID]; again {
		s.resent++
		if old.Text != a.Text || old.Key != a.Key {
			s.broken = append(s.broken, fmt.Sprintf("reply %s was %q and is now %q", a.ID, old.Text, a.Text))
		}
		return
	}
	s.replies[a.ID] = a
	s.of[a.Tenant+"/"+a.Key] = append(s.of[a.Tenant+"/"+a.Key], a)
	s.times = append(s.times, time.Now())
	close(s.grew)
	s.grew = make(chan struct{})
}

func (s *sink) effect(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	key := r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	defer s.mu.Unlock()
	if key == "" {
		s.broken = append(s.broken, "an outside call came without a key")
	}
	s.effects[key]++
	_, _ = io.WriteString(w, "did")
}

// await waits until a conversation has n replies and returns what it has.
func (s *sink) await(lane string, n int, until time.Time) ([]arrived, error) {
	for {
		s.mu.Lock()
		got, grew := slices.Clone(s.of[lane]), s.grew
		s.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		t := time.NewTimer(time.Until(until))
		select {
		case <-grew:
			t.Stop()
		case <-s.quit:
			return got, errors.New("given up")
		case <-t.C:
			return got, fmt.Errorf("%s has %d replies of %d: %q", lane, len(got), n, textsOf(got))
		}
	}
}

func textsOf(list []arrived) []string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = a.Text
	}
	return texts
}

// effectsOf are the keys of the calls that a turn made.
func (s *sink) effectsOf() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	byTurn := map[string][]string{}
	for key := range s.effects {
		turn, _, _ := strings.Cut(key, "/")
		byTurn[turn] = append(byTurn[turn], key)
	}
	return byTurn
}

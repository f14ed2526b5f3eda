package redis

import (
	"context"
	"encoding/binary"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"greentic.dev/backing/kv/batch"
	"greentic.dev/greentic/fault"
)

// server is the connections and scripts that the stores of a process share.
type server struct {
	client  rueidis.Client
	prefix  string
	keys    []string
	process [tokenSize / 2]byte
	tokens  atomic.Uint64

	read, commit, resolve, purge *rueidis.Lua
}

func newServer(client rueidis.Client, namespace string) *server {
	s := &server{client: client, prefix: "{" + namespace + "}:",
		read: rueidis.NewLuaScript(read), commit: rueidis.NewLuaScript(commit), resolve: rueidis.NewLuaScript(resolve), purge: rueidis.NewLuaScript(purge)}
	for _, name := range []string{"commits", "log", "values", "order", "expiries", "head"} {
		s.keys = append(s.keys, s.prefix+name)
	}
	return s
}

// token is a name for one commit, different from all others.
func (s *server) token() string {
	return string(binary.BigEndian.AppendUint64(s.process[:len(s.process):len(s.process)], s.tokens.Add(1)))
}

// store is one user of the server.
type store struct{ *server }

// Begin implements batch.Store. The server hears of it with the first read.
func (s *store) Begin(_ context.Context, now time.Time, _ bool) (batch.Txn, error) {
	return &txn{server: s.server, now: now.UnixMilli(), looked: map[string]bool{}}, nil
}

// purged bounds the keys of one purge.
const purged = 1000

// Purge implements batch.Store.
func (s *store) Purge(ctx context.Context, now time.Time) (bool, error) {
	n, err := s.purge.Exec(ctx, s.client, s.keys, []string{strconv.FormatInt(now.UnixMilli(), 10), strconv.Itoa(purged)}).AsInt64()
	if err != nil {
		return false, classify(err)
	}
	return n == purged, nil
}

// Close implements batch.Store; DB.Close closes the connections.
func (s *store) Close() error { return nil }

// txn is a transaction: the commit as of which it reads, and what it has read.
type txn struct {
	*server
	now    int64
	at     string // number of the commit; empty before the first read
	head   string // its token
	looked map[string]bool
	ranges []span
}

// span is a range of ids that was read; an empty to means no upper end.
type span struct{ from, to string }

// id is a key in its scope as the server has it. A scope holds no NUL, so ids are ordered by scope, then key.
func id(k batch.ID) string { return k.Scope + "\x00" + k.Key }

// end is the least id behind all of a scope.
func end(scope string) string { return scope + "\x01" }

// Read implements batch.Txn.
func (t *txn) Read(ctx context.Context, ids []batch.ID, ranges []batch.Range) ([]batch.Value, [][]batch.Pair, error) {
	args := []string{t.at, t.head, strconv.FormatInt(t.now, 10), strconv.Itoa(len(ids))}
	for _, k := range ids {
		args = append(args, id(k))
	}
	spans := make([]span, len(ranges))
	for i, r := range ranges {
		spans[i] = span{id(batch.ID{Scope: r.Scope, Key: r.From}), id(batch.ID{Scope: r.Scope, Key: r.To})}
		if r.To == "" {
			spans[i].to = end(r.Scope)
		}
		args = append(args, "["+spans[i].from, "("+spans[i].to, strconv.Itoa(r.Limit))
	}
	answer, err := t.read.Exec(ctx, t.client, t.keys, args).ToArray()
	if err != nil && refusal(err) == nil && ctx.Err() == nil { // reading twice does no harm
		answer, err = t.read.Exec(ctx, t.client, t.keys, args).ToArray()
	}
	if err != nil {
		return nil, nil, classify(err)
	}
	if err := t.follow(answer); err != nil {
		return nil, nil, err
	}
	values, err := t.values(answer[3], ids)
	if err != nil {
		return nil, nil, classify(err)
	}
	pages, err := t.pages(answer[4], ranges, spans)
	if err != nil {
		return nil, nil, classify(err)
	}
	return values, pages, nil
}

// follow moves the transaction to the commit of an answer {number, head, commits since}, unless
// they wrote something that it has read.
func (t *txn) follow(answer []rueidis.RedisMessage) error {
	if len(answer) < 3 {
		return fault.New(fault.Conflict, "redis", "the transaction took too long")
	}
	number, err := answer[0].AsInt64()
	if err != nil {
		return classify(err)
	}
	head, err := answer[1].ToString()
	if err != nil {
		return classify(err)
	}
	commits, err := answer[2].AsStrSlice()
	if err != nil {
		return classify(err)
	}
	for _, element := range commits {
		if t.meets(element[tokenSize:]) {
			return fault.New(fault.Conflict, "redis", "another process wrote what was read")
		}
	}
	t.at, t.head = strconv.FormatInt(number, 10), head
	return nil
}

// meets says whether a commit wrote something that was read. ids is what element made.
func (t *txn) meets(ids string) bool {
	for len(ids) > 2 {
		n := int(ids[0])<<8 | int(ids[1])
		one := ids[2 : 2+n]
		if t.looked[one] {
			return true
		}
		for _, s := range t.ranges {
			if one >= s.from && one < s.to {
				return true
			}
		}
		ids = ids[2+n:]
	}
	return false
}

// element is what the log says of a commit: token, then the ids written, each after its length.
func element(token string, writes []batch.Write) string {
	b := []byte(token)
	for _, w := range writes {
		b = binary.BigEndian.AppendUint16(b, uint16(len(w.Scope)+1+len(w.Key)))
		b = append(append(append(b, w.Scope...), 0), w.Key...)
	}
	return string(b)
}

const header = 8 // bytes of the expiry before a value

func (t *txn) values(answer rueidis.RedisMessage, ids []batch.ID) ([]batch.Value, error) {
	list, err := answer.ToArray()
	if err != nil {
		return nil, err
	}
	values := make([]batch.Value, len(ids))
	for i, m := range list {
		t.looked[id(ids[i])] = true
		if m.IsNil() {
			continue
		}
		raw, err := m.ToString()
		if err != nil {
			return nil, err
		}
		if expires := int64(binary.BigEndian.Uint64([]byte(raw[:header]))); expires == 0 || expires > t.now {
			values[i] = batch.Value{Bytes: []byte(raw[header:]), Found: true}
		}
	}
	return values, nil
}

func (t *txn) pages(answer rueidis.RedisMessage, ranges []batch.Range, spans []span) ([][]batch.Pair, error) {
	list, err := answer.ToArray()
	if err != nil {
		return nil, err
	}
	pages := make([][]batch.Pair, len(ranges))
	for i, m := range list {
		flat, err := m.AsStrSlice()
		if err != nil {
			return nil, err
		}
		for j := 0; j < len(flat); j += 2 {
			pages[i] = append(pages[i], batch.Pair{Key: flat[j][len(ranges[i].Scope)+1:], Value: []byte(flat[j+1][header:])})
		}
		if len(pages[i]) == ranges[i].Limit {
			spans[i].to = flat[len(flat)-2] + "\x00"
		}
	}
	t.ranges = append(t.ranges, spans...)
	return pages, nil
}

// Commit implements batch.Txn. A commit of others that does not touch what was read is no
// obstacle: the writes go on top of it.
func (t *txn) Commit(ctx context.Context, writes []batch.Write) error {
	token := t.token()
	args := commitArgs(element(token, writes), writes)
	if t.at == "" { // nothing was read
		if _, _, err := t.Read(ctx, nil, nil); err != nil {
			return err
		}
	}
	for {
		args[0], args[1] = t.at, t.head
		answer, err := t.commit.Exec(ctx, t.client, t.keys, args).ToArray()
		if err != nil && refusal(err) == nil {
			return batch.Resolve(err, func(ctx context.Context) (batch.Verdict, error) { return t.ask(ctx, token) })
		}
		if err != nil {
			return classify(err)
		}
		if len(answer) == 1 {
			return nil
		}
		if err := t.follow(answer); err != nil {
			return err
		}
	}
}

// commitArgs is what the commit script takes, without the commit it stands on.
func commitArgs(element string, writes []batch.Write) []string {
	args, expiries := make([]string, 6, 6+3*len(writes)), []string(nil)
	var deletes []string
	for _, w := range writes {
		name := id(w.ID)
		if w.Value == nil {
			deletes = append(deletes, name)
			continue
		}
		value := string(append(binary.BigEndian.AppendUint64(make([]byte, 0, header+len(w.Value)), uint64(w.Expires)), w.Value...))
		args = append(args, name, value)
		if w.Expires > 0 {
			expiries = append(expiries, strconv.FormatInt(w.Expires, 10), name)
		}
	}
	args[2], args[3], args[4], args[5] = element, strconv.Itoa(kept), strconv.Itoa(len(writes)-len(deletes)), strconv.Itoa(len(deletes))
	return append(append(args, deletes...), expiries...)
}

// ask finds out whether the commit with the token happened, and if not sees to it that it never will.
func (t *txn) ask(ctx context.Context, token string) (batch.Verdict, error) {
	said, err := t.resolve.Exec(ctx, t.client, t.keys, []string{t.at, t.head, token, t.token()}).ToString()
	switch {
	case err != nil:
		return batch.Unknown, err
	case said == "committed":
		return batch.Committed, nil
	case said == "aborted":
		return batch.Aborted, nil
	}
	return batch.Unknown, nil
}

// End implements batch.Txn.
func (t *txn) End() {}

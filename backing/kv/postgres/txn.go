package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/batch"
	"greentic.dev/greentic/fault"
)

const (
	lock   = `SELECT pg_advisory_xact_lock($1, $2)`
	marker = `SELECT pg_current_xact_id()::text`
	status = `SELECT coalesce(pg_xact_status($1::text::xid8), '')`
	get    = `SELECT w.i, e.value FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS w (scope, key, i)
		JOIN kv e ON e.scope = w.scope AND e.key = w.key WHERE e.expires IS NULL OR e.expires > $3`
	scan = `SELECT w.i, e.key, e.value FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[]) WITH ORDINALITY AS w (scope, lower, upper, n, i),
		LATERAL (SELECT key, value FROM kv WHERE scope = w.scope AND key >= w.lower AND key < w.upper AND (expires IS NULL OR expires > $5)
			ORDER BY key LIMIT w.n) e ORDER BY w.i, e.key`
	put = `INSERT INTO kv (scope, key, value, expires) SELECT scope, key, value, nullif(expires, 0)
		FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[]) AS w (scope, key, value, expires)
		ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`
	remove = `DELETE FROM kv e USING unnest($1::text[], $2::bytea[]) AS w (scope, key) WHERE e.scope = w.scope AND e.key = w.key`
	purge  = `DELETE FROM kv WHERE (scope, key) IN (SELECT scope, key FROM kv WHERE expires <= $1 LIMIT $2)`
)

// store is one connection, made again when it breaks.
type store struct {
	config *pgx.ConnConfig
	schema string
	lock   int32
	conn   *pgx.Conn
}

func newStore(config *pgx.ConnConfig, schema string) *store {
	return &store{config: config, schema: schema, lock: lockID(schema)}
}

// connect makes sure that there is a connection that is not known to be broken.
func (s *store) connect(ctx context.Context) (err error) {
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	if s.conn, err = pgx.ConnectConfig(ctx, s.config.Copy()); err != nil {
		return fault.As(fault.Unavailable, "postgres", err)
	}
	_, err = s.conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	if err != nil {
		s.drop()
		return classify(err)
	}
	return nil
}

// drop forgets the connection.
func (s *store) drop() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx)
	s.conn = nil
}

// Close implements batch.Store.
func (s *store) Close() error {
	s.drop()
	return nil
}

// Begin implements batch.Store. The server hears of it with the first statement.
func (s *store) Begin(_ context.Context, now time.Time, writes bool) (batch.Txn, error) {
	return &txn{store: s, now: now.UnixMilli(), writes: writes}, nil
}

// purged bounds the rows of one purge.
const purged = 1000

// Purge implements batch.Store. It takes the lock: a row that it deletes may have been read by an update.
func (s *store) Purge(ctx context.Context, now time.Time) (bool, error) {
	t := &txn{store: s, now: now.UnixMilli(), writes: true}
	defer t.End()
	if err := t.exchange(ctx, nothing); err != nil {
		return false, err
	}
	tag, err := s.conn.Exec(ctx, purge, t.now, purged)
	if err == nil {
		_, err = s.conn.Exec(ctx, "COMMIT")
	}
	if err != nil {
		return false, classify(err)
	}
	return tag.RowsAffected() == purged, nil
}

// txn is one transaction of a store.
type txn struct {
	*store
	now    int64
	writes bool
	begun  bool
	id     string // of the transaction; its outcome is asked for by it
}

// exchange sends the statements that fill queues, behind those that begin the transaction if they
// are the first. A connection that turns out to be broken then is made again: nothing has been done on it.
func (t *txn) exchange(ctx context.Context, fill func(*pgx.Batch)) error {
	if t.begun {
		b := &pgx.Batch{}
		fill(b)
		return classified(t.conn.SendBatch(ctx, b).Close())
	}
	again := t.conn != nil && !t.conn.IsClosed()
	err := t.begin(ctx, fill)
	if again && broken(err) && ctx.Err() == nil {
		t.drop()
		err = t.begin(ctx, fill)
	}
	return classified(err)
}

func nothing(*pgx.Batch) {}

func classified(err error) error {
	if err == nil || fault.Is(err, fault.Unavailable) {
		return err
	}
	return classify(err)
}

func (t *txn) begin(ctx context.Context, fill func(*pgx.Batch)) error {
	if err := t.connect(ctx); err != nil {
		return err
	}
	b := &pgx.Batch{}
	if t.writes {
		b.Queue("BEGIN ISOLATION LEVEL READ COMMITTED") // each statement sees what those before us in the lock have written
		b.Queue(lock, int32(lockClass), t.store.lock)
		b.Queue(marker).QueryRow(func(row pgx.Row) error { return row.Scan(&t.id) })
	} else {
		b.Queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
	}
	fill(b)
	err := t.conn.SendBatch(ctx, b).Close()
	t.begun = err == nil
	return err
}

// above is greater than every key.
var above = func() []byte {
	b := make([]byte, kv.MaxKey+1)
	for i := range b {
		b[i] = 0xff
	}
	return b
}()

// Read implements batch.Txn.
func (t *txn) Read(ctx context.Context, ids []batch.ID, ranges []batch.Range) ([]batch.Value, [][]batch.Pair, error) {
	values, pages := make([]batch.Value, len(ids)), make([][]batch.Pair, len(ranges))
	err := t.exchange(ctx, func(b *pgx.Batch) {
		clear(values) // of what a connection gave before it broke
		clear(pages)
		if len(ids) > 0 {
			scopes, keys := columns(ids, func(id batch.ID) batch.ID { return id })
			b.Queue(get, scopes, keys, t.now).Query(func(rows pgx.Rows) error { return fillValues(rows, values) })
		}
		if len(ranges) > 0 {
			scopes, from := columns(ranges, func(r batch.Range) batch.ID { return batch.ID{Scope: r.Scope, Key: r.From} })
			to, limits := make([][]byte, len(ranges)), make([]int64, len(ranges))
			for i, r := range ranges {
				to[i], limits[i] = []byte(r.To), int64(r.Limit)
				if r.To == "" {
					to[i] = above
				}
			}
			b.Queue(scan, scopes, from, to, limits, t.now).Query(func(rows pgx.Rows) error { return fillPages(rows, pages) })
		}
	})
	return values, pages, err
}

func fillValues(rows pgx.Rows, values []batch.Value) error {
	var i int64
	var value []byte
	_, err := pgx.ForEachRow(rows, []any{&i, &value}, func() error {
		values[i-1], value = batch.Value{Bytes: value, Found: true}, nil
		return nil
	})
	return err
}

func fillPages(rows pgx.Rows, pages [][]batch.Pair) error {
	var i int64
	var key, value []byte
	_, err := pgx.ForEachRow(rows, []any{&i, &key, &value}, func() error {
		pages[i-1], value = append(pages[i-1], batch.Pair{Key: string(key), Value: value}), nil
		return nil
	})
	return err
}

// columns is a list of keys as two arrays.
func columns[T any](list []T, id func(T) batch.ID) (scopes []string, keys [][]byte) {
	scopes, keys = make([]string, len(list)), make([][]byte, len(list))
	for i, e := range list {
		scopes[i], keys[i] = id(e).Scope, []byte(id(e).Key)
	}
	return scopes, keys
}

// Commit implements batch.Txn.
func (t *txn) Commit(ctx context.Context, writes []batch.Write) error {
	if !t.begun { // the marker must be known before the commit is sent
		if err := t.exchange(ctx, nothing); err != nil {
			return err
		}
	}
	var puts, deletes []batch.Write
	for _, w := range writes {
		if w.Value == nil {
			deletes = append(deletes, w)
		} else {
			puts = append(puts, w)
		}
	}
	id, b := func(w batch.Write) batch.ID { return w.ID }, &pgx.Batch{}
	if len(deletes) > 0 {
		scopes, keys := columns(deletes, id)
		b.Queue(remove, scopes, keys)
	}
	if len(puts) > 0 {
		scopes, keys := columns(puts, id)
		values, expires := make([][]byte, len(puts)), make([]int64, len(puts))
		for i, w := range puts {
			values[i], expires[i] = w.Value, w.Expires
		}
		b.Queue(put, scopes, keys, values, expires)
	}
	b.Queue("COMMIT")
	err := t.conn.SendBatch(ctx, b).Close()
	switch {
	case err == nil:
		t.begun = false
		return nil
	case broken(err):
		return batch.Resolve(err, t.ask)
	}
	return classify(err)
}

// ask finds out whether the transaction was committed, on a new connection. Holding the lock
// means that the old connection's transaction has ended, so that the answer is final.
func (t *txn) ask(ctx context.Context) (batch.Verdict, error) {
	t.begun = false
	t.drop()
	if err := t.connect(ctx); err != nil {
		return batch.Unknown, err
	}
	said, b := "", &pgx.Batch{}
	b.Queue("BEGIN")
	b.Queue(lock, int32(lockClass), t.store.lock)
	b.Queue(status, t.id).QueryRow(func(row pgx.Row) error { return row.Scan(&said) })
	b.Queue("ROLLBACK")
	err := t.conn.SendBatch(ctx, b).Close()
	switch {
	case broken(err):
		return batch.Unknown, err
	case err != nil: // "transaction ID is in the future": this server never saw it
		t.drop()
		return batch.Unknown, nil
	case said == "committed":
		return batch.Committed, nil
	case said == "aborted":
		return batch.Aborted, nil
	}
	return batch.Unknown, nil // too long ago
}

// End implements batch.Txn.
func (t *txn) End() {
	if t.conn == nil || t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := t.conn.Exec(ctx, "ROLLBACK"); err != nil {
		t.drop()
	}
}

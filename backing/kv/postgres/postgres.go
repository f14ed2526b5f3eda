package postgres

import (
	"context"
	"errors"
	"hash/fnv"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"greentic.dev/backing/kv/batch"
	"greentic.dev/greentic/fault"
)

// Options of Open; the zero value is right for production.
type Options struct {
	Now     func() time.Time // clock of expiry; default time.Now
	Readers int              // connections for View; default 4
}

// DB is a kv.DB on a PostgreSQL server. Make one with Open.
type DB struct{ *batch.DB }

// Open opens the store that a URL names, and creates its schema and table if they are missing. The
// URL is one of libpq (postgresql.org/docs/current/libpq-connect.html); the parameter schema names the schema, by
// default "greentic". A malformed URL is fault.Invalid, a store of a newer version or a server
// that is too old fault.Unsupported, and a server that does not answer fault.Unavailable.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	config, schema, err := parse(address)
	if err != nil {
		return nil, fault.Wrap("kv open", err)
	}
	writer := newStore(config, schema)
	if err := writer.setup(ctx); err != nil {
		_ = writer.Close()
		return nil, fault.Wrap("kv open "+name(config, schema), err)
	}
	readers := make([]batch.Store, o.Readers)
	for i := range readers {
		readers[i] = newStore(config, schema)
	}
	return &DB{batch.New(o.Now, writer, readers...)}, nil
}

// name is the store without its password.
func name(c *pgx.ConnConfig, schema string) string {
	return "postgres://" + c.Host + "/" + c.Database + "?schema=" + schema
}

const connectTimeout = 5 * time.Second

func parse(address string) (*pgx.ConnConfig, string, error) {
	u, err := url.Parse(address)
	if err != nil { // its text would repeat the password
		return nil, "", fault.New(fault.Invalid, "store", "the URL is malformed")
	}
	q, schema := u.Query(), "greentic"
	if q.Has("schema") {
		schema = q.Get("schema")
		q.Del("schema")
		u.RawQuery = q.Encode()
	}
	if !regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`).MatchString(schema) || strings.HasPrefix(schema, "pg_") {
		return nil, "", fault.Newf(fault.Invalid, "store", "%q is no name of a schema", schema).WithFix("use letters, digits and _")
	}
	c, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, "", fault.As(fault.Invalid, "store", err)
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	for k, v := range map[string]string{
		"application_name": "greentic",
		"search_path":      schema,
		"timezone":         "UTC",
		// The statements want the primary key whatever the statistics of a young table say.
		"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "plan_cache_mode": "force_generic_plan", "jit": "off",
		// A process that stops in the middle, holding the lock, must not hold up the others.
		"idle_in_transaction_session_timeout": "5000",
	} {
		if _, ok := c.RuntimeParams[k]; !ok {
			c.RuntimeParams[k] = v
		}
	}
	return c, schema, nil
}

// lockClass parts our advisory locks from those of others in the database.
const lockClass = 0x6b76

func lockID(schema string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(schema))
	return int32(h.Sum32())
}

// broken says that the connection is lost, or the server is going: what was sent last may have
// been done or not.
func broken(err error) bool {
	var e *pgconn.PgError
	return err != nil && (!errors.As(err, &e) || e.Severity != "ERROR")
}

// classify gives an error of the server its kind by its SQLSTATE class.
func classify(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return fault.As(fault.Unavailable, "postgres", err)
	}
	switch e.Code[:2] {
	case "40": // serialization failure, deadlock
		return fault.As(fault.Conflict, "postgres", err)
	case "53", "54": // disk full, out of memory, program limit
		return fault.As(fault.Exhausted, "postgres", err)
	}
	return fault.As(fault.Unavailable, "postgres", err)
}

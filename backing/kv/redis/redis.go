package redis

import (
	"context"
	"crypto/rand"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"greentic.dev/backing/kv/batch"
	"greentic.dev/greentic/fault"
)

// Options of Open; the zero value is right for production.
type Options struct {
	Now     func() time.Time // clock of expiry; default time.Now
	Random  io.Reader        // names the commits of this process; default crypto/rand
	Readers int              // views that are gathered apart from each other; default 4
}

// DB is a kv.DB on a Redis server. Make one with Open.
type DB struct {
	*batch.DB
	client rueidis.Client
}

const schemaVersion = "1"

// Open opens the store that a URL names: redis:// or rediss://, with user, password and database as usual, or
// redis+unix:///SOCKET, and
// the parameter namespace, by default "greentic", under which its keys stand. A malformed URL is fault.Invalid; a store of a
// newer version, a server that is too old or evicts keys fault.Unsupported; one that does not
// answer fault.Unavailable.
func Open(ctx context.Context, address string, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	option, namespace, err := parse(address)
	if err != nil {
		return nil, fault.Wrap("kv open", err)
	}
	client, err := rueidis.NewClient(option)
	if err != nil {
		return nil, fault.As(fault.Unavailable, "kv open redis://"+option.InitAddress[0], err)
	}
	s := newServer(client, namespace)
	if err = s.setup(ctx); err == nil {
		_, err = io.ReadFull(o.Random, s.process[:])
	}
	if err != nil {
		client.Close()
		return nil, fault.Wrap("kv open redis://"+option.InitAddress[0]+"?namespace="+namespace, err)
	}
	readers := make([]batch.Store, o.Readers)
	for i := range readers {
		readers[i] = &store{server: s}
	}
	return &DB{batch.New(o.Now, &store{server: s}, readers...), client}, nil
}

// Close implements kv.DB.
func (db *DB) Close() error {
	err := db.DB.Close()
	db.client.Close()
	return err
}

func parse(address string) (rueidis.ClientOption, string, error) {
	var none rueidis.ClientOption
	u, err := url.Parse(address)
	if err != nil { // its text would repeat the password
		return none, "", fault.New(fault.Invalid, "store", "the URL is malformed")
	}
	q, namespace := u.Query(), "greentic"
	if q.Has("namespace") {
		namespace = q.Get("namespace")
		q.Del("namespace")
		u.RawQuery = q.Encode()
	}
	if !regexp.MustCompile(`^[a-z0-9_-]{1,63}$`).MatchString(namespace) {
		return none, "", fault.Newf(fault.Invalid, "store", "%q is no name of a namespace", namespace).WithFix("use lower-case letters, digits, _ and -")
	}
	if u.Scheme == "redis+unix" { // as other clients write it
		u.Scheme = "unix"
	}
	o, err := rueidis.ParseURL(u.String())
	if err != nil {
		return none, "", fault.New(fault.Invalid, "store", "the URL is none of Redis").WithFix("use redis://USER:PASSWORD@HOST:PORT/DATABASE")
	}
	o.ClientName = "greentic"
	o.DisableCache = true
	o.DisableRetry = true // only we know what may be sent twice
	o.Dialer.Timeout = 5 * time.Second
	return o, namespace, nil
}

// setup checks the server and marks the store with its version.
func (s *server) setup(ctx context.Context) error {
	info, err := s.client.Do(ctx, s.client.B().Info().Build()).ToString()
	if err != nil {
		return classify(err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[name] = value
	}
	version := fields["redis_version"]
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, _ := strconv.Atoi(major)
	n, _ := strconv.Atoi(minor)
	if m < 6 || m == 6 && n < 2 {
		return fault.Newf(fault.Unsupported, "", "the server has version %q, at least 6.2 is needed", version)
	}
	if fields["maxmemory"] != "0" && strings.HasPrefix(fields["maxmemory_policy"], "allkeys-") {
		return fault.Newf(fault.Unsupported, "", "the server deletes keys when its memory is full (%s)", fields["maxmemory_policy"]).WithFix("set maxmemory-policy noeviction")
	}
	key := s.prefix + "version"
	if err := s.client.Do(ctx, s.client.B().Set().Key(key).Value(schemaVersion).Nx().Build()).Error(); err != nil && !rueidis.IsRedisNil(err) {
		return classify(err)
	}
	has, err := s.client.Do(ctx, s.client.B().Get().Key(key).Build()).ToString()
	if err != nil {
		return classify(err)
	}
	if has != schemaVersion {
		return fault.Newf(fault.Unsupported, "", "the store has version %s, this program knows %s", has, schemaVersion).WithFix("use the program that wrote it, or a newer one")
	}
	return nil
}

// refusal is the server's own error in err, or nil when the connection failed: then what was sent
// last may have been done or not.
func refusal(err error) *rueidis.RedisError {
	if e, ok := rueidis.IsRedisErr(err); ok {
		return e
	}
	return nil
}

func classify(err error) error {
	if e := refusal(err); e != nil && (strings.HasPrefix(e.Error(), "OOM") || strings.HasPrefix(e.Error(), "MISCONF")) {
		return fault.As(fault.Exhausted, "redis", err)
	}
	return fault.As(fault.Unavailable, "redis", err)
}

package nats

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"greentic.dev/backing/bus"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Options configures a Bus. Log is needed, and exactly one of Dir and URL.
type Options struct {
	Dir string // folder of a server in this process
	URL string // nats://[user:password@]host:port[?replicas=3&patience=30s] or tls://…; JetStream must be on, max_payload 2 MiB or more
	Log *slog.Logger

	// AckWait is after how long without a sign of life a server takes a subscriber's events
	// back; 0: the URL's patience, else 30 s, and 5 s in this process, where no network is between.
	// All processes of one subscription use the same.
	AckWait  time.Duration
	MaxBytes int64            // of one tenant's events; 0: 1 GiB. A tenant that has more waiting cannot publish
	Now      func() time.Time // nil: time.Now
}

// Bus is a bus on JetStream. Safe for concurrent use.
type Bus struct {
	o        Options
	replicas int

	mu     sync.Mutex
	closed bool
	link   *link // nil until something is published or subscribed
	subs   map[string]*subscription
	calls  sync.WaitGroup
}

// link is what exists only once the bus is used.
type link struct {
	server *server.Server // nil when it is somebody else's
	conn   *client.Conn
	js     jetstream.JetStream

	mu      sync.Mutex
	streams map[string]*stream

	sweeping sync.WaitGroup
	stop     context.CancelFunc
}

// Open checks the options and does nothing else: the first use starts or connects.
func Open(o Options) (*Bus, error) {
	b := &Bus{o: o, replicas: 1, subs: map[string]*subscription{}}
	if (o.Dir == "") == (o.URL == "") || o.Log == nil {
		return nil, fault.New(fault.Internal, "bus", "needs a logger and either a folder or a URL")
	}
	if o.URL != "" {
		u, err := url.Parse(o.URL)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return nil, fault.New(fault.Invalid, "bus", "the URL is not nats://host:port") // it may hold a password
		}
		query := u.Query()
		if text := query.Get("replicas"); text != "" {
			if b.replicas, err = strconv.Atoi(text); err != nil || b.replicas < 1 || b.replicas > 5 {
				return nil, fault.Newf(fault.Invalid, "bus", "replicas=%s is not 1 to 5", text)
			}
			query.Del("replicas")
		}
		if text := query.Get("patience"); text != "" {
			if b.o.AckWait, err = time.ParseDuration(text); err != nil || b.o.AckWait < time.Second || b.o.AckWait > 5*time.Minute {
				return nil, fault.Newf(fault.Invalid, "bus", "patience=%s is not 1s to 5m", text)
			}
			query.Del("patience")
		}
		if len(query) > 0 {
			return nil, fault.Newf(fault.Invalid, "bus", "the URL has unknown parameters: %s", query.Encode()).WithFix("use replicas=3, patience=30s or none")
		}
		u.RawQuery = ""
		b.o.URL = u.String()
	}
	if b.o.AckWait == 0 {
		if b.o.AckWait = 30 * time.Second; o.Dir != "" {
			b.o.AckWait = 5 * time.Second
		}
	}
	if b.o.MaxBytes == 0 {
		b.o.MaxBytes = 1 << 30
	}
	if b.o.Now == nil {
		b.o.Now = time.Now
	}
	return b, nil
}

// enter begins a call: it checks what every call checks and opens the link. The caller calls
// b.calls.Done when it is finished.
func (b *Bus) enter(ctx context.Context, t greentic.TenantCtx) (*link, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap("bus", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed()
	}
	if b.link == nil {
		l, err := b.open()
		if err != nil {
			return nil, err
		}
		b.link = l
	}
	b.calls.Add(1)
	return b.link, nil
}

// untouched says that nothing was ever published or subscribed on the embedded server, which then need
// not start to say that it keeps nothing.
func (b *Bus) untouched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.o.Dir == "" || b.link != nil || b.closed {
		return false
	}
	_, err := os.Stat(b.o.Dir)
	return errors.Is(err, fs.ErrNotExist)
}

func errClosed() error { return fault.New(fault.Unavailable, "bus", "it is closed") }

func (b *Bus) open() (_ *link, err error) {
	l := &link{streams: map[string]*stream{}}
	if b.o.Dir != "" {
		if l.server, err = startServer(b.o.Dir, b.o.Log); err != nil {
			return nil, err
		}
	}
	if l.conn, err = b.connect(l.server); err == nil {
		l.js, err = jetstream.New(l.conn)
	}
	if err != nil {
		l.close()
		return nil, fault.As(fault.Unavailable, "bus", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.sweeping.Go(func() { b.sweepOften(ctx, l) })
	return l, nil
}

func (b *Bus) connect(local *server.Server) (*client.Conn, error) {
	options := []client.Option{client.Name("greentic"), client.MaxReconnects(-1), client.ReconnectWait(200 * time.Millisecond),
		client.Timeout(5 * time.Second), client.IgnoreAuthErrorAbort(),
		client.ErrorHandler(func(_ *client.Conn, _ *client.Subscription, err error) { b.o.Log.Warn("bus", "error", err) }),
		client.DisconnectErrHandler(func(_ *client.Conn, err error) {
			if err != nil {
				b.o.Log.Warn("the bus is away", "error", err)
			}
		})}
	if local != nil {
		options = append(options, client.InProcessServer(local))
	}
	return client.Connect(b.o.URL, options...)
}

// Close implements bus.Bus.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	var stops []func()
	for _, s := range b.subs {
		stops = append(stops, s.stop)
	}
	b.mu.Unlock()
	var all sync.WaitGroup
	for _, stop := range stops {
		all.Go(stop)
	}
	all.Wait()
	b.calls.Wait()
	b.mu.Lock()
	l := b.link
	b.link = nil
	b.mu.Unlock()
	if l != nil {
		l.close()
	}
	return nil
}

// close ends the client before its server: the other way round the server would have to index
// its files again.
func (l *link) close() {
	if l.stop != nil {
		l.stop()
	}
	l.sweeping.Wait()
	if l.conn != nil {
		l.conn.Close()
	}
	if l.server != nil {
		l.server.Shutdown()
		l.server.WaitForShutdown()
	}
}

// failure gives what the client returned its kind.
func failure(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fault.Wrap(op, ctx.Err())
	}
	if errors.Is(err, client.ErrMaxPayload) {
		return fault.As(fault.Invalid, op, err)
	}
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) {
		switch api.ErrorCode {
		case 10077, 10047, 10023: // maximum bytes exceeded; insufficient storage; insufficient resources
			return &fault.Error{Kind: fault.Exhausted, Op: op, Err: err, Fix: "remove subscriptions nobody serves, or give the bus more room"}
		}
	}
	return fault.As(fault.Unavailable, op, err)
}

// deadline bounds a call whose caller has no deadline.
func deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 10*time.Second)
}

var _ bus.Bus = (*Bus)(nil)

package system

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/egress"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/backing/kv/postgres"
	"greentic.dev/backing/kv/redis"
	"greentic.dev/backing/kv/sqlite"
	"greentic.dev/backing/queue"
	"greentic.dev/build"
	"greentic.dev/console"
	"greentic.dev/gateway"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
	"greentic.dev/runtime/events"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/messaging"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
	"greentic.dev/wasm"
)

// Options is what a process adds to its configuration.
type Options struct {
	Log       *slog.Logger
	Getenv    func(string) string
	Ephemeral bool              // keep everything in memory; no data folder is touched
	Secrets   map[string]string // values of the command line; they replace the configured backend
	Flow      string            // the flow new sessions take
	Locale    string            // fixed language of the pages; empty follows the browser
	Now       func() time.Time  // nil means time.Now
	Crash     func(string)      // for tests that end the process at a point of a turn

	// Draining is called every second while Serve drains, with the turns and deliveries that still
	// run; it may be nil.
	Draining func(turns, deliveries int)
	// Token opens the routes of operators where no data folder holds one; empty closes them.
	Token string
	// Ended hears of each turn after its commit; it must return at once and may be nil.
	Ended func(t greentic.TenantCtx, key string, r runner.TurnResult)
	// Dev shows on the chat page what dev knows of the pack and its turns, to whoever has the token.
	Dev bool

	// Deliver sends the replies of further routes, whose triggers come through Accept.
	Deliver map[string]runner.Deliverer
}

// System is the whole platform of one process. Open wires it, Serve runs it, Close ends it.
type System struct {
	config  *Config
	options Options
	folder  *folder // nil when ephemeral
	now     func() time.Time

	db       kv.DB
	bus      bus.Bus
	engine   *wasm.Engine
	egress   *egress.Client
	policy   loader.Policy
	releases *release.Set
	runner   *runner.Runner
	relay    *events.Relay
	declared declarations

	schedules *events.Schedules
	webchat   *messaging.WebChat
	title     string
	flows     []string // ids in the packs loaded so far
	further   []route.Route
}

// Open opens the backends and wires the planes; nothing runs yet. Errors are those of the
// backends, and fault.Conflict when another process uses the data folder.
func Open(ctx context.Context, c *Config, o Options) (*System, error) {
	s := &System{config: c, options: o, now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if err := s.open(ctx); err != nil {
		if cerr := s.Close(); cerr != nil {
			return nil, errors.Join(err, cerr)
		}
		return nil, err // alone, so that its fix and position are found
	}
	return s, nil
}

func (s *System) open(ctx context.Context) (err error) {
	if !s.options.Ephemeral {
		if s.folder, err = openFolder(s.config.Data); err != nil {
			return err
		}
	}
	if s.db, err = s.openStore(ctx); err != nil {
		return err
	}
	if s.bus, err = s.openBus(); err != nil {
		return err
	}
	if err := s.openEngine(ctx); err != nil {
		return err
	}
	if s.policy, err = s.trust(ctx); err != nil {
		return err
	}
	return s.wire(ctx)
}

func (s *System) openEngine(ctx context.Context) (err error) {
	s.engine, err = wasm.New(ctx, wasm.Options{CacheDir: s.config.CodeCache(!s.options.Ephemeral),
		Defaults: wasm.Limits{Memory: uint64(s.config.MemoryBytes), Wall: s.config.StepTime},
		Warn:     func(message string) { s.options.Log.Warn(message) }})
	return err
}

// openStore opens the record store that the configuration's URL names.
func (s *System) openStore(ctx context.Context) (kv.DB, error) {
	scheme, rest, _ := strings.Cut(s.config.Store, ":")
	switch {
	case s.options.Ephemeral || scheme == "memory":
		return memory.New(s.now), nil
	case s.config.Store == "":
		rest = filepath.Join(s.config.Data, "greentic.db")
	case scheme == "postgres" || scheme == "postgresql":
		return opened(postgres.Open(ctx, s.config.Store, postgres.Options{}))
	case scheme == "redis" || scheme == "rediss" || scheme == "redis+unix":
		return opened(redis.Open(ctx, s.config.Store, redis.Options{}))
	case scheme != "sqlite" || rest == "": // the URL may hold a password
		return nil, fault.Newf(fault.Invalid, "store", "%q is no kind of store of this version", scheme).WithFix("use sqlite:FILE, postgres://HOST/DATABASE, redis://HOST, redis+unix:///SOCKET or memory:")
	}
	return opened(sqlite.Open(ctx, rest, sqlite.Options{}))
}

// opened keeps a nil pointer beside an error out of the interface: it would be closed.
func opened[T kv.DB](db T, err error) (kv.DB, error) {
	if err != nil {
		return nil, err
	}
	return db, nil
}

// trust is the load policy: the keys of the trust store, and for source folders the developer
// key that signs what is built from them.
func (s *System) trust(ctx context.Context) (loader.Policy, error) {
	p := loader.Policy{AllowUnsignedUnsafe: s.config.AllowUnsignedUnsafe, Limits: s.config.PackLimits()}
	store, err := s.config.KeyStore()
	if err != nil {
		return p, err
	}
	developer, _, err := store.Developer(ctx)
	switch {
	case err == nil:
		signedAt := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
		p.Build = &build.Options{Sign: developer.Pack(signedAt), Describe: build.Describer(s.engine)}
	case fault.Is(err, fault.Unavailable): // a trust store that can only be read is enough to run packs
		s.options.Log.Info("source folders cannot be loaded: there is no developer key", "error", err)
	default:
		return p, err
	}
	p.Trusted, err = store.Trusted(ctx)
	return p, err
}

func (s *System) wire(ctx context.Context) error {
	secretStore, err := s.openSecrets(ctx)
	if err != nil {
		return err
	}
	var grants []egress.Grant
	for _, text := range s.config.AllowHTTP {
		g, err := egress.ParseGrant(text)
		if err != nil {
			return fault.Wrap("allow_http", err)
		}
		grants = append(grants, g)
	}
	s.egress = egress.New(egress.Options{})
	h := host.New(host.Deps{Engine: s.engine, HTTP: s.egress, Secrets: secretStore, Log: s.options.Log}, host.Options{})
	var kept *loader.Store
	if s.folder != nil {
		kept = loader.NewStore(filepath.Join(s.config.Data, "packs"))
	}
	s.releases = release.New(h, kept, s.policy, grants)

	key, err := s.chatKey(ctx)
	if err != nil {
		return err
	}
	late := &lateAcceptor{}
	s.webchat, err = messaging.NewWebChat(messaging.Deps{DB: patient{s.db, s.config.StorePatience}, Accept: late, Now: s.now, NewID: newID, Log: s.options.Log, Tenant: s.tenant},
		[]byte(key), messaging.Options{MaxBody: s.config.BodyBytes})
	if err != nil {
		return err
	}
	shards, err := s.shards()
	if err != nil {
		return err
	}
	s.schedules = events.NewSchedules(s.db, s.now)
	s.relay = events.NewRelay(s.bus, func(ctx context.Context, t greentic.Trigger) (greentic.Receipt, error) { return late.Accept(ctx, t) }, s.options.Log)
	deliver := map[string]runner.Deliverer{messaging.Route: toWebChat{s.webchat}, runner.BusRoute: s.relay}
	maps.Copy(deliver, s.options.Deliver)
	s.runner = runner.New(runner.Deps{DB: s.db, Releases: s.releases, Schedules: s.schedules, Deliver: deliver, Log: s.options.Log, Now: s.now, NewID: newID, Shards: shards},
		runner.Options{Workers: s.config.Workers, Steps: s.config.TurnSteps, Locale: s.config.Locale, Flow: s.options.Flow,
			Patience: s.config.StorePatience, Crash: s.options.Crash, Ended: s.options.Ended})
	late.Acceptor = s.runner
	return nil
}

func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

// lateAcceptor ties the knot: web chat and the bus accept into the runner, which delivers into
// them.
type lateAcceptor struct{ messaging.Acceptor }

// toWebChat delivers replies into their conversation.
type toWebChat struct{ w *messaging.WebChat }

func (d toWebChat) Deliver(ctx context.Context, o queue.Outgoing) error {
	return d.w.Deliver(ctx, o.Tenant, o.Header, o.ID, o.Reply)
}

// tenant finds the tenant that a URL names; the empty name is the default one.
func (s *System) tenant(name string) (greentic.TenantCtx, bool) {
	t := s.Tenant()
	return t, name == "" || name == string(t.Tenant)
}

// Tenant is the default tenant of this process.
func (s *System) Tenant() greentic.TenantCtx {
	return greentic.TenantCtx{Env: greentic.EnvID(s.config.Env), Tenant: greentic.TenantID(s.config.Tenant)}
}

// Load verifies the pack at path, a file or a source folder, and serves it to new sessions.
// The report is filled in as far as the pack could be read, also with an error.
func (s *System) Load(ctx context.Context, path string) (loader.Report, error) {
	v, report, err := loader.Load(ctx, path, s.policy)
	if err != nil {
		return report, err
	}
	if s.title == "" {
		s.title = v.Archive().Name()
	}
	for _, f := range v.Archive().Flows() {
		if !slices.Contains(s.flows, f.ID) {
			s.flows = append(s.flows, f.ID)
		}
	}
	r, err := s.releases.Serve(ctx, v)
	if err == nil && s.options.Dev {
		err = r.Warm(ctx) // whoever saved waits for the answer
	}
	if err == nil {
		err = s.declare(ctx, v)
	}
	return report, err
}

// Engine compiles and runs the components of this process; it lasts until Close.
func (s *System) Engine() *wasm.Engine { return s.engine }

// Served lists the releases that new sessions take.
func (s *System) Served() []release.Version { return s.releases.Served() }

// Accept stores a trigger durably; its turn runs later. Errors as runner.Accept.
func (s *System) Accept(ctx context.Context, t greentic.Trigger) (greentic.Receipt, error) {
	return s.runner.Accept(ctx, t)
}

// Turn takes one trigger through its turn and waits for the outcome.
func (s *System) Turn(ctx context.Context, t greentic.Trigger) (runner.TurnResult, error) {
	return s.runner.Turn(ctx, t)
}

// Start takes up waiting work; Serve does it for servers. A flow named in the options that no
// loaded pack has is fault.NotFound, before anybody's message meets it.
func (s *System) Start(ctx context.Context) error {
	if f := s.options.Flow; f != "" && !slices.Contains(s.flows, f) {
		return fault.Newf(fault.NotFound, "flow "+f, "no pack has such a flow").WithFix("use one of " + strings.Join(s.flows, ", "))
	}
	if err := s.startEvents(ctx); err != nil {
		return err
	}
	return s.runner.Start(ctx)
}

// Drain takes no more events and lets running turns finish, for at most the configured time.
func (s *System) Drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainTime)
	defer cancel()
	s.relay.Stop(ctx)
	return s.runner.Drain(ctx)
}

// Mount adds routes to those of the platform; call it before Serve.
func (s *System) Mount(routes ...route.Route) { s.further = append(s.further, routes...) }

// Token opens the routes of operators; empty: nothing does.
func (s *System) Token() string { return cmp.Or(s.folder.token(), s.options.Token) }

// Handler is everything the process serves over HTTP.
func (s *System) Handler() (http.Handler, error) {
	pages, err := console.New(console.Options{Title: s.title, Locale: s.options.Locale, Tenant: s.tenant, Dev: s.options.Dev})
	if err != nil {
		return nil, err
	}
	routes := slices.Concat(s.operations(), s.operator().Routes(), s.webchat.Routes(), pages.Routes(), s.further)
	return gateway.New(gateway.Options{Token: s.Token(), MaxBody: s.config.BodyBytes, Log: s.options.Log}, routes)
}

// Close frees what Open opened. The system must have been drained.
func (s *System) Close() error {
	var errs []error
	if s.relay != nil {
		s.relay.Stop(context.Background())
	}
	if s.bus != nil { // before the store into which its handlers write
		errs = append(errs, s.bus.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.egress != nil {
		s.egress.Close()
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close(context.Background()))
	}
	return errors.Join(append(errs, s.folder.close())...)
}

package system

import (
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"greentic.dev/greentic/fault"
)

// Config is every setting of a process. Make one with Load; the zero value is not usable.
type Config struct {
	Listen  string // address of the HTTP front door
	Data    string // folder of everything durable
	Store   string // kv backend URL: "sqlite:FILE", "postgres://…", "redis://…" or "memory:"; empty means sqlite in Data
	Bus     string // event bus URL: "embedded:", "memory:" or "nats://host:port"; empty means embedded in Data
	Secrets string // secrets backend URL: "env:" or "memory:"
	Cache   string // folder of compiled code; empty means Data/cache
	Keys    string // folder of signing keys and the trust store; empty means the user's config folder

	Env    string // environment name in every TenantCtx
	Tenant string // tenant of requests that name none
	Locale string // locale of users that name none
	Packs  []string

	AllowUnsignedUnsafe bool // load packs without a trusted signature
	AllowHTTP           []string

	PackBytes   int64         // largest pack, uncompressed
	FileBytes   int64         // largest file inside a pack
	MemoryBytes int64         // linear memory of one component invocation
	BodyBytes   int64         // largest HTTP request body
	StepTime    time.Duration // wall time of one component invocation
	TurnSteps   int           // nodes per turn
	Workers     int           // turns that run at the same time

	RunnerName    string        // of this process among those on one store; empty means the host's
	LeaseTTL      time.Duration // silence after which others take over what a process works on
	StorePatience time.Duration // how long a message waits for a store that is away before it is refused

	DrainTime time.Duration // how long shutdown waits for running turns

	LogLevel  string // debug, info, warn, error
	LogFormat string // text or json

	source map[string]string
}

// setting binds a key of greentic.yaml to a field.
type setting struct {
	key, fallback, doc string
	set                func(*Config, string) error
	get                func(*Config) string
}

func text(key, fallback, doc string, field func(*Config) *string, allowed ...string) setting {
	return setting{key, fallback, doc,
		func(c *Config, v string) error {
			if len(allowed) > 0 && !contains(allowed, v) {
				return fault.Newf(fault.Invalid, key, "%q is not one of %s", v, strings.Join(allowed, ", "))
			}
			*field(c) = v
			return nil
		},
		func(c *Config) string { return *field(c) }}
}

func contains(list []string, v string) bool {
	for _, s := range list {
		if s == v {
			return true
		}
	}
	return false
}

func list(key, doc string, field func(*Config) *[]string) setting {
	return setting{key, "", doc,
		func(c *Config, v string) error {
			*field(c) = nil
			for part := range strings.SplitSeq(v, ",") {
				if part = strings.TrimSpace(part); part != "" {
					*field(c) = append(*field(c), part)
				}
			}
			return nil
		},
		func(c *Config) string { return strings.Join(*field(c), ",") }}
}

func flag(key, doc string, field func(*Config) *bool) setting {
	return setting{key, "false", doc,
		func(c *Config, v string) error {
			b, err := strconv.ParseBool(v)
			*field(c) = b
			return invalid(key, v, "true or false", err)
		},
		func(c *Config) string { return strconv.FormatBool(*field(c)) }}
}

// mebibytes reads a whole number of MiB, at least 1.
func mebibytes(key, fallback, doc string, field func(*Config) *int64) setting {
	return setting{key, fallback, doc,
		func(c *Config, v string) error {
			n, err := strconv.ParseInt(v, 10, 32)
			if err == nil && n < 1 {
				err = strconv.ErrRange
			}
			*field(c) = n << 20
			return invalid(key, v, "a whole number of MiB, 1 or more", err)
		},
		func(c *Config) string { return strconv.FormatInt(*field(c)>>20, 10) }}
}

func number(key, fallback, doc string, field func(*Config) *int) setting {
	return setting{key, fallback, doc,
		func(c *Config, v string) error {
			n, err := strconv.Atoi(v)
			if err == nil && n < 1 {
				err = strconv.ErrRange
			}
			*field(c) = n
			return invalid(key, v, "a whole number, 1 or more", err)
		},
		func(c *Config) string { return strconv.Itoa(*field(c)) }}
}

func duration(key, fallback, doc string, field func(*Config) *time.Duration) setting {
	return span(key, fallback, doc, 1, field)
}

// span is a duration of at least so much.
func span(key, fallback, doc string, least time.Duration, field func(*Config) *time.Duration) setting {
	return setting{key, fallback, doc,
		func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err == nil && d < least {
				err = strconv.ErrRange
			}
			*field(c) = d
			return invalid(key, v, "a duration such as 30s or 2m", err)
		},
		func(c *Config) string { return field(c).String() }}
}

func invalid(key, v, want string, err error) error {
	if err == nil {
		return nil
	}
	return fault.Newf(fault.Invalid, key, "%q is not %s", v, want)
}

// settings is the catalogue: every key, its default and its meaning.
func settings() []setting {
	return []setting{
		text("listen", "127.0.0.1:8080", "address of the HTTP front door", func(c *Config) *string { return &c.Listen }),
		text("data", "data", "folder of everything durable", func(c *Config) *string { return &c.Data }),
		text("store", "", "record store URL: sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE?schema=NAME, redis://HOST?namespace=NAME or memory: (default sqlite in the data folder)", func(c *Config) *string { return &c.Store }),
		text("bus", "", "event bus URL: embedded:, memory: or nats://host:port (default embedded in the data folder)", func(c *Config) *string { return &c.Bus }),
		text("secrets", "env:", "secrets backend URL: env: or memory:", func(c *Config) *string { return &c.Secrets }),
		text("cache", "", "folder of compiled code (default cache in the data folder)", func(c *Config) *string { return &c.Cache }),
		text("keys", "", "folder of signing keys and trusted keys (default in the user's configuration folder)", func(c *Config) *string { return &c.Keys }),
		text("env", "local", "environment name", func(c *Config) *string { return &c.Env }),
		text("tenant", "demo", "tenant of requests that name none", func(c *Config) *string { return &c.Tenant }),
		text("locale", "en", "language of users that name none (BCP 47)", func(c *Config) *string { return &c.Locale }),
		list("packs", "packs to serve: files or folders, comma separated", func(c *Config) *[]string { return &c.Packs }),
		flag("allow_unsigned_unsafe", "load packs without a trusted signature", func(c *Config) *bool { return &c.AllowUnsignedUnsafe }),
		list("allow_http", "hosts every component may call: host or host:port, comma separated", func(c *Config) *[]string { return &c.AllowHTTP }),
		mebibytes("limits.pack_mib", "64", "largest pack, uncompressed, in MiB", func(c *Config) *int64 { return &c.PackBytes }),
		mebibytes("limits.file_mib", "16", "largest file in a pack, in MiB", func(c *Config) *int64 { return &c.FileBytes }),
		mebibytes("limits.memory_mib", "256", "memory of one component invocation, in MiB", func(c *Config) *int64 { return &c.MemoryBytes }),
		mebibytes("limits.body_mib", "1", "largest HTTP request body, in MiB", func(c *Config) *int64 { return &c.BodyBytes }),
		duration("limits.step_time", "30s", "wall time of one component invocation", func(c *Config) *time.Duration { return &c.StepTime }),
		number("limits.turn_steps", "200", "nodes one turn may execute", func(c *Config) *int { return &c.TurnSteps }),
		number("workers", "16", "turns that run at the same time", func(c *Config) *int { return &c.Workers }),
		text("runner_name", "", "name of this process among those that share a record store, for people (default the host's name)", func(c *Config) *string { return &c.RunnerName }),
		duration("lease_ttl", "6s", "silence of a process after which others on the same record store take over its conversations", func(c *Config) *time.Duration { return &c.LeaseTTL }),
		span("store_patience", "0s", "how long a message waits for a record store that is away before it is refused with 503; 0s refuses at once", 0, func(c *Config) *time.Duration { return &c.StorePatience }),
		duration("drain_time", "20s", "how long shutdown waits for running turns", func(c *Config) *time.Duration { return &c.DrainTime }),
		text("log.level", "info", "debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error"),
		text("log.format", "text", "text or json", func(c *Config) *string { return &c.LogFormat }, "text", "json"),
	}
}

// Override is a value from the command line; Flag is how the user spelled it.
type Override struct{ Key, Value, Flag string }

// Load layers defaults, the file, GREENTIC_* variables and flags, later ones winning. An empty
// file name means ./greentic.yaml if it exists; a named file must exist. Errors are
// fault.Invalid with file, line and a suggestion, or fault.NotFound for a missing file.
func Load(file string, getenv func(string) string, overrides []Override) (*Config, error) {
	c := &Config{source: map[string]string{}}
	all := settings()
	apply := func(s setting, value, source string) error {
		if err := s.set(c, value); err != nil {
			return fault.Wrap(source, err)
		}
		c.source[s.key] = source
		return nil
	}
	for _, s := range all {
		if err := apply(s, s.fallback, "default"); err != nil {
			return nil, err
		}
	}
	entries, err := readFile(file)
	if err != nil {
		return nil, err
	}
	byKey := map[string]setting{}
	for _, s := range all {
		byKey[s.key] = s
	}
	for _, e := range entries {
		s, ok := byKey[e.key]
		if !ok {
			return nil, unknownKey(e, all)
		}
		if err := s.set(c, e.value); err != nil {
			return nil, fault.New(fault.Invalid, "config", err.Error()).At(e.pos)
		}
		c.source[s.key] = e.pos.String()
	}
	for _, s := range all {
		name := "GREENTIC_" + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
		if v := getenv(name); v != "" {
			if err := apply(s, v, name); err != nil {
				return nil, err
			}
		}
	}
	for _, o := range overrides {
		s, ok := byKey[o.Key]
		if !ok {
			return nil, fault.Newf(fault.Internal, "config", "flag %s sets unknown key %s", o.Flag, o.Key)
		}
		if err := apply(s, o.Value, o.Flag); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Explained is one setting with its value and where the value came from.
type Explained struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
	Doc    string `json:"doc"`
}

// Explain lists every setting, sorted by key; passwords in URLs are left out.
func (c *Config) Explain() []Explained {
	var out []Explained
	for _, s := range settings() {
		out = append(out, Explained{s.key, withoutPassword(s.get(c)), c.source[s.key], s.doc})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// withoutPassword hides the password of a URL, between "user:" and the last "@" before the host, and one
// given as a parameter. The URL may be malformed.
func withoutPassword(value string) string {
	scheme, rest, ok := strings.Cut(value, "://")
	if !ok {
		return value
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + ":xxxxx" + rest[at:]
	}
	return scheme + "://" + regexp.MustCompile(`((?i:pass)[a-z]*=)[^&]*`).ReplaceAllString(rest, "${1}xxxxx")
}

// DefaultFile is read when no file is named.
const DefaultFile = "greentic.yaml"

func readFile(file string) ([]entry, error) {
	name := file
	if name == "" {
		name = DefaultFile
	}
	src, err := os.ReadFile(name)
	switch {
	case err == nil:
		return parseFile(name, src)
	case os.IsNotExist(err) && file == "":
		return nil, nil
	case os.IsNotExist(err):
		return nil, fault.Newf(fault.NotFound, "config", "no file %s", file)
	}
	return nil, fault.As(fault.Unavailable, "config", err)
}

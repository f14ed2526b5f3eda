package wasi

import (
	"context"
	crand "crypto/rand"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"time"
)

// DefaultOutputLimit is how many bytes a guest may write to stdout and stderr together.
const DefaultOutputLimit = 1 << 20

// Config is the world of one invocation. The zero value is an empty world: no arguments, no
// environment, no files, input at its end, output discarded, real clocks and randomness.
type Config struct {
	Args []string
	Env  [][2]string // name, value; in this order

	// Files is a tree the guest sees read-only at "/"; nil means no preopened directory.
	// It must not lead outside itself by symbolic links: os.Root.FS, embed.FS, fstest.MapFS
	// and zip.Reader do not.
	Files fs.FS

	// Scratch is an empty directory of the invocation's own at "/scratch", in memory. It has a
	// fixed name of its own, so that it never hides an asset and guests find it with or without
	// Files. It ends with the invocation.
	Scratch Scratch

	// HTTP sends the requests of wasi:http; nil means that each is denied. It is called on
	// goroutines of the State, with a context that ends with the invocation and carries its
	// deadline but no values; it must return soon after that context ends, follow no redirects
	// and be safe for concurrent use. Of an error the guest learns the kind as an error-code. If it
	// also has Begin(*http.Request) http.RoundTripper, that is called before on the guest's goroutine,
	// in the order of the guest's requests, and what it gives serves that request.
	HTTP http.RoundTripper

	// Stdin must not block; nil is at its end.
	Stdin io.Reader
	// Stdout and Stderr must not block; nil discards. Together they take at most OutputLimit
	// bytes (0 means DefaultOutputLimit); after that the streams are closed for the guest.
	Stdout, Stderr io.Writer
	OutputLimit    int64

	// Witness is told what the guest learns of time; nil: nobody is.
	Witness Witness
	// Origin fixes what the guest sees of time and randomness while an image of it is made; zero:
	// they are real, and there is no image for a chosen Monotonic, Random or InsecureSeed.
	Origin Origin

	Clock     func() time.Time                                 // wall clock; nil means time.Now
	Monotonic func() time.Duration                             // since any fixed moment; nil means since NewState
	Sleep     func(ctx context.Context, d time.Duration) error // nil means a timer that ends with ctx

	Random io.Reader // nil means crypto/rand
	// InsecureSeed is what insecure-seed answers and seeds wasi:random/insecure; both zero
	// means two numbers from Random.
	InsecureSeed [2]uint64
}

// State is the WASI side of one invocation. The embedder stores it in link.Call.System and
// closes it when the invocation has ended. It serves one goroutine at a time.
type State struct {
	cfg      Config
	left     int64 // output bytes still allowed
	insecure *rand.Rand
	scratch  *scratch // nil: none
	listed   int      // entries that open listings hold
	unborn   bool     // an image is being made
	spoilt   string   // what a guest that was being born did that an image cannot hold

	wire  Wire
	parts map[any]Part
}

// Part is what a package that adds interfaces keeps for one invocation.
type Part interface {
	Close() // ends what the part started, and returns when it has ended
}

// NewState makes the state of one invocation.
func NewState(cfg Config) *State {
	s := &State{}
	s.begin(cfg)
	return s
}

func (s *State) begin(cfg Config) {
	if cfg.OutputLimit == 0 {
		cfg.OutputLimit = DefaultOutputLimit
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Monotonic == nil {
		start := time.Now()
		cfg.Monotonic = func() time.Duration { return bornBy + time.Since(start) }
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Random == nil {
		cfg.Random = crand.Reader
	}
	s.cfg, s.left = cfg, cfg.OutputLimit
	if cfg.Scratch.Bytes > 0 {
		s.scratch = newScratch(cfg.Scratch, s.wall())
	}
}

// Close ends the requests that are under way and returns when their goroutines are gone. The
// state must not be used afterwards.
func (s *State) Close() {
	for _, p := range s.parts {
		p.Close()
	}
}

// Part is what is kept under a key, made if there is none.
func (s *State) Part(key any, make func() Part) Part {
	p := s.parts[key]
	if p == nil {
		p = make()
		if s.parts == nil {
			s.parts = map[any]Part{}
		}
		s.parts[key] = p
	}
	return p
}

// Wire is what the guest shares with what works for it.
func (s *State) Wire() *Wire { return &s.wire }

// Config is the world of the invocation; nothing in it is nil that has a default.
func (s *State) Config() *Config { return &s.cfg }

// Touched says that the guest did what an image of it cannot hold; it spoils its birth.
func (s *State) Touched(why string) {
	if s.unborn {
		s.spoilt = why
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Fixed reports whether the resource behind a handle holds nothing of one invocation (standard
// streams, assets, the scratch directory by name, moments), so that a handle to it may be part of an instance's image.
func Fixed(rep any) bool {
	switch rep.(type) {
	case stdio, asset, scratchRoot, moment, network:
		return true
	}
	return false
}

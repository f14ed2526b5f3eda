package wasi

import (
	"context"
	crand "crypto/rand"
	"io"
	"io/fs"
	"math/rand/v2"
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

	// Stdin must not block; nil is at its end.
	Stdin io.Reader
	// Stdout and Stderr must not block; nil discards. Together they take at most OutputLimit
	// bytes (0 means DefaultOutputLimit); after that the streams are closed for the guest.
	Stdout, Stderr io.Writer
	OutputLimit    int64

	Clock     func() time.Time                                 // wall clock; nil means time.Now
	Monotonic func() time.Duration                             // since any fixed moment; nil means since NewState
	Sleep     func(ctx context.Context, d time.Duration) error // nil means a timer that ends with ctx

	Random io.Reader // nil means crypto/rand
	// InsecureSeed is what insecure-seed answers and seeds wasi:random/insecure; both zero
	// means two numbers from Random.
	InsecureSeed [2]uint64
}

// State is the WASI side of one invocation. The embedder stores it in link.Call.System. It
// serves one goroutine at a time and holds nothing that must be closed.
type State struct {
	cfg      Config
	left     int64 // output bytes still allowed
	insecure *rand.Rand
	spoilt   string // what a guest that was being born did that an image cannot hold
}

// NewState makes the state of one invocation.
func NewState(cfg Config) *State {
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
	return &State{cfg: cfg, left: cfg.OutputLimit}
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
// streams, descriptors, pollables), so that a handle to it may be part of an instance's image.
func Fixed(rep any) bool {
	switch rep.(type) {
	case stdio, descriptor, pollable, network:
		return true
	}
	return false
}

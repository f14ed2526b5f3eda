package wasi

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"time"

	"greentic.dev/wasm/link"
)

// bornBy is when a guest has been born, on the monotonic clock: instances that begin with an
// image must not see that clock go back.
const bornBy = time.Millisecond

// Birth is the system in which an image of a guest is made that serves invocations with cfg and
// any like it. There is none when cfg shows a guest something that it could remember from its
// start: arguments, environment, a chosen clock or chosen randomness, but for those of cfg.Origin. Reading input or a file,
// writing output, looking into the scratch directory, sending a request and sleeping spoil a birth. The wall clock and randomness are
// those of cfg.Origin, and real without one: what a guest keeps of them (hash seeds, the seed of a
// generator) lasts as long as the image.
func Birth(cfg Config) *link.Birth {
	chosen := cfg.Monotonic != nil || cfg.Random != nil || cfg.InsecureSeed != [2]uint64{}
	if len(cfg.Args) > 0 || len(cfg.Env) > 0 || chosen && cfg.Origin.none() {
		return nil
	}
	files, clock := cfg.Files != nil, cfg.Clock
	scratch := Scratch{Bytes: min(cfg.Scratch.Bytes, 1)} // whether there is one is all that shows
	return &link.Birth{
		Key: birthKey{files, scratch.Bytes > 0, cfg.Origin},
		System: func() any {
			s, ticks := &State{}, time.Duration(0)
			w := womb{s}
			seen := Config{Scratch: scratch, Clock: clock, Stdin: w, Stdout: w, Stderr: w, Sleep: w.sleep, Monotonic: func() time.Duration {
				ticks++
				return ticks
			}}
			if !cfg.Origin.none() {
				seen.Clock, seen.Random = cfg.Origin.clock, rand.NewChaCha8(cfg.Origin.Seed)
			}
			if files {
				seen.Files = w
			}
			s.unborn = true
			s.begin(seen)
			return s
		},
		Spoilt: func(system any) string { return system.(*State).spoilt },
	}
}

// birthKey is all that the first state of a guest depends on.
type birthKey struct {
	files, scratch bool
	origin         Origin
}

// Origin is the randomness and the wall clock of a birth: guests born of the same one are the
// same, on every machine.
type Origin struct {
	Seed [32]byte
	Time int64 // nanoseconds since 1970; the clock stands still
}

func (o Origin) none() bool       { return o == Origin{} }
func (o Origin) clock() time.Time { return time.Unix(0, o.Time) }

// womb is all the input and output there is at birth; whatever touches it spoils the birth.
type womb struct{ *State }

func (w womb) Read([]byte) (int, error) {
	w.spoilt = "it read its input"
	return 0, fs.ErrPermission
}

func (w womb) Write([]byte) (int, error) {
	w.spoilt = "it wrote output"
	return 0, fs.ErrPermission
}

func (w womb) Open(string) (fs.File, error) {
	w.spoilt = "it looked for a file"
	return nil, fs.ErrPermission
}

func (w womb) sleep(context.Context, time.Duration) error {
	w.spoilt = "it slept"
	return fs.ErrPermission
}

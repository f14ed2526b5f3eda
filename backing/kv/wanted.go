package kv

// Wanted is what a transaction is about to read. It is no promise to read it.
type Wanted struct {
	Keys   []string // for Get
	System []string // for Require
	Ranges []Range  // for Scan
}

// Range is the arguments of a Scan.
type Range struct {
	From, To string
	Limit    int
}

// Prefetch tells a store that answers from afar what a transaction will read, so that it is fetched
// together instead of one after the other; other stores do not even call say. It changes no answer,
// and it fails only where the reads would.
func Prefetch(r Reader, say func(*Wanted)) error {
	p, ok := r.(interface{ Prefetch(Wanted) error })
	if !ok {
		return nil
	}
	var w Wanted
	say(&w)
	return p.Prefetch(w)
}

package operate

import (
	"net/http"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

// again is what a replay is asked for.
type again struct {
	Release greentic.Digest `json:"release"` // run on this one; empty: on those of then
	Pack    string          `json:"pack"`    // or on the pack in this file or folder of the server's machine
	From    uint64          `json:"from"`    // the turn from which on differences count
	Step    int             `json:"step"`    // and its step, from 0
}

// replay runs the record of a conversation again without effects.
func (a *API) replay(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	var ask again
	if err := read(r, &ask); err != nil {
		return nil, err
	}
	o := runner.ReplayOptions{From: ask.From, Step: ask.Step}
	var err error
	switch {
	case ask.Pack != "" && ask.Release != "":
		return nil, fault.New(fault.Invalid, "replay", "pack and release both say what to run on").WithFix("give one of them")
	case ask.Pack != "":
		o.Release, err = a.open(r, ask.Pack)
	case ask.Release != "":
		o.Release, err = a.deps.Releases.Pinned(r.Context(), ask.Release)
	}
	if err != nil {
		return nil, err
	}
	return a.deps.Runner.Replay(r.Context(), tenant, r.PathValue("key"), o)
}

// open makes the pack of a file or folder ready without serving it to anybody.
func (a *API) open(r *http.Request, path string) (*release.Release, error) {
	v, err := a.deps.Load(r.Context(), path)
	if err != nil {
		return nil, err
	}
	return a.deps.Releases.Peek(v), nil
}

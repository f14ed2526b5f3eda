package operate

import (
	"context"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/release"
)

// What became of a conversation that was to follow its pack.
const (
	Went  = "moved" // it goes on in the new release
	Ended = "ended" // the new release lacks what it needs; the next message begins anew
	Busy  = "busy"  // a turn of it is under way
)

// Followed is one conversation that was to follow its pack.
type Followed struct {
	Key    string `json:"session"`
	Node   string `json:"node"` // where it waits
	Flow   string `json:"flow"`
	Became string `json:"became"` // Went, Ended or Busy
	Why    string `json:"why,omitempty"`
}

// Follow takes every parked conversation of a pack to its release v: for development, where nobody
// wants to finish on what was before. One that v cannot take is ended. Errors are those of the store.
func (a *API) Follow(ctx context.Context, tenant greentic.TenantCtx, v release.Version) (all []Followed, err error) {
	var behind []session.Session
	err = a.deps.DB.View(ctx, tenant, func(x kv.Reader) error {
		behind = nil
		return session.List(x, "", 0, func(s session.Session) bool {
			if s.Release != v.Digest {
				behind = append(behind, s)
			}
			return true
		})
	})
	if err != nil {
		return nil, fault.Wrap("follow", err)
	}
	for _, s := range behind {
		if from := a.deps.Releases.Version(ctx, s.Release); from.Pack != "" && from.Pack != v.Pack {
			continue
		}
		f := Followed{Key: s.Key, Node: s.Cursor.Node, Flow: s.Flow, Became: Went}
		if _, err = a.move(ctx, tenant, s.Key, v); lacks(err) {
			f.Became, f.Why = Ended, err.Error()
			err = a.finish(ctx, tenant, s.Key)
		}
		switch {
		case fault.Is(err, fault.NotFound): // it ended by itself
			continue
		case fault.Is(err, fault.Conflict):
			f.Became, f.Why = Busy, ""
		case err != nil:
			return all, err
		}
		all = append(all, f)
	}
	return all, nil
}

// lacks says that a release has not what a conversation needs.
func lacks(err error) bool {
	_, _, code := fault.Detail(err)
	return code == codeCannotMigrate
}

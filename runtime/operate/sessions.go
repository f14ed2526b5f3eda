package operate

import (
	"context"
	"net/http"
	"strings"
	"time"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/release"
)

// maxPending bounds the count of a conversation's waiting entries.
const maxPending = 1000

// Session is a parked conversation: who it is with, what it runs and where it waits.
type Session struct {
	Key      string          `json:"key"`
	Release  greentic.Digest `json:"release"`
	Pack     string          `json:"pack,omitempty"` // empty: its release cannot be opened here
	Version  string          `json:"version,omitempty"`
	Flow     string          `json:"flow"`
	Node     string          `json:"node"` // where it waits
	File     string          `json:"file,omitempty"`
	Line     int             `json:"line,omitempty"`
	Reason   string          `json:"reason,omitempty"`
	Due      time.Time       `json:"due,omitzero"` // when it stops waiting
	Route    string          `json:"route"`
	User     string          `json:"user,omitempty"`
	Locale   string          `json:"locale,omitempty"`
	Began    time.Time       `json:"began"`
	Updated  time.Time       `json:"updated"`
	AgeMS    int64           `json:"age_ms"`
	Revision uint64          `json:"revision"`
	Pending  int             `json:"pending"` // entries in its inbox, at most 1000 are counted
}

// Release is a release and how many sessions of the tenant are on it.
type Release struct {
	release.Version
	Sessions int `json:"sessions"`
}

func (a *API) releases(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	list, err := a.counted(r.Context(), tenant)
	return map[string]any{"releases": list}, err
}

// counted lists the releases that are known here or used by a session of the tenant.
func (a *API) counted(ctx context.Context, tenant greentic.TenantCtx) ([]Release, error) {
	var counts map[greentic.Digest]int
	err := a.view(ctx, tenant, func(x kv.Reader) (err error) {
		counts, err = session.Count(x)
		return err
	})
	if err != nil {
		return nil, err
	}
	known, err := a.deps.Releases.Known(ctx)
	if err != nil {
		return nil, err
	}
	list := []Release{}
	for _, v := range known {
		list = append(list, Release{v, counts[v.Digest]})
		delete(counts, v.Digest)
	}
	for d, n := range counts { // their packs are gone
		list = append(list, Release{release.Version{Digest: d}, n})
	}
	return list, nil
}

func (a *API) sessions(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	n, err := limit(r)
	if err != nil {
		return nil, err
	}
	page := struct {
		Sessions []Session `json:"sessions"`
		Next     string    `json:"next,omitempty"`
	}{Sessions: []Session{}}
	var list []session.Session
	var pending []int
	err = a.view(r.Context(), tenant, func(x kv.Reader) error {
		list, pending = nil, nil
		if err := session.List(x, r.URL.Query().Get("after"), n+1, func(s session.Session) bool { list = append(list, s); return true }); err != nil {
			return err
		}
		for _, s := range list {
			waiting, err := queue.Waiting(x, s.Key, 0, maxPending)
			if err != nil {
				return err
			}
			pending = append(pending, waiting)
		}
		return nil
	})
	if len(list) > n {
		list, page.Next = list[:n], list[n-1].Key
	}
	for i, s := range list {
		page.Sessions = append(page.Sessions, a.show(r.Context(), s, pending[i]))
	}
	return page, err
}

func (a *API) session(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	key := r.PathValue("key")
	var s session.Session
	var pending int
	err := a.view(r.Context(), tenant, func(x kv.Reader) (err error) {
		if s, err = load(x, key); err != nil {
			return err
		}
		pending, err = queue.Waiting(x, key, 0, maxPending)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.show(r.Context(), s, pending), nil
}

func (a *API) show(ctx context.Context, s session.Session, pending int) Session {
	v := a.deps.Releases.Version(ctx, s.Release)
	out := Session{Key: s.Key, Release: s.Release, Pack: v.Pack, Version: v.Version, Flow: s.Flow, Node: s.Cursor.Node, Reason: s.Reason, Due: s.Due,
		Route: s.Origin.Route, User: s.Origin.From, Locale: s.Origin.Tenant.Locale, Began: s.Began, Updated: s.Updated,
		AgeMS: a.deps.Now().Sub(s.Began).Milliseconds(), Revision: s.Revision, Pending: pending}
	if out.User == "" {
		out.User = string(s.Origin.Tenant.User)
	}
	if f, err := v.Flow(s.Cursor.Flow); err == nil && f.Node(s.Cursor.Node) != nil {
		out.File, out.Line = f.File, f.Node(s.Cursor.Node).Pos.Line
	}
	return out
}

// target names the release a session is to move to: by digest, or the served one of a pack.
type target struct {
	Release greentic.Digest `json:"release"`
	Pack    string          `json:"pack"` // with neither: the session's own pack
}

func (a *API) migrate(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	key := r.PathValue("key")
	var to target
	if err := read(r, &to); err != nil {
		return nil, err
	}
	var s session.Session
	err := a.view(r.Context(), tenant, func(x kv.Reader) (err error) {
		s, err = load(x, key)
		return err
	})
	var v release.Version
	if err == nil {
		v, err = a.find(r.Context(), s, to)
	}
	if err != nil {
		return nil, err
	}
	from := s.Release
	if s, err = a.move(r.Context(), tenant, key, v); err != nil {
		return nil, hidden(err)
	}
	a.deps.Log.Info("session migrated", "tenant", tenant.Tenant, "key", key, "from", from.Short(), "to", s.Release.Short())
	return a.show(r.Context(), s, 0), nil
}

// find settles which release is meant. One that is not to be had is fault.Conflict.
func (a *API) find(ctx context.Context, s session.Session, to target) (v release.Version, err error) {
	if to.Release != "" {
		if _, err := greentic.ParseDigest(string(to.Release)); err != nil {
			return v, err
		}
		switch v = a.deps.Releases.Version(ctx, to.Release); {
		case v.Pack == "":
			return v, fault.Newf(fault.Conflict, "migrate", "release %s is neither served nor kept here", to.Release).WithCode("no_release").
				WithFix("GET /v1/releases lists those there are")
		case to.Pack != "" && v.Pack != to.Pack:
			return v, fault.Newf(fault.Conflict, "migrate", "release %s is of pack %s, not of %s", to.Release, v.Pack, to.Pack).WithCode("no_release")
		}
		return v, nil
	}
	if to.Pack == "" {
		if to.Pack = a.deps.Releases.Version(ctx, s.Release).Pack; to.Pack == "" {
			return v, fault.New(fault.Conflict, "migrate", "the session's own release cannot be opened, so its pack is not known").WithCode("no_release").
				WithFix("name the release or the pack to go to")
		}
	}
	for _, v = range a.deps.Releases.Served() {
		if v.Pack == to.Pack {
			return v, nil
		}
	}
	known, err := a.deps.Releases.Known(ctx)
	if err != nil {
		return v, err
	}
	var kept []string
	for _, v := range known {
		if v.Pack == to.Pack {
			kept = append(kept, v.Version)
		}
	}
	who := "this server"
	if len(a.deps.Releases.Served()) == 0 {
		who = "a server that runs on this folder: there is none"
	}
	return v, fault.Newf(fault.Conflict, "migrate", "no release of pack %s is served by %s", to.Pack, who).WithCode("no_release").
		WithFix("name the version to go to, with --to or by its digest; kept of it: " + strings.Join(kept, ", "))
}

func (a *API) end(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	key := r.PathValue("key")
	if err := a.finish(r.Context(), tenant, key); err != nil {
		return nil, hidden(err)
	}
	a.deps.Log.Info("session ended by an operator", "tenant", tenant.Tenant, "key", key)
	return nil, nil
}

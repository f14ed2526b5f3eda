package release

import (
	"context"
	"strings"
	"sync"

	"greentic.dev/backing/egress"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow"
	"greentic.dev/model/pack"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
)

// Release is a verified pack ready to run. Components are compiled when first used. It is safe
// for concurrent use.
type Release struct {
	verified *loader.Verified
	host     *host.Host
	hosts    []egress.Grant // that every component may call

	mu         sync.Mutex
	components map[string]*loading
}

// loading is a component that is being compiled, or was.
type loading struct {
	done      chan struct{}
	component *host.Component
	err       error
}

// Digest identifies the release.
func (r *Release) Digest() greentic.Digest { return r.verified.Digest() }

// Archive is the pack.
func (r *Release) Archive() *pack.Archive { return r.verified.Archive() }

// Component compiles a component once, however many turns want it. A failure is not kept: a
// later turn tries again.
func (r *Release) Component(ctx context.Context, id string) (*host.Component, error) {
	r.mu.Lock()
	l, ok := r.components[id]
	if !ok {
		l = &loading{done: make(chan struct{})}
		r.components[id] = l
	}
	r.mu.Unlock()
	if !ok {
		code, err := r.verified.Archive().Wasm(id)
		if err == nil {
			l.component, err = r.host.Load(context.WithoutCancel(ctx), id, code) // others may wait for it
		}
		if l.err = err; err != nil {
			r.mu.Lock()
			delete(r.components, id)
			r.mu.Unlock()
		}
		close(l.done)
	}
	select {
	case <-l.done:
		return l.component, l.err
	case <-ctx.Done():
		return nil, fault.Wrap("component "+id, ctx.Err())
	}
}

// Warm compiles every component the pack carries, so that the first turn does not wait.
func (r *Release) Warm(ctx context.Context) error {
	for _, c := range r.verified.Archive().Components() {
		if _, err := r.Component(ctx, c.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// Flow finds a flow by id; fault.NotFound when there is none.
func (r *Release) Flow(id string) (*flow.Flow, error) {
	for _, f := range r.verified.Archive().Flows() {
		if f.ID == id {
			return f, nil
		}
	}
	return nil, fault.Newf(fault.NotFound, "pack "+r.verified.Archive().ID(), "it has no flow %q", id)
}

// Provider finds the component of a provider: the one called id (an instance, a component or a
// type), else the only one of a type. Errors: fault.NotFound, naming those there are; fault.Conflict for
// several of a type.
func (r *Release) Provider(id, kind string) (component string, err error) {
	var known, fits []string
	for _, p := range r.verified.Archive().Providers() {
		known = append(known, p.Type)
		if id != "" && (p.ID == id || p.Component == id || p.Type == id) {
			return p.Component, nil
		}
		if id == "" && p.Type == kind {
			fits = append(fits, p.Component)
		}
	}
	name := id + kind
	if id != "" {
		name = id
		if _, err := r.verified.Archive().Component(id); err == nil {
			return id, nil
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		if known = append(known, "none"); len(known) > 1 {
			known = known[:len(known)-1]
		}
		return "", fault.Newf(fault.NotFound, "pack "+r.verified.Archive().ID(), "it has no provider %q; it has: %s", name, strings.Join(known, ", ")).WithCode("provider_not_found")
	}
	return "", fault.Newf(fault.Conflict, "pack "+r.verified.Archive().ID(), "it has %d providers of type %s: %s", len(fits), kind, strings.Join(fits, ", ")).
		WithCode("provider_ambiguous").WithFix("name one with provider_id")
}

// Asset reads a file of the pack.
func (r *Release) Asset(path string) ([]byte, bool) {
	b, err := r.verified.Archive().Asset(path)
	return b, err == nil
}

// Texts looks up a translation: exact locale, then its language, then English.
func (r *Release) Texts(locale string) card.Texts {
	archive := r.verified.Archive()
	var maps []map[string]string
	for _, l := range card.Fallback(locale) {
		if m, err := archive.Texts(l); err == nil && len(m) > 0 {
			maps = append(maps, m)
		}
	}
	return func(key string) (string, bool) {
		for _, m := range maps {
			if text, ok := m[key]; ok {
				return text, true
			}
		}
		return "", false
	}
}

// Grants is what a component of this release may reach: the hosts the operator allowed, and the
// secrets, state and scratch directory ("filesystem": {"mode": "sandbox"}) that its manifest declares. For a component without a manifest in the pack
// the pack's own secret requirements count, and asking for state is declaring it.
func (r *Release) Grants(id string) host.Grants {
	archive := r.verified.Archive()
	g := host.Grants{Hosts: r.hosts, State: true}
	required := archive.SecretRequirements()
	if c, err := archive.Component(id); err == nil && c.Manifest != nil {
		declared := c.Manifest.Capabilities.Host
		g.State, required = declared.State != nil, nil
		if declared.Secrets != nil {
			required = declared.Secrets.Required
		}
		files := c.Manifest.Capabilities.Wasi.Filesystem
		g.Scratch = files != nil && files.Mode == "sandbox"
	}
	for _, req := range required {
		g.Secrets = append(g.Secrets, req.Key)
	}
	return g
}

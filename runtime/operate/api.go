package operate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"greentic.dev/backing/bus"
	"greentic.dev/backing/kv"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
	"greentic.dev/runtime/runner"
)

// Deps is what the operations work with. All are required. The runner need not have been started.
type Deps struct {
	DB       kv.DB
	Bus      bus.Bus
	Runner   *runner.Runner
	Releases *release.Set
	Tenant   greentic.TenantCtx // of requests that name none; its environment is everybody's
	Now      func() time.Time
	NewID    func() string // unique
	Log      *slog.Logger
	Load     func(ctx context.Context, path string) (*loader.Verified, error) // verifies the pack in a file or folder
}

// API is the operations of one process. It is safe for concurrent use.
type API struct{ deps Deps }

// New makes the operations.
func New(d Deps) *API { return &API{deps: d} }

// How many things one answer lists.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Routes are the operations over HTTP. Each is for operators, who may name any tenant in the query
// parameter tenant. Lists are read on with the query parameters after (the value of "next" in the
// answer before) and limit (1 to 1000; 100).
func (a *API) Routes() []route.Route {
	r := func(method, path, action, resource string, h handler) route.Route {
		return route.Route{Method: method, Path: path, Action: action, Resource: resource, Auth: route.Operator, Handler: a.handle(h)}
	}
	return []route.Route{
		r("GET", "/v1/status", "read", "status", a.status),
		r("GET", "/v1/releases", "read", "release", a.releases),
		r("GET", "/v1/sessions", "read", "session", a.sessions),
		r("GET", "/v1/sessions/{key}", "read", "session", a.session),
		r("POST", "/v1/sessions/{key}/migrate", "write", "session", a.migrate),
		r("POST", "/v1/sessions/{key}/replay", "read", "session", a.replay),
		r("DELETE", "/v1/sessions/{key}", "write", "session", a.end),
		r("GET", "/v1/deadletters", "read", "dead_letter", a.letters),
		r("GET", "/v1/deadletters/{id}", "read", "dead_letter", a.letter),
		r("POST", "/v1/deadletters/{id}/retry", "write", "dead_letter", a.retry),
		r("DELETE", "/v1/deadletters/{id}", "write", "dead_letter", a.drop),
		r("GET", "/v1/turns", "read", "turn", a.turns),
		r("GET", "/v1/turns/{turn}", "read", "turn", a.turn),
		r("GET", "/v1/turns/{turn}/why", "read", "turn", a.why),
		r("GET", "/v1/turns/{turn}/graph", "read", "turn", a.graph),
		r("POST", "/v1/flows/{pack}/{flow}/invoke", "post", "turn", a.invoke),
	}
}

// handler answers a request for a tenant with a JSON value; nil is 204.
type handler func(w http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error)

// picture is an answer that is an SVG.
type picture string

// accepted is an answer with status 202.
type accepted struct{ value any }

func (a *API) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant := greentic.TenantCtx{Env: a.deps.Tenant.Env, Tenant: a.deps.Tenant.Tenant}
		if name := r.URL.Query().Get("tenant"); name != "" {
			tenant.Tenant = greentic.TenantID(name)
		}
		err := tenant.Check()
		var v any
		if err == nil {
			v, err = h(w, r, tenant)
		}
		if svg, is := v.(picture); is && err == nil {
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = io.WriteString(w, string(svg))
			return
		}
		status := http.StatusOK
		switch later, is := v.(accepted); {
		case err != nil:
			status, v = fault.KindOf(err).HTTPStatus(), describe(err)
			if _, _, code := fault.Detail(err); code == kv.TooLarge {
				status = http.StatusRequestEntityTooLarge
			}
			if fault.Is(err, fault.Internal) {
				a.deps.Log.Error("operation failed", "path", r.URL.Path, "tenant", tenant.Tenant, "error", err)
			}
		case v == nil:
			w.WriteHeader(http.StatusNoContent)
			return
		case is:
			status, v = http.StatusAccepted, later.value
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(v)
	})
}

// failure is the body of an answer that says what went wrong.
type failure struct {
	Error problem `json:"error"`
}

type problem struct {
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

func describe(err error) failure {
	_, fix, code := fault.Detail(err)
	return failure{problem{fault.KindOf(err).String(), code, err.Error(), fix}}
}

// hidden makes what does not exist and what is another tenant's answer alike, byte for byte.
func hidden(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.NotFound, "", "there is no such resource")
	}
	return err
}

// view reads from the store of a tenant.
func (a *API) view(ctx context.Context, tenant greentic.TenantCtx, fn func(kv.Reader) error) error {
	return hidden(a.deps.DB.View(ctx, tenant, fn))
}

// limit reads the query parameter limit.
func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, fault.Newf(fault.Invalid, "limit", "%q is not a number from 1 to %d", text, maxLimit)
	}
	return n, nil
}

// read decodes the JSON of a request into v; an empty body leaves v as it is. Unknown fields are
// refused: a misspelt one would be ignored in silence.
func read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && d.More() {
		err = errors.New("more than one value")
	}
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return fault.Newf(fault.Exhausted, "request", "the body is larger than %d bytes", large.Limit).WithCode(kv.TooLarge)
	}
	return fault.As(fault.Invalid, "request", err)
}

package gateway

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"sort"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
)

// Options configures the front door.
type Options struct {
	Token   string // bearer token of operators (decisions 32); empty closes operator routes
	MaxBody int64  // bytes of a request body where the route names no limit; 0 means 1 MiB
	Log     *slog.Logger
}

// Gateway serves a fixed set of routes. It is safe for concurrent use.
type Gateway struct {
	options Options
	mux     *http.ServeMux
	routes  []route.Route
}

// New mounts the routes. Two routes with one pattern are fault.Exists.
func New(o Options, routes []route.Route) (*Gateway, error) {
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	g := &Gateway{options: o, mux: http.NewServeMux(), routes: routes}
	seen := map[string]bool{}
	cors := map[string][]string{}
	for _, r := range routes {
		pattern := r.Method + " " + r.Path
		if seen[pattern] {
			return nil, fault.Newf(fault.Exists, "gateway", "two routes for %s", pattern)
		}
		seen[pattern] = true
		g.mux.Handle(pattern, g.serve(r))
		if r.CORS {
			cors[r.Path] = append(cors[r.Path], r.Method)
		}
	}
	for path, methods := range cors {
		sort.Strings(methods)
		g.mux.Handle("OPTIONS "+path, preflight(strings.Join(append(methods, "OPTIONS"), ", ")))
	}
	return g, nil
}

// Routes is what the gateway serves, for the route and principal matrix test.
func (g *Gateway) Routes() []route.Route { return g.routes }

// ServeHTTP implements http.Handler. A panic in a handler answers 500 with a reference id and
// is logged; the server stays up.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == nil || p == http.ErrAbortHandler {
			return
		}
		id := reference()
		g.options.Log.Error("request panicked", "path", r.URL.Path, "panic", p, "reference", id)
		refuse(w, fault.Newf(fault.Internal, "gateway", "the request failed; reference %s", id))
	}()
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	g.mux.ServeHTTP(w, r)
}

func (g *Gateway) serve(rt route.Route) http.Handler {
	limit := rt.MaxBody
	if limit == 0 {
		limit = g.options.MaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rt.CORS {
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		if rt.Auth == route.Operator {
			if !loopback(r) { // from elsewhere operator routes do not exist
				http.NotFound(w, r)
				return
			}
			if err := g.operator(r); err != nil {
				w.Header().Set("WWW-Authenticate", `Bearer realm="greentic"`)
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				_ = json.NewEncoder(w).Encode(body(err))
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		rt.Handler.ServeHTTP(w, r)
	})
}

func loopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// operator demands the token of the data folder.
func (g *Gateway) operator(r *http.Request) error {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || g.options.Token == "" || subtle.ConstantTimeCompare([]byte(given), []byte(g.options.Token)) != 1 {
		return fault.New(fault.Denied, "gateway", "the operator token is missing or wrong")
	}
	return nil
}

func preflight(methods string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Allow-Methods", methods)
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	})
}

type errorBody struct {
	Error struct {
		Kind    string `json:"kind"`
		Message string `json:"message"`
	} `json:"error"`
}

func body(err error) errorBody {
	var b errorBody
	b.Error.Kind, b.Error.Message = fault.KindOf(err).String(), err.Error()
	return b
}

func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(fault.KindOf(err).HTTPStatus())
	_ = json.NewEncoder(w).Encode(body(err))
}

func reference() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

package gateway_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"greentic.dev/gateway"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/route"
)

func open(t *testing.T, routes ...route.Route) *gateway.Gateway {
	t.Helper()
	g, err := gateway.New(gateway.Options{Token: "operator-token", MaxBody: 16, Log: slog.New(slog.DiscardHandler)}, routes)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func ok(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	}
}

func call(g http.Handler, method, path, peer, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = peer
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestWhoMayCallWhat(t *testing.T) {
	g := open(t,
		route.Route{Method: "GET", Path: "/public", Auth: route.Public, Handler: http.HandlerFunc(ok)},
		route.Route{Method: "POST", Path: "/operate", Handler: http.HandlerFunc(ok)},
	)
	for name, c := range map[string]struct {
		method, path, peer, token, body string
		want                            int
	}{
		"anybody reads a public page":             {"GET", "/public", "203.0.113.9:1", "", "", 200},
		"an operator with the token on loopback":  {"POST", "/operate", "127.0.0.1:1", "operator-token", "", 200},
		"loopback without the token":              {"POST", "/operate", "127.0.0.1:1", "", "", 401},
		"loopback with a wrong token":             {"POST", "/operate", "127.0.0.1:1", "guess", "", 401},
		"the token from elsewhere sees no route":  {"POST", "/operate", "203.0.113.9:1", "operator-token", "", 404},
		"the zero value of Auth is the strictest": {"POST", "/operate", "[::1]:1", "", "", 401},
		"a body over the limit":                   {"POST", "/operate", "127.0.0.1:1", "operator-token", strings.Repeat("x", 17), 413},
		"a wrong method":                          {"DELETE", "/public", "127.0.0.1:1", "", "", 405},
		"an unknown path":                         {"GET", "/nothing", "127.0.0.1:1", "", "", 404},
	} {
		if got := call(g, c.method, c.path, c.peer, c.token, c.body).Code; got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}

func TestFromElsewhereAnOperatorsRouteLooksLikeNone(t *testing.T) {
	g := open(t, route.Route{Method: "GET", Path: "/operate/{id}", Handler: http.HandlerFunc(ok)})
	there := call(g, "GET", "/operate/1", "203.0.113.9:1", "operator-token", "")
	none := call(g, "GET", "/nothing/1", "203.0.113.9:1", "operator-token", "")
	if there.Code != 404 || there.Body.String() != none.Body.String() || fmt.Sprint(there.Header()) != fmt.Sprint(none.Header()) {
		t.Fatalf("%d %v %q, no route: %v %q", there.Code, there.Header(), there.Body, none.Header(), none.Body)
	}
}

func TestAPanicAnswersWithAReferenceAndTheServerStaysUp(t *testing.T) {
	g := open(t, route.Route{Method: "GET", Path: "/boom", Auth: route.Public, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") })})
	for range 2 {
		w := call(g, "GET", "/boom", "127.0.0.1:1", "", "")
		if w.Code != 500 || strings.Contains(w.Body.String(), "secret detail") || !strings.Contains(w.Body.String(), "reference") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

func TestPreflightNamesTheMethods(t *testing.T) {
	g := open(t, route.Route{Method: "POST", Path: "/x/{id}", Auth: route.Own, CORS: true, Handler: http.HandlerFunc(ok)})
	w := call(g, "OPTIONS", "/x/1", "203.0.113.9:1", "", "")
	if w.Code != 204 || w.Header().Get("Access-Control-Allow-Methods") != "POST, OPTIONS" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
}

func TestTwoRoutesForOnePatternAreRefused(t *testing.T) {
	r := route.Route{Method: "GET", Path: "/x", Handler: http.HandlerFunc(ok)}
	if _, err := gateway.New(gateway.Options{}, []route.Route{r, r}); !fault.Is(err, fault.Exists) {
		t.Fatalf("err = %v", err)
	}
}

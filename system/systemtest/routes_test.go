package systemtest_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"greentic.dev/internal/route"
	"greentic.dev/system"
)

// Every route that is served, for each who may knock: operators' routes open to the token on
// loopback, answer 401 there to anybody else, and do not exist from elsewhere.
func TestWhoMayCallWhichRoute(t *testing.T) {
	config := testConfig(t)
	s := openSystem(t, config, system.Options{}, echoPack(t))
	defer func() { _ = s.Close() }()
	handler, err := s.Handler()
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(config.Data, "operator.token"))
	if err != nil {
		t.Fatal(err)
	}
	call := func(r route.Route, peer, token string) *httptest.ResponseRecorder {
		path := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(r.Path, "none")
		request := httptest.NewRequest(r.Method, path, nil)
		request.RemoteAddr = peer
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, request)
		return w
	}
	const here, elsewhere = "127.0.0.1:1", "203.0.113.9:1"
	nothing := call(route.Route{Method: "GET", Path: "/v1/nothing/of/the/kind"}, elsewhere, "")
	operators := 0
	for _, r := range handler.(interface{ Routes() []route.Route }).Routes() {
		if r.Action == "" || r.Resource == "" {
			t.Errorf("%s %s says nothing of action and resource", r.Method, r.Path)
		}
		if r.Auth != route.Operator {
			continue
		}
		operators++
		for name, c := range map[string]struct {
			peer, token string
			want        int // 0: anything but 401
		}{
			"the token on loopback":       {here, string(token), 0},
			"no token":                    {here, "", 401},
			"a wrong token":               {here, string(token[1:]) + "0", 401},
			"the token from elsewhere":    {elsewhere, string(token), 404},
			"no token and from elsewhere": {elsewhere, "", 404},
		} {
			w := call(r, c.peer, c.token)
			if c.want == 0 && w.Code == 401 || c.want != 0 && w.Code != c.want {
				t.Errorf("%s %s with %s: %d %s", r.Method, r.Path, name, w.Code, w.Body)
			}
			if c.want == 404 && w.Body.String() != nothing.Body.String() {
				t.Errorf("%s %s with %s can be told from a route that does not exist: %s", r.Method, r.Path, name, w.Body)
			}
		}
	}
	if operators < 14 {
		t.Errorf("only %d routes are for operators", operators)
	}
}

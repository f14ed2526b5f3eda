package egress

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server starts handler and gives its URL and the grant for exactly it.
func server(t *testing.T, handler http.HandlerFunc) (string, Grant) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL, grantFor(t, s.URL)
}

func grantFor(t *testing.T, url string) Grant {
	t.Helper()
	_, address, _ := strings.Cut(url, "://")
	g, err := ParseGrant(address)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	c := New(o)
	t.Cleanup(func() { c.Close() })
	return c
}

func do(t *testing.T, c *Client, r Request) (*Response, error) {
	t.Helper()
	return c.Do(t.Context(), greentic.DefaultTenant(), r)
}

func TestAGrantedRequestArrivesAndIsAnswered(t *testing.T) {
	url, grant := server(t, func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		if r.Method != "POST" || r.Header.Get("X-A") != "1" || string(body) != "hello" || r.Host == "evil" {
			t.Errorf("%s %v %q %s", r.Method, r.Header, body, r.Host)
		}
		w.Header().Set("X-B", "2")
		w.WriteHeader(418)
		_, _ = w.Write([]byte("short"))
	})
	got, err := do(t, newClient(t, Options{}), Request{Method: "post", URL: url + "/x?y=1", Body: []byte("hello"), Grants: []Grant{grant},
		Header: [][2]string{{"x-a", "1"}, {"host", "evil"}, {"content-length", "3"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 418 || string(got.Body) != "short" {
		t.Errorf("%+v", got)
	}
	found := false
	for _, h := range got.Header {
		found = found || h == [2]string{"X-B", "2"}
	}
	if !found {
		t.Errorf("headers %v", got.Header)
	}
}

func TestWithoutAGrantNothingIsSent(t *testing.T) {
	hits := 0
	url, grant := server(t, func(http.ResponseWriter, *http.Request) { hits++ })
	c := newClient(t, Options{})
	for name, grants := range map[string][]Grant{"none": nil, "another host": {{Host: "example.com"}}, "another port": {{Host: "127.0.0.1"}},
		"another method": {{Host: grant.Host, Ports: grant.Ports, Methods: []string{"POST"}}}} {
		if _, err := do(t, c, Request{Method: "GET", URL: url, Grants: grants}); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests arrived", hits)
	}
}

// names answers every A query with one address, like a hostile DNS server.
func names(address string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		mine, theirs := net.Pipe()
		go func() {
			defer mine.Close()
			head := make([]byte, 2)
			for {
				if _, err := mine.Read(head); err != nil {
					return
				}
				query := make([]byte, int(head[0])<<8|int(head[1]))
				if _, err := mine.Read(query); err != nil {
					return
				}
				end := 12
				for query[end] != 0 {
					end += int(query[end]) + 1
				}
				answer := append([]byte{}, query[:end+5]...)
				answer[2], answer[3], answer[10], answer[11] = 0x81, 0x80, 0, 0
				if query[end+2] == 1 { // an A query
					answer[7] = 1
					answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
					answer = append(answer, netip.MustParseAddr(address).AsSlice()...)
				} else {
					answer[7] = 0
				}
				answer[8], answer[9] = 0, 0
				if _, err := mine.Write(append([]byte{byte(len(answer) >> 8), byte(len(answer))}, answer...)); err != nil {
					return
				}
			}
		}()
		return theirs, nil
	}}
}

func TestANameThatResolvesToAPrivateAddressIsDenied(t *testing.T) {
	hits := 0
	url, grant := server(t, func(http.ResponseWriter, *http.Request) { hits++ })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	for _, address := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "0.0.0.0"} {
		c := newClient(t, Options{Resolver: names(address)})
		_, err := do(t, c, Request{Method: "GET", URL: "http://innocent.example:" + port, Grants: []Grant{{Host: "innocent.example", Ports: grant.Ports}}})
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests arrived", hits)
	}
}

func TestLocalhostMustBeLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "10.0.0.1:80": false, "93.184.216.34:80": false, "nonsense": false} {
		if err := onlyLoopback("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestARedirectIsJudgedLikeARequest(t *testing.T) {
	other, otherGrant := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Secret") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
			t.Errorf("the second host saw %v", r.Header)
		}
		_, _ = w.Write([]byte("other"))
	})
	url, grant := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other+"/there", http.StatusFound) })
	c := newClient(t, Options{})
	header := [][2]string{{"X-Secret", "s"}, {"Authorization", "Bearer s"}}

	if _, err := do(t, c, Request{Method: "GET", URL: url + "/bot-token/x", Header: header, Grants: []Grant{grant}}); !fault.Is(err, fault.Denied) {
		t.Errorf("redirect to a host without grant: %v", err)
	}
	got, err := do(t, c, Request{Method: "GET", URL: url, Header: header, Grants: []Grant{grant, otherGrant}})
	if err != nil || string(got.Body) != "other" {
		t.Errorf("granted redirect: %v %v", got, err)
	}
	got, err = do(t, c, Request{Method: "GET", URL: url, Grants: []Grant{grant}, NoRedirects: true})
	if err != nil || got.Status != http.StatusFound {
		t.Errorf("unfollowed redirect: %v %v", got, err)
	}
}

func TestRedirectsEnd(t *testing.T) {
	hits := 0
	url, grant := server(t, func(w http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
	})
	if _, err := do(t, newClient(t, Options{MaxRedirects: 3}), Request{Method: "GET", URL: url + "/", Grants: []Grant{grant}}); !fault.Is(err, fault.Exhausted) || hits != 4 {
		t.Errorf("%d requests, %v", hits, err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	url, grant := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(make([]byte, 2000))
	})
	c := newClient(t, Options{MaxResponse: 1000})
	if _, err := do(t, c, Request{Method: "GET", URL: url, Grants: []Grant{grant}}); !fault.Is(err, fault.Exhausted) {
		t.Errorf("size: %v", err)
	}
	if _, err := do(t, c, Request{Method: "GET", URL: url + "/slow", Grants: []Grant{grant}, Timeout: 20 * time.Millisecond}); !fault.Is(err, fault.Timeout) {
		t.Errorf("time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := c.Do(ctx, greentic.DefaultTenant(), Request{Method: "GET", URL: url + "/slow", Grants: []Grant{grant}}); !fault.Is(err, fault.Canceled) {
		t.Errorf("cancel: %v", err)
	}
}

func TestErrorsNeverCarryTheURL(t *testing.T) {
	closed, grant := server(t, func(http.ResponseWriter, *http.Request) {})
	c := newClient(t, Options{})
	for _, r := range []Request{
		{Method: "GET", URL: "http://127.0.0.1:1/botSECRET/x", Grants: []Grant{{Host: "127.0.0.1", Ports: []uint16{1}}}},
		{Method: "GET", URL: "http://127.0.0.1:1/botSECRET/x"},
		{Method: "GET", URL: "http://127.0.0.1:1/%zz/botSECRET"},
		{Method: "GET", URL: "botSECRET://x"},
		{Method: "GET", URL: "http://SECRET:botSECRET@/"},
		{Method: "G T", URL: closed + "/botSECRET", Grants: []Grant{grant}},
		{Method: "GET", URL: closed + "/", Grants: []Grant{grant}, Header: [][2]string{{"X", "SECRET\r\nY: z"}}},
	} {
		if _, err := do(t, c, r); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", r.URL, err)
		}
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	grant := grantFor(t, s.URL)
	if _, err := do(t, newClient(t, Options{}), Request{Method: "GET", URL: s.URL, Grants: []Grant{grant}}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("unknown authority: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if got, err := do(t, newClient(t, Options{RootCAs: roots}), Request{Method: "GET", URL: s.URL, Grants: []Grant{grant}}); err != nil || string(got.Body) != "ok" {
		t.Errorf("known authority: %v", err)
	}
	if got, err := do(t, newClient(t, Options{}), Request{Method: "GET", URL: s.URL, Grants: []Grant{grant}, AllowInsecure: true}); err != nil || string(got.Body) != "ok" {
		t.Errorf("unchecked at a granted address: %v", err)
	}
	if _, err := do(t, newClient(t, Options{}), Request{Method: "GET", URL: "https://example.com/", Grants: []Grant{{Host: "example.com"}}, AllowInsecure: true}); !fault.Is(err, fault.Denied) {
		t.Errorf("a guest switched the check off by itself: %v", err)
	}
}

func TestTenantsShareNoConnection(t *testing.T) {
	url, grant := server(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.RemoteAddr)) })
	c := newClient(t, Options{})
	from := func(tenant greentic.TenantID) string {
		got, err := c.Do(t.Context(), greentic.TenantCtx{Env: "local", Tenant: tenant}, Request{Method: "GET", URL: url, Grants: []Grant{grant}})
		if err != nil {
			t.Fatal(err)
		}
		return string(got.Body)
	}
	a, b, again := from("a"), from("b"), from("a")
	if a == b {
		t.Error("two tenants used one connection")
	}
	if a != again {
		t.Error("one tenant's connection was not kept")
	}
}

func TestTheNumberOfPoolsIsBounded(t *testing.T) {
	c := newClient(t, Options{})
	for i := range 3 * maxPools {
		c.transport(greentic.TenantCtx{Env: "local", Tenant: greentic.TenantID(strings.Repeat("x", i+1))}, false)
	}
	if len(c.pools) != maxPools {
		t.Errorf("%d pools", len(c.pools))
	}
}

func TestTheEnvironmentNamesNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	url, grant := server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("direct")) })
	if got, err := do(t, newClient(t, Options{}), Request{Method: "GET", URL: url, Grants: []Grant{grant}}); err != nil || string(got.Body) != "direct" {
		t.Errorf("%v %v", got, err)
	}
}

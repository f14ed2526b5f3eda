package egress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// closing is a body that says whether it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// stream sends a request through a round tripper.
func stream(t *testing.T, c *Client, method, url string, body io.Reader, grants ...Grant) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return c.RoundTripper(greentic.DefaultTenant(), grants).RoundTrip(req)
}

func TestAStreamIsJudgedLikeARequest(t *testing.T) {
	hits := 0
	url, grant := server(t, func(rw http.ResponseWriter, r *http.Request) {
		hits++
		http.Redirect(rw, r, "/elsewhere", http.StatusFound)
	})
	c := newClient(t, Options{})
	body := &closing{Reader: strings.NewReader("x")}
	if _, err := stream(t, c, "POST", url, body); !fault.Is(err, fault.Denied) || hits != 0 || !body.closed {
		t.Errorf("without a grant: %v, %d hits, closed %v", err, hits, body.closed)
	}
	if _, err := stream(t, c, "POST", url, nil, Grant{Host: grant.Host, Ports: grant.Ports, Methods: []string{"GET"}}); !fault.Is(err, fault.Denied) {
		t.Errorf("another method: %v", err)
	}
	guarded := newClient(t, Options{Resolver: names("10.0.0.1")})
	if _, err := stream(t, guarded, "GET", "http://innocent.example", nil, Grant{Host: "innocent.example"}); !fault.Is(err, fault.Denied) {
		t.Errorf("a private address: %v", err)
	}
	resp, err := stream(t, c, "GET", url, nil, grant)
	if err != nil || resp.StatusCode != http.StatusFound || hits != 1 {
		t.Fatalf("a redirect: %v %v, %d hits", resp, err, hits)
	}
	_ = resp.Body.Close()
}

func TestBodiesStreamBothWays(t *testing.T) {
	url, grant := server(t, func(rw http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(rw).EnableFullDuplex()
		rw.(http.Flusher).Flush()
		_, _ = io.Copy(flushing{rw}, r.Body)
	})
	mine, theirs := io.Pipe()
	resp, err := stream(t, newClient(t, Options{}), "POST", url, mine, grant)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 1)
	for _, letter := range []string{"a", "b"} {
		if _, err := theirs.Write([]byte(letter)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != letter {
			t.Fatalf("%q %v", buf, err)
		}
	}
	_ = theirs.Close()
	if rest, err := io.ReadAll(resp.Body); len(rest) != 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

type flushing struct{ http.ResponseWriter }

func (f flushing) Write(b []byte) (int, error) {
	defer f.ResponseWriter.(http.Flusher).Flush()
	return f.ResponseWriter.Write(b)
}

func TestStreamsAreBounded(t *testing.T) {
	url, grant := server(t, func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/up":
			_, _ = io.Copy(io.Discard, r.Body)
		case "/down":
			_, _ = rw.Write(make([]byte, 2000))
		case "/slow":
			rw.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	})
	c := newClient(t, Options{MaxRequest: 1000, MaxResponse: 1000, Timeout: 200 * time.Millisecond})
	for name, body := range map[string]io.Reader{"declared": strings.NewReader(strings.Repeat("x", 1001)), "streamed": io.LimitReader(endless{}, 1<<20)} {
		if _, err := stream(t, c, "POST", url+"/up", body, grant); !fault.Is(err, fault.Exhausted) {
			t.Errorf("a long request, %s: %v", name, err)
		}
	}
	for path, kind := range map[string]fault.Kind{"/down": fault.Exhausted, "/slow": fault.Timeout} {
		resp, err := stream(t, c, "GET", url+path, nil, grant)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); !fault.Is(err, kind) || len(b) > 1000 {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
		_ = resp.Body.Close()
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestAStreamEndsWithItsContext(t *testing.T) {
	url, grant := server(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	req, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
	_, err := newClient(t, Options{}).RoundTripper(greentic.DefaultTenant(), []Grant{grant}).RoundTrip(req)
	if !errors.Is(err, why) || strings.Contains(err.Error(), url) {
		t.Errorf("%v", err)
	}
}

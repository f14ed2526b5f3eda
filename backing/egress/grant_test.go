package egress

import (
	"net/url"
	"testing"

	"greentic.dev/greentic/fault"
)

func TestGrants(t *testing.T) {
	for _, c := range []struct {
		grant, method, url string
		want               bool
	}{
		{"api.example.com", "GET", "https://api.example.com/x", true},
		{"api.example.com", "GET", "https://API.Example.COM./x", true},
		{"api.example.com", "GET", "http://api.example.com/x", true},
		{"api.example.com", "GET", "https://api.example.com:8443/x", false},
		{"api.example.com:8443", "GET", "https://api.example.com:8443/x", true},
		{"api.example.com:8443", "GET", "https://api.example.com/x", false},
		{"api.example.com", "GET", "https://example.com/x", false},
		{"api.example.com", "GET", "https://api.example.com.evil.org/x", false},
		{"api.example.com", "GET", "https://api.example.com@evil.org/x", false},
		{"*.example.com", "GET", "https://a.b.example.com/", true},
		{"*.example.com", "GET", "https://example.com/", false},
		{"*.example.com", "GET", "https://notexample.com/", false},
		{"127.0.0.1:9999", "GET", "http://127.0.0.1:9999/", true},
		{"127.0.0.1:9999", "GET", "http://127.1:9999/", false},
		{"127.0.0.1:9999", "GET", "http://[::ffff:127.0.0.1]:9999/", true},
		{"[::1]:9999", "GET", "http://[0:0::1]:9999/", true},
		{"::1", "GET", "http://[::1]/", true},
		{"localhost:80", "GET", "http://127.0.0.1/", false},
	} {
		g, err := ParseGrant(c.grant)
		if err != nil {
			t.Errorf("%s: %v", c.grant, err)
			continue
		}
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		target, err := targetOf(c.method, u)
		if got := err == nil && g.allows(target); got != c.want {
			t.Errorf("grant %s, %s %s: %v (%v)", c.grant, c.method, c.url, got, err)
		}
	}
}

func TestAGrantMayNameMethods(t *testing.T) {
	u, _ := url.Parse("https://example.com/")
	g := Grant{Host: "example.com", Methods: []string{"GET", "HEAD"}}
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "POST": false} {
		if target, _ := targetOf(method, u); g.allows(target) != want {
			t.Errorf("%s: %v", method, !want)
		}
	}
}

func TestTheZeroGrantAllowsNothing(t *testing.T) {
	u, _ := url.Parse("https://example.com/")
	if target, _ := targetOf("GET", u); (Grant{}).allows(target) {
		t.Error("it allows example.com")
	}
}

func TestBadGrantsAreRefused(t *testing.T) {
	for _, s := range []string{"", "*", "*.", "*.127.0.0.1x/", "https://example.com", "example.com:0", "example.com:99999", "example.com:x", "a b", "exämple.com", "*.*.com"} {
		if g, err := ParseGrant(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %+v %v", s, g, err)
		}
	}
	if err := (Grant{Host: "example.com", Methods: []string{"get"}}).Check(); !fault.Is(err, fault.Invalid) {
		t.Errorf("lower-case method: %v", err)
	}
}

// FuzzTargetOf: whatever parses as a URL, a target that one grant allows has that grant's host.
func FuzzTargetOf(f *testing.F) {
	for _, s := range []string{"https://example.com/x", "http://user@example.com:80", "http://[::1%25eth0]/", "http://0x7f.1/", "https://EXAMPLE.com.", "//example.com", "http://example.com:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.Parse(s)
		if err != nil {
			return
		}
		target, err := targetOf("GET", u)
		if err != nil {
			return
		}
		if (Grant{Host: "example.com"}).allows(target) && target.host != "example.com" {
			t.Fatalf("%q: %+v", s, target)
		}
		if target.port == 0 || target.host == "" {
			t.Fatalf("%q: %+v", s, target)
		}
	})
}

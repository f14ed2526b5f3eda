package web_test

import (
	"testing"

	"greentic.dev/components/web"
	"greentic.dev/sdk/go/greentic"
)

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	for _, c := range []struct {
		after, date string
		want        int
	}{
		{"", "", 0},
		{"2", "", 2000},
		{" 0.5 ", "", 500},
		{"-3", "", 0},
		{"1e300", "", 3_600_000},
		{"Thu, 26 Nov 2026 16:00:30 GMT", "Thu, 26 Nov 2026 16:00:00 GMT", 30_000},
		{"Thu, 26 Nov 2026 15:00:00 GMT", "Thu, 26 Nov 2026 16:00:00 GMT", 0},
		{"Thu, 26 Nov 2026 16:00:30 GMT", "", 0},
		{"soon", "", 0},
	} {
		got := web.RetryAfter(&greentic.Response{Header: greentic.Header{{"retry-after", c.after}, {"date", c.date}}})
		if got != c.want {
			t.Errorf("Retry-After %q is %d ms, want %d", c.after, got, c.want)
		}
	}
}

func TestJoinKeepsWholeAddressesAndRefusesRelativeOnes(t *testing.T) {
	for _, c := range []struct{ base, ref, want string }{
		{"https://api.example.com/v1/", "/users?a=1", "https://api.example.com/v1/users?a=1"},
		{"https://api.example.com/v1", "http://other.example.com/x", "http://other.example.com/x"},
		{"https://api.example.com/v1", "?a=1", "https://api.example.com/v1?a=1"},
		{"https://api.example.com", "", "https://api.example.com"},
		{"", "https://api.example.com", "https://api.example.com"},
	} {
		if u, err := web.Join(c.base, c.ref); err != nil || u.String() != c.want {
			t.Errorf("Join(%q, %q) = %v %v", c.base, c.ref, u, err)
		}
	}
	for _, ref := range []string{"", "/users", "ftp://example.com/", "https://", "https://exa mple.com", "javascript:alert(1)"} {
		if u, err := web.Join("", ref); err == nil {
			t.Errorf("Join(%q) = %s", ref, u)
		}
	}
}

func TestACredentialIsOneHeader(t *testing.T) {
	for _, c := range []struct {
		auth          web.Auth
		key, name, is string
	}{
		{web.Auth{Type: "bearer"}, "HTTP_TOKEN", "Authorization", "Bearer s"},
		{web.Auth{Type: "basic", User: "u"}, "HTTP_PASSWORD", "Authorization", "Basic dTpz"},
		{web.Auth{Type: "api_key"}, "HTTP_API_KEY", "X-Api-Key", "s"},
		{web.Auth{Type: "api_key", Header: "X-Token", Secret: "HTTP_TOKEN"}, "HTTP_TOKEN", "X-Token", "s"},
	} {
		if name, value := c.auth.Field("s"); c.auth.Key() != c.key || name != c.name || value != c.is {
			t.Errorf("%+v is %s %s: %s", c.auth, c.auth.Key(), name, value)
		}
	}
	if (web.Auth{}).Key() != "" || (web.Auth{Type: "none", Secret: "HTTP_TOKEN"}).Key() != "" {
		t.Error("no type asks for a secret all the same")
	}
}

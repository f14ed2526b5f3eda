package console_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"greentic.dev/console"
	"greentic.dev/gateway"
	"greentic.dev/greentic"
)

func open(t *testing.T) http.Handler {
	t.Helper()
	c, err := console.New(console.Options{Title: "Help & <desk>", Tenant: func(name string) (greentic.TenantCtx, bool) {
		return greentic.DefaultTenant(), name == "" || name == "demo"
	}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{}, c.Routes())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTheChatPageLoadsOnlyItsOwnFiles(t *testing.T) {
	h := open(t)
	page := get(h, "/chat")
	if page.Code != 200 || !strings.Contains(page.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%d %v", page.Code, page.Header())
	}
	body := page.Body.String()
	if !strings.Contains(body, "Help &amp; &lt;desk&gt;") {
		t.Error("the title is not escaped")
	}
	refs := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(refs) < 3 {
		t.Fatalf("refs %v", refs)
	}
	for _, m := range refs {
		if m[1] == "data:," {
			continue
		}
		file := get(h, m[1])
		if file.Code != 200 || !strings.Contains(file.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", m[1], file.Code, file.Header())
		}
	}
	if strings.Contains(body, "<script>") || strings.Contains(body, "style=") || strings.Contains(body, "https://") {
		t.Error("the page has inline code or a foreign reference")
	}
}

func TestFilesAreRevalidatedAndNothingElseIsServed(t *testing.T) {
	h := open(t)
	first := get(h, "/static/chat.js")
	if again := get(h, "/static/chat.js", "If-None-Match", first.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("status %d", again.Code)
	}
	for _, p := range []string{"/static/none.js", "/static/..%2fconsole.go", "/chat/other"} {
		if got := get(h, p).Code; got != http.StatusNotFound {
			t.Errorf("%s: %d", p, got)
		}
	}
	if got := get(h, "/").Header().Get("Location"); got != "/chat" {
		t.Errorf("location %q", got)
	}
}

func TestTheBundleCarriesItsLicences(t *testing.T) {
	text := get(open(t), "/static/LICENSES.txt").Body.String()
	for _, name := range []string{"adaptivecards", "markdown-it"} {
		if !strings.Contains(text, "---- "+name) {
			t.Errorf("no licence of %s", name)
		}
	}
}

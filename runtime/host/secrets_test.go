package host

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func randomSecret(r *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/+-_.~%& \"\\<>'=ü"
	runes := []rune(letters)
	var b strings.Builder
	for range 8 + r.IntN(40) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return "q" + b.String() + "z" // without spaces at its ends
}

// TestSecretsNeverReachATrace: wherever a guest and its server put them. In which forms they are
// found is tested in model/trace.
func TestSecretsNeverReachATrace(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	c := newRecall(t)
	for range 60 {
		secret := randomSecret(r)
		c.put(t, ofTenant("a"), "TOKEN", secret)
		quoted, _ := json.Marshal(secret)
		forms := []string{secret, string(quoted[1 : len(quoted)-1]), url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret)),
			base64.RawStdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte("bot:" + secret))}
		pick := func() string { return forms[r.IntN(len(forms))] }
		header, body := forms[2+r.IntN(len(forms)-2)], pick()
		c.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", header)
			_, _ = fmt.Fprintf(w, `{"a": %q, "b": "%s"}`, body, body)
		}
		c.state["k"] = `"` + forms[1] + `"`
		request := c.request("kpugstgspk")
		request.Operation = strings.Replace(c.url, "http://", "http://user:"+url.PathEscape(secret)+"@", 1) + "/" + url.PathEscape(secret) + "?q=" + url.QueryEscape(pick()) + "&p="
		calls := c.record(request).Trace.Calls
		if len(calls) != 10 {
			t.Fatalf("%d calls", len(calls))
		}
		for i, e := range calls {
			texts := []string{e.Subject, e.Asked.Key, e.Asked.URL, e.Asked.Body.String(), e.Answered.Body.String(), e.Answered.Message}
			for _, h := range append(e.Asked.Header, e.Answered.Header...) {
				texts = append(texts, h[0], h[1])
			}
			for _, text := range append(texts, string(must(json.Marshal(e)).([]byte))) {
				for _, form := range forms {
					if strings.Contains(text, form) {
						t.Fatalf("call %d has %q as %s: %s", i, secret, form, text)
					}
				}
			}
			if strings.Contains(e.Asked.URL, "user") {
				t.Fatalf("call %d has userinfo: %s", i, e.Asked.URL)
			}
		}
	}
}

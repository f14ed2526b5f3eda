package systemtest_test

import (
	"embed"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

//go:embed testdata/web
var webFiles embed.FS

var botframeworkWebchat = npmPackage{"botframework-webchat", "4.18.1",
	"7jpEUJ7olT62Xm+8eh7BhhIcXVfU2xD4pZDaeBt8K4XcNy6K/83UGIxE9BFkXmHMZ4hDEVOzs5cre07GWuaXzg=="}

// The public client runs on a page of another origin, so that what it may do there is tested, too.
func TestThePublicWebChatClientHoldsAConversation(t *testing.T) {
	for name, stream := range map[string]bool{"over a stream": true, "by polling": false} {
		t.Run(name, func(t *testing.T) {
			b := openBrowser(t, look{})
			script := botframeworkWebchat.file(t, "dist/webchat.js")
			server := serveHelpdesk(t)
			site := http.NewServeMux()
			site.HandleFunc("GET /webchat.js", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/javascript")
				_, _ = w.Write(script)
			})
			site.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
			site.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
				http.ServeFileFS(w, r, webFiles, "testdata/web/webchat.html")
			})
			foreign := httptest.NewServer(site)
			defer foreign.Close()

			query := url.Values{"domain": {server.url + "/v3/directline"}, "stream": {strconv.FormatBool(stream)}}
			b.open(foreign.URL + "/?" + query.Encode())
			v := visitor{b}
			v.sees("the greeting", "Your open tickets: 0")
			v.says("hello, the printer on the second floor is out of toner")
			v.sees("the first ticket", "HD-1", "Printing")
			v.chooses("Report a problem")
			v.sees("the question", "What is the problem?")
			v.says("URGENT: the VPN is down for everybody!")
			v.sees("the second ticket", "HD-2", "Network", "High")
			v.chooses("My tickets")
			v.sees("both tickets", "Your tickets", "HD-1 · open", "HD-2 · open")
			v.chooses("Close")
			v.sees("the question of confirmation", "Close this ticket?")
			v.chooses("Yes")
			v.sees("the end of a ticket", "Closed. Thank you: HD-")
			if own := value[[]string](b, `[...document.querySelectorAll(".webchat__bubble--from-user")].map(e => e.innerText.trim())`); len(own) != 2 {
				t.Errorf("the transcript shows these messages of the user: %q", own)
			}
			b.screenshot("webchat-" + query.Get("stream"))
			b.silent(false)
		})
	}
}

// visitor uses the public client's own controls.
type visitor struct{ *browser }

func (v visitor) says(text string) {
	v.Helper()
	box := `[data-id="webchat-sendbox-input"]`
	run(v.browser, chromedp.SendKeys(chromedp.CSS(box), text+kb.Enter))
	v.until("sending "+text, `document.querySelector('`+box+`').value === ""`)
}

// sees waits for an answer that comes after everything seen before and shows all fragments.
func (v visitor) sees(what string, fragments ...string) {
	v.Helper()
	last := `[...document.querySelectorAll('[role="feed"] article, .webchat__basic-transcript__activity')].at(-1)?.innerText ?? ""`
	for _, f := range fragments {
		v.until(what, "("+last+").includes("+quoted(f)+")")
	}
}

// chooses presses the newest button of that title.
func (v visitor) chooses(title string) {
	v.Helper()
	button := `[...document.querySelectorAll("button.ac-pushButton")].filter(e => e.innerText.trim() === ` + quoted(title) + `).at(-1)`
	v.until("a button "+title, button)
	// Not by its place on the page: a transcript that still scrolls would move it away.
	value[bool](v.browser, "("+button+".click(), true)")
}

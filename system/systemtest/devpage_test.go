package systemtest_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"greentic.dev/devkit/dev"
	"greentic.dev/greentic"
	"greentic.dev/runtime/runner"
	"greentic.dev/system"
)

// devServer serves the helpdesk from a folder of its own, as greentic dev does.
type devServer struct {
	testing.TB
	url, token, folder string
}

func serveDev(t testing.TB) *devServer {
	t.Helper()
	d := &devServer{TB: t, token: "dev-token", folder: helpdeskFolder(t)}
	var loop *dev.Loop
	s := openSystem(t, testConfig(t), system.Options{Ephemeral: true, Dev: true, Token: d.token,
		Ended: func(tenant greentic.TenantCtx, key string, r runner.TurnResult) { loop.Ended(tenant, key, r) }})
	loop, err := dev.Open(t.Context(), dev.Options{System: s, Folder: d.folder, Log: testLog(t), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Mount(loop.Routes()...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, served, ran := make(chan string, 1), make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, func(url string) { ready <- url }) }()
	select {
	case d.url = <-ready:
	case err := <-served:
		t.Fatalf("the server ended: %v", err)
	}
	go func() { ran <- loop.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for what, done := range map[string]chan error{"serving": served, "watching": ran} {
			if err := <-done; err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return d
}

func (d *devServer) replaces(name, old, fresh string) {
	d.Helper()
	name = filepath.Join(d.folder, filepath.FromSlash(name))
	raw, err := os.ReadFile(name)
	if err != nil || !strings.Contains(string(raw), old) {
		d.Fatalf("%s has no %q (%v)", name, old, err)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(string(raw), old, fresh)), 0o644); err != nil {
		d.Fatal(err)
	}
}

const devFlow = "flows/helpdesk.ygtc"

// newest is the turn that is shown first, as JavaScript.
const newest = `document.querySelector("#dev-turns details.turn")`

// A developer follows a conversation, makes a mistake, mends it, and takes a node away.
func TestThePageOfDevShowsTurnsAndMistakesEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("browser tests are not short")
	}
	for name, l := range map[string]look{
		"desktop-light": {width: 1280, height: 800}, "desktop-dark": {width: 1280, height: 800, dark: true},
		"phone-light": {width: 360, height: 740}, "phone-dark": {width: 360, height: 740, dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := serveDev(t)
			p := chatPage{openBrowser(t, l)}
			p.open(d.url + "/chat#token=" + d.token)
			p.sees("the greeting", "Your open tickets: 0")
			p.until("the address does not show the token", `location.hash === ""`)
			p.until("the version is named", `document.querySelector("#dev-state").dataset.phase === "ready"`)
			p.says("The printer is out of toner")
			p.sees("the ticket", "HD-1")
			p.showsTheTurn(name, l.width < 500)
			d.replaces(devFlow, "start: welcome", "start: welcom")
			p.until("the mistake with its place", `document.querySelector("#dev-problems li.error")?.innerText.includes("`+devFlow+`:") && document.querySelector("#dev-problems pre").textContent.includes("start: welcom")`)
			p.screenshot("dev-" + name + "-broken")
			p.accessible()
			p.narrow()
			p.says("URGENT: the VPN is down")
			p.sees("an answer of the last good version", "HD-2")
			d.replaces(devFlow, "start: welcom", "start: welcome")
			p.until("the mistake is gone", `document.querySelector("#dev-problems").hidden && document.querySelector("#dev-state").innerText.includes("Fixed")`)
			d.replaces(devFlow, "choose", "decide")
			p.until("the page says that the conversation begins anew", `document.querySelector(".note-anew")?.innerText.includes("choose of helpdesk")`)
			p.sees("the greeting again", "Your open tickets: 2")
			p.screenshot("dev-" + name + "-anew")
			p.silent(false)
		})
	}
}

// showsTheTurn looks at the turn that opened the ticket.
func (p chatPage) showsTheTurn(name string, phone bool) {
	p.Helper()
	if phone {
		run(p.browser, chromedp.Click(chromedp.CSS("#view-trace")))
	}
	p.until("the turn is shown open", newest+`?.open && `+newest+`.innerText.includes("The printer is out of toner")`)
	p.until("what was decided", newest+`.querySelector(".decisions")?.innerText.includes("the session waits in it")`)
	for _, what := range []string{"choose", "triage", "open", "menu", "helpdesk.tickets", "flows/helpdesk.ygtc:", "default routes to open", "◔ waiting"} {
		p.until(what, newest+`.innerText.includes(`+quoted(what)+`)`)
	}
	p.until("the graph with the path", newest+`.querySelectorAll(".graph .node.done").length >= 3 && `+newest+`.querySelectorAll(".graph .taken").length >= 3 && `+newest+`.querySelector(".graph .faint")`)
	p.screenshot("dev-" + name + "-turn")
	value[any](p.browser, newest+`.querySelector('.graph a[href="#node-triage"]').dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true})); true`)
	p.until("a press on a node opens its step", newest+`.querySelector('details.step[data-node="triage"]').open`)
	value[any](p.browser, newest+`.querySelector('details.step[data-node="open"]').open = true; true`)
	value[any](p.browser, newest+`.querySelector('details.step[data-node="open"] .calls details').open = true; true`)
	for _, what := range []string{"Input", "Output", "Host calls (2)", "state-store read", "not_found", "The printer is out of toner"} {
		p.until(what, newest+`.querySelector('details.step[data-node="open"]').innerText.includes(`+quoted(what)+`)`)
	}
	value[any](p.browser, newest+`.querySelector('details.step[data-node="open"]').scrollIntoView(); true`)
	p.screenshot("dev-" + name + "-step")
	p.accessible()
	p.narrow()
	if phone {
		run(p.browser, chromedp.Click(chromedp.CSS("#view-chat")))
	}
	run(p.browser, chromedp.Focus(chromedp.CSS("#text")))
}

// narrow fails the test when the page scrolls sideways.
func (p chatPage) narrow() {
	p.Helper()
	wide := value[[]string](p.browser, `[document.documentElement, document.body, ...document.querySelectorAll("main *:not(.who), #dev-bar *, #dev-panel *")]
		.filter(e => !e.closest("pre, .graph") && (e.scrollWidth > e.clientWidth + 1 && !["visible", "clip"].includes(getComputedStyle(e).overflowX) || e.getBoundingClientRect().right > innerWidth))
		.map(e => e.outerHTML.slice(0, 120))`)
	if len(wide) > 0 {
		p.Errorf("the page scrolls sideways because of %q", wide)
	}
}

func TestThePanelIsUsedWithTheKeyboardAndKeptOverAReload(t *testing.T) {
	d := serveDev(t)
	p := chatPage{openBrowser(t, look{})}
	p.open(d.url + "/chat#token=" + d.token)
	p.sees("the greeting", "Your open tickets: 0")
	p.says("my keyboard lost a key")
	p.sees("the ticket", "HD-1")
	p.until("two turns", `document.querySelectorAll("#dev-turns details.turn").length === 2`)
	p.open(d.url + "/chat")
	p.until("two turns again, the newest first and open", `document.querySelectorAll("#dev-turns details.turn").length === 2 && `+newest+`.open && `+newest+`.innerText.includes("keyboard")`)
	run(p.browser, chromedp.Focus(chromedp.CSS("#dev-panel")))
	p.press("j")
	p.until("the newest turn has the focus", newest+`.querySelector("summary") === document.activeElement`)
	p.press("j")
	p.press(kb.Enter)
	p.until("the older turn is open", `document.querySelectorAll("#dev-turns details.turn")[1].open`)
	p.press("k" + kb.Enter)
	p.until("the newest is closed", `!`+newest+`.open`)
	p.silent(false)
}

// The chat is anybody's on this machine; what is behind it is for whoever has the token, and of other
// servers nobody's.
func TestWithoutItsTokenThePanelStaysEmpty(t *testing.T) {
	d := serveDev(t)
	p := chatPage{openBrowser(t, look{})}
	p.open(d.url + "/chat")
	p.sees("the greeting", "Your open tickets: 0")
	p.until("the page says what is missing", `document.querySelector("#dev-state").innerText.includes("open the address that greentic dev printed")`)
	if n := value[int](p.browser, `document.querySelectorAll("#dev-turns > li").length`); n > 0 {
		t.Errorf("%d turns are shown", n)
	}
	p.open(serveHelpdesk(t).url + "/chat#token=" + d.token)
	p.sees("the greeting", "Your open tickets: 0")
	if value[bool](p.browser, `!!document.querySelector("#dev-panel, script[src*='dev.js']")`) {
		t.Error("a server that is not dev has the panel")
	}
	p.silent(false)
}

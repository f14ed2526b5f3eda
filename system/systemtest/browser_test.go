package systemtest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chatPage is our own page in a browser.
type chatPage struct{ *browser }

func openChat(t *testing.T, l look, path string) (chatPage, *chatServer) {
	t.Helper()
	p := chatPage{openBrowser(t, l)}
	server := serveHelpdesk(t)
	p.open(server.url + path)
	return p, server
}

// last is the newest message of the assistant, as JavaScript.
const last = `[...document.querySelectorAll("#messages > li.theirs")].at(-1)`

// sees waits until the newest answer shows all fragments.
func (p chatPage) sees(what string, fragments ...string) {
	p.Helper()
	for _, f := range fragments {
		p.until(what, "("+last+`?.innerText ?? "").includes(`+quoted(f)+")")
	}
}

// says types into whatever has the focus, which must be the composer.
func (p chatPage) says(text string) {
	p.Helper()
	p.types(text)
	p.until("the message is delivered", `[...document.querySelectorAll("#messages > li.mine")].at(-1)?.querySelector("p").textContent === `+quoted(text)+` &&
		!document.querySelector("#messages > li.sending") && document.querySelector("#text").value === ""`)
}

func (p chatPage) types(text string) {
	p.Helper()
	p.until("the composer has the focus", `document.activeElement.id === "text"`)
	p.press(text + kb.Enter)
}

// presses reaches a button of the newest card with the keyboard and presses it.
func (p chatPage) presses(title string) {
	p.Helper()
	p.reaches(title)
	p.press(kb.Enter)
}

func (p chatPage) reaches(title string) {
	p.Helper()
	p.until("a button "+title, `[...(`+last+`?.querySelectorAll("button") ?? [])].some(b => b.innerText === `+quoted(title)+`)`)
	for range 40 {
		if value[bool](p.browser, `document.activeElement.innerText === `+quoted(title)+` && `+last+`.contains(document.activeElement)`) {
			return
		}
		p.press(kb.Tab, chromedp.ModifierShift)
	}
	p.Fatalf("the button %s cannot be reached with the keyboard", title)
}

// transcript is everything said, by whom, in order.
func (p chatPage) transcript() []string {
	p.Helper()
	return value[[]string](p.browser, `[...document.querySelectorAll("#messages > li")].map(li => {
		const copy = li.cloneNode(true);
		copy.querySelectorAll("time").forEach(t => t.remove());
		return li.className + ": " + copy.textContent;
	})`)
}

// A whole conversation, used by several tests: from the greeting to two tickets and a question.
func (p chatPage) converses() {
	p.Helper()
	p.sees("the greeting", "Your open tickets: 0", "Report a problem")
	p.says("The printer on the second floor is out of toner. Please refill it.")
	p.sees("the ticket", "HD-1", "Printing", "Normal")
	p.presses("Report a problem")
	p.sees("the question", "What is the problem?")
	p.says("URGENT: the VPN is down for everybody!")
	p.sees("the second ticket", "HD-2", "Network", "High")
	p.presses("My tickets")
	p.sees("both tickets", "Your tickets", "HD-1 · open", "HD-2 · open")
}

func TestTheChatPageIsUsedWithTheKeyboardAlone(t *testing.T) {
	p, _ := openChat(t, look{}, "/chat")
	p.converses()
	p.presses("That is all")
	p.sees("the end", "Goodbye!")
	p.until("the focus is back in the composer", `document.activeElement.id === "text"`)
	own := value[[]string](p.browser, `[...document.querySelectorAll("#messages > li.mine p")].map(e => e.textContent)`)
	if want := []string{"The printer on the second floor is out of toner. Please refill it.", "Report a problem", "URGENT: the VPN is down for everybody!", "My tickets", "That is all"}; !slices.Equal(own, want) {
		t.Errorf("the transcript shows these messages of the user: %q", own)
	}
	p.silent(false)
}

func TestTheChatPageSpeaksGerman(t *testing.T) {
	p, _ := openChat(t, look{}, "/chat?locale=de")
	p.sees("the greeting", "Sagen Sie mir, was nicht geht", "Ihre offenen Tickets: 0")
	p.presses("Problem melden")
	p.sees("the question", "Was ist das Problem?")
	p.says("Ich habe mein Passwort vergessen")
	p.sees("the ticket", "HD-1", "Konten und Zugang", "offen")
	p.screenshot("desktop-light-german")
	p.until("the page is German, too", `document.documentElement.lang === "de" && document.querySelector("#send").innerText === "Senden"`)
	if english := value[bool](p.browser, `/Send\b|New conversation|Online\b|ticket:/.test(document.body.innerText)`); english {
		t.Error("there is English on the German page")
	}
	p.silent(false)
}

func TestAReloadKeepsTheConversationAndDoublesNothing(t *testing.T) {
	p, server := openChat(t, look{}, "/chat")
	p.sees("the greeting", "Your open tickets: 0")
	p.presses("Report a problem")
	p.sees("the question", "What is the problem?")
	before := p.transcript()
	p.open(server.url + "/chat")
	p.sees("the question again", "What is the problem?")
	if after := p.transcript(); !slices.Equal(before, after) {
		t.Errorf("before: %q\nafter:  %q", before, after)
	}
	p.says("my keyboard lost a key")
	p.sees("the answer to what was asked before the reload", "HD-1", "Devices")
	if after := p.transcript(); len(after) != len(before)+2 {
		t.Errorf("after one more message and its answer: %q", after)
	}
	p.silent(false)
}

func TestTheChatPageReconnectsAfterARestart(t *testing.T) {
	p, server := openChat(t, look{}, "/chat")
	p.sees("the greeting", "Your open tickets: 0")
	p.presses("Report a problem")
	p.sees("the question", "What is the problem?")
	before := p.transcript()
	server.stop()
	p.until("the page says that it is offline", `document.querySelector("#state").dataset.link === "offline"`)
	if after := p.transcript(); !slices.Equal(before, after) {
		t.Errorf("before: %q\noffline: %q", before, after)
	}
	p.types("the screen flickers")
	p.types("and the mouse is dead")
	p.until("both messages wait", `document.querySelectorAll("#messages > li.sending").length === 2`)
	p.screenshot("desktop-light-offline")
	server.start()
	p.until("the page is online again", `document.querySelector("#state").dataset.link === "online"`)
	p.sees("the answer to the second message", "HD-2", "and the mouse is dead")
	p.until("nothing waits any more", `!document.querySelector("#messages > li.sending, #messages > li.failed")`)
	after := p.transcript()
	if len(after) != len(before)+4 || !slices.Equal(before, after[:len(before)]) {
		t.Errorf("before: %q\nafter:  %q", before, after)
	}
	p.silent(true)
}

func TestANewConversationLeavesTheOldOneBehind(t *testing.T) {
	p, _ := openChat(t, look{}, "/chat")
	p.sees("the greeting", "Your open tickets: 0")
	p.says("my keyboard lost a key")
	p.sees("the ticket", "HD-1", "Devices")
	kept := value[string](p.browser, `localStorage.getItem("greentic.chat.demo")`)
	run(p.browser, chromedp.Click(chromedp.CSS("#fresh")))
	p.until("a greeting is all there is", `document.querySelectorAll("#messages > li").length === 1 && (`+last+`.innerText).includes("Your open tickets: 0")`)
	if fresh := value[string](p.browser, `localStorage.getItem("greentic.chat.demo")`); fresh == kept {
		t.Error("the conversation is the old one")
	}
	p.silent(false)
}

var axeCore = npmPackage{"axe-core", "4.14.1", "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="}

// A phone reaches the machine by a name and without TLS, where browsers withhold some functions.
func TestTheChatPageIsReadableEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("browser tests are not short")
	}
	named := strings.Replace(serveHelpdesk(t).url, "127.0.0.1", "chat.test", 1)
	for name, l := range map[string]look{
		"desktop-light": {width: 1280, height: 800}, "desktop-dark": {width: 1280, height: 800, dark: true},
		"phone-light": {width: 360, height: 740}, "phone-dark": {width: 360, height: 740, dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := chatPage{openBrowser(t, l)}
			p.open(named + "/chat")
			p.sees("the greeting", "Your open tickets: 0", "Report a problem")
			p.screenshot(name + "-greeting")
			p.converses()
			p.screenshot(name + "-tickets")
			p.reaches("Close")
			p.screenshot(name + "-focus")
			p.press(kb.Enter)
			p.sees("the question of confirmation", "Close this ticket?")
			p.screenshot(name + "-confirm")
			wide := value[[]string](p.browser, `[document.documentElement, document.body, ...document.querySelectorAll("main *:not(.who)")]
				.filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible" || e.getBoundingClientRect().right > innerWidth)
				.map(e => e.outerHTML.slice(0, 120))`)
			if len(wide) > 0 {
				t.Errorf("the page scrolls sideways because of %q", wide)
			}
			p.accessible()
			p.silent(false)
		})
	}
}

// accessible fails the test for what axe calls serious.
func (p chatPage) accessible() {
	p.Helper()
	source := axeCore.file(p.browser, "axe.min.js")
	value[any](p.browser, string(source)+"\n;true")
	raw := value[json.RawMessage](p.browser, `Promise.all(document.getAnimations().map(a => a.finished)).then(() => axe.run()).then(r => r.violations.map(v => ({impact: v.impact, id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)})))`)
	var findings []struct {
		Impact, ID, Help string
		Nodes            []string
	}
	if err := json.Unmarshal(raw, &findings); err != nil {
		p.Fatal(err)
	}
	for _, f := range findings {
		if f.Impact == "serious" || f.Impact == "critical" {
			p.Errorf("axe: %s %s: %s %q", f.Impact, f.ID, f.Help, f.Nodes)
		} else {
			p.Logf("axe: %s %s: %s %q", f.Impact, f.ID, f.Help, f.Nodes)
		}
	}
}

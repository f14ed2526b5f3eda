package systemtest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// missing ends a test that lacks a tool: a skip that names it, or a failure where all tools are
// required.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// patience is how long anything on a page may take; a busy machine is slow.
const patience = 30 * time.Second

// browser is one tab of a Chromium of its own.
type browser struct {
	testing.TB
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// look is how a browser is set up; the zero value is a light desktop.
type look struct {
	width, height int64
	dark          bool
}

// openBrowser starts Chromium, or ends the test where there is none.
func openBrowser(t testing.TB, l look) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are not short")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		missing(t, "no Chromium on this machine")
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("accept-lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP chat.test 127.0.0.1"))
	b := &browser{TB: t}
	allocator, closeAllocator := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), flags...)
	b.ctx, _ = chromedp.NewContext(allocator, chromedp.WithListener(b.listen))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
		defer cancel()
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("closing Chromium: %v", err)
		}
		closeAllocator()
	})
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	if l.width == 0 {
		l.width, l.height = 1280, 800
	}
	call(b, cdplog.Enable, cdp.Empty{})
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	return b
}

// listen collects what a developer would see in red: errors, exceptions, refused content.
func (b *browser) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			for _, a := range e.Args {
				text += string(a.Value) + a.Description + " "
			}
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError {
			text = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if text == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, text)
}

// silent fails the test when the browser complained, except about connections when those had to
// break.
func (b *browser) silent(exceptConnections bool) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		broken := strings.Contains(c, "ERR_CONNECTION_") || strings.Contains(c, "WebSocket connection")
		if !exceptConnections || !broken {
			b.Errorf("the browser complains: %s", c)
		}
	}
}

// run performs one action; whatever it is, it must not take long.
func run[T any](b *browser, action chromedp.Action[T]) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// call sends a command of the protocol; the first one starts the browser.
func call[P, R any](b *browser, command cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) open(url string) {
	b.Helper()
	run(b, chromedp.Navigate(url))
}

// value evaluates JavaScript, waiting for it where it is a promise.
func value[T any](b *browser, js string) T {
	b.Helper()
	return run(b, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
}

// until waits for a condition of the page, in JavaScript.
func (b *browser) until(what, js string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+js+")"))
		if err == nil && ok {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			b.silent(false)
			b.Fatalf("%s did not happen (%v); the page says:\n%s", what, err, value[string](b, "document.body.innerText"))
		}
	}
}

// press sends keys to whatever has the focus, with modifiers held down. A key types its text as
// it goes down, so that a page can refuse both.
func (b *browser) press(keys string, held ...chromedp.Modifier) {
	b.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		down, up := events[0], events[len(events)-1]
		if len(events) == 3 {
			down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		for _, e := range []*input.DispatchKeyEventParams{down, up} {
			chromedp.KeyModifiers(held...)(e)
			call(b, input.DispatchKeyEvent, *e)
		}
	}
}

// quoted makes a JavaScript string.
func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

// screenshot keeps what the page looks like in the folder GREENTIC_SCREENSHOTS, when it is set.
func (b *browser) screenshot(name string) {
	b.Helper()
	dir := os.Getenv("GREENTIC_SCREENSHOTS")
	if dir == "" {
		return
	}
	b.until("everything stands still", "document.getAnimations().length === 0")
	png := run(b, chromedp.CaptureScreenshot())
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)); err != nil {
		b.Fatal(err)
	}
}

// npmPackage is a published package; integrity is the SHA-512 of its tarball in base64.
type npmPackage struct{ name, version, integrity string }

// file reads a file of the package, which npm fetches once per machine.
func (p npmPackage) file(t testing.TB, name string) []byte {
	t.Helper()
	tarball := p.tarball(t)
	unzipped, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(unzipped); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatalf("%s@%s has no %s: %v", p.name, p.version, name, err)
		}
		if h.Name == "package/"+name {
			raw, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
}

func (p npmPackage) tarball(t testing.TB) []byte {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		missing(t, "no cache folder for %s: %v", p.name, err)
	}
	dir := filepath.Join(base, "greentic-test")
	file := filepath.Join(dir, p.name+"-"+p.version+".tgz")
	if raw, err := os.ReadFile(file); err == nil && p.genuine(raw) {
		return raw
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		missing(t, "no npm to fetch %s", p.name)
	}
	fetched := t.TempDir()
	cmd := exec.CommandContext(t.Context(), npm, "pack", p.name+"@"+p.version, "--silent", "--ignore-scripts", "--pack-destination", fetched)
	cmd.Dir = fetched
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, "npm could not fetch %s@%s: %v\n%s", p.name, p.version, err, out)
	}
	raw, err := os.ReadFile(filepath.Join(fetched, filepath.Base(file)))
	if err != nil {
		t.Fatal(err)
	}
	if !p.genuine(raw) {
		t.Fatalf("%s@%s is not the package this test trusts", p.name, p.version)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, raw, 0o644)); err != nil {
		t.Logf("%s will be fetched again: %v", p.name, err)
	}
	return raw
}

func (p npmPackage) genuine(tarball []byte) bool {
	sum := sha512.Sum512(tarball)
	return base64.StdEncoding.EncodeToString(sum[:]) == p.integrity
}

package systemtest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger is a foreign API that honours idempotency keys, as far as the test is concerned: it notes
// which keys came for which path. At its n-th call it does what the test wants before it answers.
type ledger struct {
	*httptest.Server
	mu    sync.Mutex
	keys  map[string][]string // by path, distinct
	order []string            // paths as they came first
	calls int
	at    func(call int)
	grew  chan struct{}
}

func newLedger(t *testing.T, at func(call int)) *ledger {
	l := &ledger{keys: map[string][]string{}, at: at, grew: make(chan struct{}, 1)}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		key := r.Header.Get("Idempotency-Key")
		l.mu.Lock()
		if len(l.keys[r.URL.Path]) == 0 {
			l.order = append(l.order, r.URL.Path)
		}
		if !slices.Contains(l.keys[r.URL.Path], key) {
			l.keys[r.URL.Path] = append(l.keys[r.URL.Path], key)
		}
		l.calls++
		call := l.calls
		l.mu.Unlock()
		l.at(call)
		_, _ = w.Write([]byte("{}"))
		select {
		case l.grew <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(l.Close)
	return l
}

// phoenix is the product as a process, started again whenever it was killed.
type phoenix struct {
	t    *testing.T
	args []string
	env  []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	url   string
	gone  chan struct{} // of cmd
	kills int
	end   bool
}

func (p *phoenix) rise() {
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.t.Error(err)
		return
	}
	gone := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.gone = cmd, gone
	p.mu.Unlock()
	line, err := bufio.NewReader(out).ReadString('\n')
	_, rest, _ := strings.Cut(line, `"url":"`)
	url, _, _ := strings.Cut(rest, `"`)
	p.mu.Lock()
	if url == "" && !p.end {
		p.t.Errorf("the server says %q, %v: %s", line, err, stderr.String())
	}
	p.url = url
	p.mu.Unlock()
	go func() {
		_ = cmd.Wait()
		close(gone)
	}()
}

// kill ends the process by SIGKILL and starts it again.
func (p *phoenix) kill() {
	p.mu.Lock()
	cmd, gone := p.cmd, p.gone
	p.kills++
	p.url = ""
	p.mu.Unlock()
	_ = cmd.Process.Kill()
	<-gone
	p.rise()
}

func (p *phoenix) stop() {
	p.mu.Lock()
	cmd, gone := p.cmd, p.gone
	p.end = true
	p.mu.Unlock()
	_ = cmd.Process.Kill()
	<-gone
}

func (p *phoenix) base() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.url
}

// postingPack emits an event for each message and, started by it, posts to the ledger and says so on the bus.
func postingPack(t *testing.T, ledger string) string {
	t.Helper()
	dir := t.TempDir()
	wasm, err := os.ReadFile(filepath.Join("..", "..", "runtime", "host", "testdata", "asker.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"pack.yaml": `pack_id: test.posting
version: 1.0.0
kind: application
publisher: test
components:
  - { id: test.asker, version: 1.0.0, world: "greentic:provider/schema-core@1.0.0", wasm: asker.wasm }
flows:
  - { id: order, file: flows/order.ygtc, tags: [default] }
  - { id: fulfil, file: flows/fulfil.ygtc }
extensions:
  greentic.events.v1:
    version: "1"
    inline:
      subscriptions:
        - { id: orders, topics: [orders.placed], flow: fulfil }
`,
		"flows/order.ygtc": `id: order
type: messaging
tags: [default]
nodes:
  tell:
    emit.event: { topic: orders.placed, subject: "{{entry.session.key}}", payload: { n: "{{response.text}}" } }
    routing: [{ to: say }]
  say:
    emit.response: { text: "ordered {{response.text}}" }
    routing: out
`,
		"flows/fulfil.ygtc": `id: fulfil
type: event
nodes:
  post:
    component.exec: { component: test.asker, operation: "` + ledger + `/{{entry.payload.n}}", input: "p" }
    routing: [{ to: tell }]
  tell:
    emit.event: { topic: orders.done, payload: { n: "{{entry.payload.n}}" } }
    routing: out
`,
		"asker.wasm": string(wasm),
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Chat, event, bus, another flow, a POST: over a process that is killed after a message was taken,
// while the POST is under way and after it was answered, each message has exactly one effect, in the
// order of the conversation.
func TestAnEventHasOneEffectWhereverTheProcessIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary and starts it again and again")
	}
	bin := buildBinary(t)
	t.Run("embedded", func(t *testing.T) { killWhilePosting(t, bin, "embedded:", nil) })
	t.Run("external", func(t *testing.T) {
		url := natsServer(t)
		killWhilePosting(t, bin, url+"?patience=2s", listen(t, url))
	})
}

func killWhilePosting(t *testing.T, bin, bus string, heard *listener) {
	const messages = 24
	p := &phoenix{t: t}
	var killing sync.WaitGroup
	defer killing.Wait()
	l := newLedger(t, func(call int) {
		switch call {
		case 4: // the effect has happened, nobody knows
			gone := p.died()
			killing.Go(p.kill)
			<-gone
		case 12: // it was answered
			killing.Go(p.kill)
		}
	})
	data := t.TempDir()
	p.args = []string{bin, "run", postingPack(t, l.URL), "--data", data, "--listen", "127.0.0.1:0", "--json"}
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	p.env = []string{"GREENTIC_KEYS=" + filepath.Join(data, "keys"), "GREENTIC_BUS=" + bus, "GREENTIC_ALLOW_HTTP=" + strings.TrimPrefix(l.URL, "http://"),
		"GREENTIC_CACHE=" + filepath.Join(base, "greentic", "code")}
	p.rise()
	defer p.stop()
	c := newClient(t, p.base())
	deadline := time.After(2 * time.Minute)
	for n := range messages {
		for {
			c.base = p.base()
			_, err := c.do("POST", "/conversations/"+c.id+"/activities", map[string]any{"type": "message", "from": map[string]any{"id": "killer"}, "text": fmt.Sprint(n),
				"channelData": map[string]any{"clientActivityID": fmt.Sprint("m-", n)}})
			if err == nil {
				break
			}
			select {
			case <-deadline:
				t.Fatal(err)
			case <-time.After(20 * time.Millisecond): // between attempts
			}
		}
		if n == 18 {
			p.kill()
		}
	}
	for done := 0; done < messages; {
		l.mu.Lock()
		done = len(l.keys)
		l.mu.Unlock()
		select {
		case <-l.grew:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%d effects of %d", done, messages)
		}
	}
	if heard != nil {
		got, err := heard.wait(2 * messages)
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, e := range got {
			if count[e.Topic+string(e.Payload)]++; count[e.Topic+string(e.Payload)] > 1 {
				t.Errorf("%s %s was published again with another id", e.Topic, e.Payload)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := range messages {
		path := fmt.Sprint("/", n)
		if len(l.keys[path]) != 1 || l.keys[path][0] == "" {
			t.Errorf("message %d had the effects %q", n, l.keys[path])
		}
		if n < len(l.order) && l.order[n] != path {
			t.Errorf("effect %d is that of %s", n, l.order[n])
		}
	}
	t.Logf("%d messages, %d kills, %d repeats with the same key", messages, p.kills, l.calls-messages)
}

// died is closed once the process that runs now is gone.
func (p *phoenix) died() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

package systemtest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"greentic.dev/system"
)

// When this variable is set the test binary is a server that ends itself by SIGKILL when a
// turn passes a point for the n-th time: "point:n".
const killVariable = "GREENTIC_TEST_KILL"

func TestMain(m *testing.M) {
	if plan, ok := os.LookupEnv(killVariable); ok {
		serveUntilKilled(plan)
		return
	}
	os.Exit(m.Run())
}

// serveUntilKilled serves the pack in os.Args[2] on the data folder in os.Args[1] and prints its
// address.
func serveUntilKilled(plan string) {
	point, count, _ := strings.Cut(plan, ":")
	left, _ := strconv.ParseInt(count, 10, 64)
	var passed atomic.Int64
	crash := func(at string) {
		if at == point && passed.Add(1) == left {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	err := func() error {
		data, pack, keys, cache := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
		c, err := system.Load("", func(string) string { return "" }, []system.Override{
			{Key: "data", Value: data}, {Key: "keys", Value: keys}, {Key: "cache", Value: cache}, {Key: "log.level", Value: "warn"}})
		if err != nil {
			return err
		}
		ctx := context.Background()
		s, err := system.Open(ctx, c, system.Options{Log: stderrLog(), Crash: crash})
		if err != nil {
			return err
		}
		if _, err := s.Load(ctx, pack); err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		return s.Serve(ctx, l, func(url string) { fmt.Println(url) })
	}()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// server is a killable server process.
type server struct {
	cmd  *exec.Cmd
	url  string
	gone chan struct{}
}

func startServer(t *testing.T, plan string, args ...string) *server {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), killVariable+"="+plan)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: cmd, gone: make(chan struct{})}
	line, err := bufio.NewReader(out).ReadString('\n')
	go func() {
		_ = cmd.Wait()
		close(s.gone)
	}()
	if err != nil { // killed while it took up waiting work: that is a point, too
		<-s.gone
		return s
	}
	s.url = strings.TrimSpace(line)
	return s
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// client speaks Direct Line and repeats whatever was not acknowledged.
type client struct {
	base, token, id string
	watermark       string
	texts           []string // of the bot, in order
	activities      map[string]bool
}

func (c *client) do(method, path string, body any) (map[string]any, error) {
	var reader io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, c.base+"/v3/directline"+path, reader)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var v map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %d %v", method, path, resp.StatusCode, v)
	}
	return v, nil
}

// begin starts a conversation; a server that dies over it leaves nothing to undo.
func (c *client) begin() error {
	v, err := c.do("POST", "/tokens/generate", map[string]any{"user": map[string]any{"id": "killer"}})
	if err != nil {
		return err
	}
	c.token, _ = v["token"].(string)
	if v, err = c.do("POST", "/conversations", nil); err != nil {
		return err
	}
	c.id, _ = v["conversationId"].(string)
	return nil
}

// poll reads what is new and refuses an activity that was seen before.
func (c *client) poll() error {
	v, err := c.do("GET", "/conversations/"+c.id+"/activities?watermark="+c.watermark, nil)
	if err != nil {
		return err
	}
	c.watermark, _ = v["watermark"].(string)
	list, _ := v["activities"].([]any)
	for _, item := range list {
		a, _ := item.(map[string]any)
		id, _ := a["id"].(string)
		if c.activities[id] {
			return fmt.Errorf("activity %s arrived twice", id)
		}
		c.activities[id] = true
		from, _ := a["from"].(map[string]any)
		if from["role"] == "bot" {
			if to, _ := a["replyToId"].(string); !c.activities[to] {
				return fmt.Errorf("answer %s replies to %q, which was not seen", id, to)
			}
			text, _ := a["text"].(string)
			c.texts = append(c.texts, text)
		}
	}
	return nil
}

// echoPack writes a pack whose flow answers message i with "answer i" and waits for the next.
func echoPack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeEcho(t, dir, "1.0.0", "answer")
	return dir
}

// writeEcho writes a version of the echo pack that answers with a word and the message.
func writeEcho(t *testing.T, dir, version, word string) {
	t.Helper()
	for name, text := range map[string]string{
		"pack.yaml": "pack_id: test.echo\nversion: " + version + "\nkind: application\npublisher: test\nflows:\n  - { id: echo, file: flows/echo.ygtc, tags: [default] }\n",
		"flows/echo.ygtc": `id: echo
type: messaging
tags: [default]
nodes:
  answer:
    emit.response: { text: "` + word + ` {{input.input.text}}" }
    routing: [{ to: pause }]
  pause:
    session.wait: { reason: next }
    routing: [{ to: answer }]
`} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A conversation of 200 messages over a server that is killed at every kind of point: each
// message is answered, once, in order.
func TestKillNineAtAnyPointLosesNothingAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("the kill test starts two dozen processes")
	}
	const messages = 200
	points := []string{"accepted", "before_commit", "after_commit", "before_deliver", "after_deliver"}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("GREENTIC_TEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("GREENTIC_TEST_SEED=%d reproduces the schedule", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	plan := func(kill int) string {
		return fmt.Sprintf("%s:%d", points[kill%len(points)], 1+random.IntN(2*messages/25))
	}
	keys, data, cache := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "cache")
	args := []string{data, echoPack(t), keys, cache}
	kills := 0
	s := startServer(t, plan(kills), args...)
	defer func() { s.stop() }()
	revive := func() {
		<-s.gone
		kills++
		s = startServer(t, plan(kills), args...)
		if kills > 10*messages {
			t.Fatal("the server does not survive")
		}
	}
	c := &client{base: s.url, activities: map[string]bool{}}
	// try repeats an operation over dying servers until it succeeds.
	try := func(what string, f func() error) {
		deadline := time.Now().Add(90 * time.Second)
		for {
			c.base = s.url
			err := fmt.Errorf("the server was killed while starting")
			if s.url != "" {
				err = f()
			}
			if err == nil {
				return
			}
			select {
			case <-s.gone:
				revive()
			default:
				if !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "reset") {
					t.Fatalf("%s: %v", what, err)
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	try("begin", c.begin)
	for i := range messages {
		a := map[string]any{"type": "message", "from": map[string]any{"id": "killer"}, "text": strconv.Itoa(i),
			"channelData": map[string]any{"clientActivityID": fmt.Sprintf("m-%d", i)}}
		try("post", func() error {
			_, err := c.do("POST", "/conversations/"+c.id+"/activities", a)
			return err
		})
		if i%7 == 0 { // now and then repeat an acknowledged message
			try("repeat", func() error {
				_, err := c.do("POST", "/conversations/"+c.id+"/activities", a)
				return err
			})
		}
	}
	try("read", func() error {
		for len(c.texts) < messages {
			if err := c.poll(); err != nil {
				return err
			}
			select {
			case <-s.gone:
				return io.EOF
			case <-time.After(10 * time.Millisecond):
			}
		}
		return nil
	})
	for i, text := range c.texts {
		if text != fmt.Sprintf("answer %d", i) {
			t.Fatalf("answer %d is %q", i, text)
		}
	}
	if kills < 20 {
		t.Errorf("only %d kills; the test wants 20 or more", kills)
	}
	t.Logf("%d messages answered once and in order over %d kills", len(c.texts), kills)
	// A fresh reader sees the same transcript from the start: activities and watermarks survived.
	again := &client{base: c.base, token: c.token, id: c.id, activities: map[string]bool{}}
	try("read again", func() error {
		again.base = s.url
		for again.watermark != c.watermark {
			if err := again.poll(); err != nil {
				return err
			}
		}
		return nil
	})
	if len(again.texts) != messages || len(again.activities) != 2*messages {
		t.Fatalf("the transcript has %d answers and %d activities", len(again.texts), len(again.activities))
	}
}

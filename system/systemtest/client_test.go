package systemtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// client speaks Direct Line and repeats whatever was not acknowledged.
type client struct {
	base, token, id string
	watermark       string
	texts           []string // of the bot, in order
	activities      map[string]bool
	http            *http.Client // nil: one of its own
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
	if c.http == nil {
		c.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	}
	resp, err := c.http.Do(req)
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
			return fmt.Errorf("%w: activity %s arrived twice", errWrong, id)
		}
		c.activities[id] = true
		from, _ := a["from"].(map[string]any)
		if from["role"] == "bot" {
			if to, _ := a["replyToId"].(string); !c.activities[to] {
				return fmt.Errorf("%w: answer %s replies to %q, which was not seen", errWrong, id, to)
			}
			text, _ := a["text"].(string)
			c.texts = append(c.texts, text)
		}
	}
	return nil
}

// post sends message i of a talk.
func (c *client) post(talk string, i int, text string) error {
	_, err := c.do("POST", "/conversations/"+c.id+"/activities", map[string]any{"type": "message", "from": map[string]any{"id": "killer"}, "text": text,
		"channelData": map[string]any{"clientActivityID": fmt.Sprintf("%s-%d", talk, i)}})
	return err
}

// readUntil reads until there are n answers.
func (c *client) readUntil(n int) error {
	for len(c.texts) < n {
		if err := c.poll(); err != nil {
			return err
		}
		if len(c.texts) < n {
			time.Sleep(10 * time.Millisecond) // between polls; who calls it decides how long
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
	writeInto(t, dir, map[string]string{
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
`})
}

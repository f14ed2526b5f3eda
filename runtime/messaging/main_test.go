package messaging

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/kv/memory"
	"greentic.dev/gateway"
	"greentic.dev/greentic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inbox is an Acceptor that remembers what it took.
type inbox struct {
	mu       sync.Mutex
	triggers []greentic.Trigger
	refuse   error
}

func (b *inbox) Accept(_ context.Context, t greentic.Trigger) (greentic.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return greentic.Receipt{}, b.refuse
	}
	for _, old := range b.triggers {
		if old.ID == t.ID {
			return greentic.Receipt{ID: t.ID, Duplicate: true}, nil
		}
	}
	b.triggers = append(b.triggers, t)
	return greentic.Receipt{ID: t.ID}, nil
}

func (b *inbox) taken() []greentic.Trigger {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]greentic.Trigger(nil), b.triggers...)
}

// desk is web chat behind a gateway, with a clock that tests turn.
type desk struct {
	chat   *WebChat
	inbox  *inbox
	server *httptest.Server
	client *http.Client
	close  func() // ends the streams, once

	mu  sync.Mutex
	now time.Time
	ids int
}

var demo = greentic.DefaultTenant()

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func key(fill byte) []byte { return bytes.Repeat([]byte{fill}, 32) }

func open(t testing.TB) *desk {
	t.Helper()
	d := &desk{inbox: &inbox{}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), client: &http.Client{Transport: &http.Transport{}}}
	log := slog.New(slog.DiscardHandler)
	chat, err := NewWebChat(Deps{
		DB: memory.New(d.clock), Accept: d.inbox, Now: d.clock, Log: log,
		NewID: func() string {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.ids++
			return fmt.Sprintf("conv-%d", d.ids)
		},
		Tenant: func(name string) (greentic.TenantCtx, bool) {
			tenant := demo
			switch name {
			case "", "demo":
			case "other":
				tenant.Tenant = "other"
			default:
				return tenant, false
			}
			return tenant, true
		},
	}, key(7), Options{MaxBody: 4096})
	if err != nil {
		t.Fatal(err)
	}
	front, err := gateway.New(gateway.Options{Log: log}, chat.Routes())
	if err != nil {
		t.Fatal(err)
	}
	d.chat, d.server, d.close = chat, httptest.NewServer(front), sync.OnceFunc(chat.Close)
	t.Cleanup(func() {
		d.close()
		d.server.Close()
		d.client.CloseIdleConnections()
	})
	return d
}

// call makes a request and decodes the answer into into, when that is not nil.
func (d *desk) call(t testing.TB, method, path, token, body string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := d.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s %s: %d %s: %v", method, path, response.StatusCode, raw, err)
		}
	}
	return response.StatusCode
}

// begin opens a conversation.
func (d *desk) begin(t testing.TB) session {
	t.Helper()
	var s session
	if got := d.call(t, "POST", "/v3/directline/tokens/generate", "", "", &s); got != 200 {
		t.Fatalf("generate: %d", got)
	}
	var c session
	if got := d.call(t, "POST", "/v3/directline/conversations", s.Token, "", &c); got != 201 || c.ConversationID != s.ConversationID {
		t.Fatalf("conversations: %d %+v", got, c)
	}
	return c
}

func activitiesPath(s session) string {
	return "/v3/directline/conversations/" + s.ConversationID + "/activities"
}

func (d *desk) post(t testing.TB, s session, body string) string {
	t.Helper()
	var got struct{ ID string }
	if status := d.call(t, "POST", activitiesPath(s), s.Token, body, &got); status != 200 || got.ID == "" {
		t.Fatalf("post %s: %d %+v", body, status, got)
	}
	return got.ID
}

func message(text string) string {
	return fmt.Sprintf(`{"type":"message","from":{"id":"ada"},"text":%q}`, text)
}

func texts(p page) string {
	var list []string
	for _, a := range p.Activities {
		list = append(list, a.Text)
	}
	return strings.Join(list, ",")
}

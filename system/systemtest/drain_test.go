package systemtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/system"
)

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// A server that drains says so: to load balancers, to operators and to whoever started it.
func TestADrainingServerSaysWhatStillRuns(t *testing.T) {
	reached, goOn, said := make(chan struct{}), make(chan struct{}), make(chan [2]int, 100)
	var once atomic.Bool
	config := testConfig(t)
	s := openSystem(t, config, system.Options{
		Crash: func(point string) {
			if point == "before_commit" && once.CompareAndSwap(false, true) {
				close(reached)
				<-goOn
			}
		},
		Draining: func(turns, deliveries int) { said <- [2]int{turns, deliveries} },
	}, echoPack(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, func(url string) { ready <- url }) }()
	url := <-ready
	server, err := system.FindServer(config.Data)
	if err != nil {
		t.Fatal(err)
	}
	if code, body := get(t, url+"/readyz", ""); code != 200 {
		t.Fatalf("before: %d %s", code, body)
	}
	if code, _ := get(t, url+"/v1/status", ""); code != 401 {
		t.Errorf("status without the token: %d", code)
	}
	c := newClient(t, url)
	if _, err := c.do("POST", "/conversations/"+c.id+"/activities", map[string]any{"type": "message", "from": map[string]any{"id": "killer"}, "text": "a"}); err != nil {
		t.Fatal(err)
	}
	<-reached
	cancel()
	for range 2 { // the second comes a second later
		if got := <-said; got != [2]int{1, 0} {
			t.Errorf("said %v", got)
		}
	}
	if code, body := get(t, url+"/readyz", ""); code != 503 || !strings.Contains(body, "draining") {
		t.Errorf("readyz: %d %s", code, body)
	}
	if code, body := get(t, url+"/healthz", ""); code != 200 {
		t.Errorf("healthz: %d %s", code, body)
	}
	var status struct {
		Draining bool
		Turns    struct{ Running int }
		Inbox    struct{ Count int }
	}
	if code, body := get(t, url+"/v1/status", server.Token); code != 200 || json.Unmarshal([]byte(body), &status) != nil || !status.Draining || status.Turns.Running != 1 || status.Inbox.Count != 1 {
		t.Errorf("status: %d %s", code, body)
	}
	close(goOn)
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Operators reach a folder through its server, and the folder itself when none runs.
func TestOperatorsReachAFolderWithAndWithoutItsServer(t *testing.T) {
	config := testConfig(t)
	if _, err := system.OpenOperator(t.Context(), config, system.Options{Log: testLog(t)}); !fault.Is(err, fault.NotFound) {
		t.Fatalf("a folder nobody has used: %v", err)
	}
	s := openSystem(t, config, system.Options{}, echoPack(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := system.OpenOperator(t.Context(), config, system.Options{Log: testLog(t)}); !fault.Is(err, fault.Conflict) {
		t.Fatalf("a folder that a process holds which serves nobody: %v", err)
	}
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, func(url string) { ready <- url }) }()
	c := newClient(t, <-ready)
	c.say(t, "a", 1)
	var with, without struct{ Sessions []struct{ Key, Node string } }
	list := func(into any) {
		t.Helper()
		o, err := system.OpenOperator(t.Context(), config, system.Options{Log: testLog(t)})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Call(t.Context(), "GET", "/v1/sessions", nil, into); err != nil {
			t.Error(err)
		}
		if err := o.Call(t.Context(), "GET", "/v1/sessions/"+system.Segment("no/such"), nil, into); !fault.Is(err, fault.NotFound) {
			t.Errorf("one that is not there: %v", err)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
	list(&with)
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	list(&without)
	if len(with.Sessions) != 1 || with.Sessions[0].Node != "answer" || len(without.Sessions) != 1 || without.Sessions[0] != with.Sessions[0] {
		t.Fatalf("with a server %+v, without %+v", with, without)
	}
}

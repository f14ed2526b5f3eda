package host

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
	"greentic.dev/wasm/wasihttp"
)

// replaying is an invocation that is answered from a trace.
func replaying(t *testing.T, h *Host, made *trace.Trace) *invocation {
	t.Helper()
	inv := &invocation{host: h, tenant: ofTenant("a"), request: &Request{Replay: made}, component: "c"}
	inv.player = newPlayer(made, func(error) {})
	return inv
}

// send sends one request as wasi:http does and reads the whole answer.
func send(t *testing.T, inv *invocation, method, url string, body io.Reader) (string, *http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Mine", "1")
	resp, err := inv.transport().RoundTrip(req)
	if err != nil {
		return wasihttp.ErrorCode(err), nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return string(b) + "|" + wasihttp.ErrorCode(err), resp, nil
	}
	return string(b), resp, nil
}

// streamed is a body of no known length.
func streamed(s string) io.Reader { return io.MultiReader(strings.NewReader(s), strings.NewReader("")) }

func wasiServer(t *testing.T) (*httptest.Server, *[]string) {
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Method+" "+r.Header.Get(idempotencyHeader))
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", fmt.Sprint(len(b)))
		switch r.URL.Path {
		case "/die":
			panic(http.ErrAbortHandler)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "the beginning")
			return
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			_, _ = w.Write(b)
			w.Header().Set("X-Sum", "42")
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(server.Close)
	return server, &keys
}

// TestWhatIsSentThroughWASIIsRecordedAndReplayed: bodies that stream, answers that break off,
// trailers, failures, and keys in the order of the guest's requests.
func TestWhatIsSentThroughWASIIsRecordedAndReplayed(t *testing.T) {
	server, keys := wasiServer(t)
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{Hosts: []HostGrant{grantTo(t, server)}}})
	s.inv.tenant.IdempotencyKey = "step"
	s.inv.recorder = newRecorder(t.Context(), s.host, RecordOptions{Body: 1000})
	steps := []struct{ method, path, body string }{{"GET", "/", ""}, {"POST", "/", "one"}, {"POST", "/trailer", "two"}, {"PUT", "/", "three"}, {"POST", "/cut", "four"},
		{"GET", "/die", ""}, {"POST", "/none", strings.Repeat("long", 1000)}, {"GET", "http://127.0.0.1:1/", ""}}
	run := func(inv *invocation, from, to int) (got []string) {
		for _, step := range steps[from:to] {
			url := step.path
			if strings.HasPrefix(url, "/") {
				url = server.URL + url
			}
			answer, resp, _ := send(t, inv, step.method, url, streamed(step.body))
			if resp != nil {
				answer = fmt.Sprint(resp.StatusCode, resp.Header["X-Got"], resp.Trailer, answer)
			}
			got = append(got, answer)
		}
		return got
	}
	recorded := run(s.inv, 0, len(steps))
	if want := []string{"GET ", "POST step", "POST step/2", "PUT ", "POST step/3", "GET ", "POST step/4"}; !slices.Equal(*keys, want) {
		t.Errorf("keys %q", *keys)
	}
	*keys = nil
	made := throughJSON(t, s.inv.finish(false))
	if end := made.Calls[4].Answered.End; end != "HTTP-response-incomplete" || made.Calls[6].Asked.Body.Bytes != 4000 || made.Calls[6].Asked.Body.Digest == "" {
		t.Errorf("%+v", made.Calls)
	}
	inv := replaying(t, s.host, made)
	if got := run(inv, 0, 6); !reflect.DeepEqual(got, recorded[:6]) {
		t.Errorf("\n got %q\nwant %q", got, recorded[:6])
	}
	if _, _, err := send(t, inv, "POST", server.URL+"/none", streamed(steps[6].body)); !fault.Is(err, fault.Conflict) {
		t.Errorf("an answer that is a digest: %v", err)
	}
	if d, stopped := inv.divergence(); stopped == nil || d.Kind != trace.NotRecorded || d.Index != 6 {
		t.Errorf("%v", d)
	}
	if len(*keys) != 0 {
		t.Errorf("the replay sent %q", *keys)
	}
	made.Calls[6].Answered.Body = trace.Body{Text: "x"} // the request's digest is compared, the refusal comes back
	if got := run(replaying(t, s.host, &trace.Trace{Calls: made.Calls[6:]}), 6, 8); got[1] != "HTTP-request-denied" || !strings.HasSuffix(got[0], "x") {
		t.Errorf("%q", got)
	}
}

func TestADifferenceInWASIRequestsIsNamed(t *testing.T) {
	server, _ := wasiServer(t)
	s := newSetting(t, ofTenant("a"), Request{Grants: Grants{Hosts: []HostGrant{grantTo(t, server)}}})
	s.inv.recorder = newRecorder(t.Context(), s.host, RecordOptions{})
	if _, _, err := send(t, s.inv, "POST", server.URL+"/a", streamed("body")); err != nil {
		t.Fatal(err)
	}
	made := s.inv.finish(false)
	for name, c := range map[string]struct {
		method, path, body, field string
	}{"method": {"PUT", "/a", "body", "method"}, "path": {"POST", "/b", "body", "url"}, "body": {"POST", "/a", "bodies", "body"}, "no body": {"POST", "/a", "", "body"}} {
		inv := replaying(t, s.host, made)
		if _, _, err := send(t, inv, c.method, server.URL+c.path, streamed(c.body)); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
		if d, _ := inv.divergence(); d == nil || d.Kind != trace.Changed || d.Index != 0 || d.Field != c.field {
			t.Errorf("%s: %v", name, d)
		}
	}
	inv := replaying(t, s.host, made)
	if d, stopped := inv.divergence(); d == nil || d.Kind != trace.Missing || stopped != nil {
		t.Errorf("missing: %v %v", d, stopped)
	}
}

// TestAGoComponentIsReplayed: standard Go behind the preview-1 adapter, which reads clocks and
// randomness when it starts and while it runs.
func TestAGoComponentIsReplayed(t *testing.T) {
	s := newSetting(t, ofTenant("a"), Request{})
	c, state := helpdesk(t, s, "helpdesk.tickets"), notebook{}
	request := Request{Flow: "f", Node: "n", State: state, Grants: Grants{State: true, Scratch: true}, Record: &RecordOptions{}}
	type turn struct {
		operation string
		input     any
		recorded  Response
	}
	turns := []turn{{operation: "open", input: map[string]any{"summary": "printer", "category": "hardware", "priority": "high"}},
		{operation: "open", input: map[string]any{"summary": "screen", "category": "hardware", "priority": "low"}}, {operation: "list", input: map[string]any{}}}
	for i := range turns {
		request.Operation, request.Input = turns[i].operation, turns[i].input
		got, err := c.Invoke(t.Context(), ofTenant("a"), request)
		if err != nil || !got.OK || len(got.Trace.Calls) == 0 || len(got.Trace.Wall) == 0 {
			t.Fatalf("%+v %v", got, err)
		}
		turns[i].recorded = got
	}
	clear(state)
	again := helpdesk(t, newSetting(t, ofTenant("a"), Request{}), "helpdesk.tickets")
	for _, turn := range turns {
		for range 2 {
			got, err := again.Invoke(t.Context(), ofTenant("a"), Request{Flow: "f", Node: "n", Operation: turn.operation, Input: turn.input, Replay: throughJSON(t, turn.recorded.Trace),
				Grants: Grants{Scratch: true}})
			if err != nil || got.Divergence != nil || !reflect.DeepEqual(got.Output, turn.recorded.Output) || got.Stats.Fuel != turn.recorded.Stats.Fuel {
				t.Errorf("%s: %v %v %d fuel\n got %v\nwant %v, %d fuel", turn.operation, err, got.Divergence, got.Stats.Fuel, got.Output, turn.recorded.Output, turn.recorded.Stats.Fuel)
			}
		}
	}
	if len(state) != 0 {
		t.Errorf("the replay wrote %v", state)
	}
}

// TestTheTelegramProviderIsReplayed: the token in the path of a URL is a reference in the trace.
func TestTheTelegramProviderIsReplayed(t *testing.T) {
	path := public(t, "telegram.wasm")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":5,"chat":{"id":1}}}`)
	}))
	s := newSetting(t, ofTenant("a"), Request{})
	s.put(t, ofTenant("a"), "TELEGRAM_BOT_TOKEN", "4711:a-long-token")
	c := load(t, s, path)
	input := map[string]any{"text": "hello", "to": []any{map[string]any{"id": "1", "kind": "chat"}},
		"config": map[string]any{"enabled": true, "api_base_url": server.URL, "public_base_url": server.URL, "bot_token": "", "default_chat_id": "1"}}
	request := Request{Operation: "send", Input: input, Grants: Grants{Hosts: []HostGrant{grantTo(t, server)}, Secrets: []string{"TELEGRAM_BOT_TOKEN"}}, Record: &RecordOptions{}}
	recorded, err := c.Invoke(t.Context(), ofTenant("a"), request)
	server.Close()
	if err != nil || len(recorded.Trace.Calls) != 2 {
		t.Fatalf("%v %+v", err, recorded)
	}
	text, _ := json.Marshal(recorded.Trace)
	if strings.Contains(string(text), "long-token") || !strings.Contains(string(text), "/bot{secret:TELEGRAM_BOT_TOKEN}/sendMessage") {
		t.Errorf("%s", text)
	}
	request.Replay = throughJSON(t, recorded.Trace)
	got, err := c.Invoke(t.Context(), ofTenant("a"), request)
	if err != nil || got.Divergence != nil || !reflect.DeepEqual(got.Output, recorded.Output) || got.Trace != nil {
		t.Errorf("%v %v\n got %v\nwant %v", err, got.Divergence, got.Output, recorded.Output)
	}
}

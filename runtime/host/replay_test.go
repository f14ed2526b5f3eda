package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"greentic.dev/backing/egress"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
)

// recall is a setting with a server that echoes what it gets and remembers it.
type recall struct {
	setting
	t        *testing.T
	url      string
	requests []*http.Request
	bodies   []string
	answer   http.HandlerFunc // nil: the body comes back
	state    notebook
	asker    *Component
	grants   Grants
}

const token = "77:hunter2/hunter+2"

func newRecall(t *testing.T) *recall {
	r := &recall{t: t, setting: newSetting(t, ofTenant("a"), Request{}), state: notebook{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.requests, r.bodies = append(r.requests, req), append(r.bodies, string(body))
		if r.answer != nil {
			r.answer(w, req)
			return
		}
		fmt.Fprintf(w, "[%d:%s]", len(r.bodies), body)
	}))
	t.Cleanup(server.Close)
	r.url = server.URL + "/x"
	r.put(t, ofTenant("a"), "TOKEN", token)
	r.asker = load(t, r.setting, "testdata/asker.wasm")
	r.grants = Grants{Hosts: []HostGrant{grantTo(t, server)}, Secrets: []string{"TOKEN"}, State: true}
	return r
}

func (r *recall) request(letters string) Request {
	return Request{Operation: r.url, Input: letters, Grants: r.grants, State: r.state, Record: &RecordOptions{}}
}

func (r *recall) record(req Request) Response {
	r.t.Helper()
	who := ofTenant("a")
	who.IdempotencyKey = "turn/1"
	got, err := r.asker.Invoke(r.t.Context(), who, req)
	if err != nil || got.Trace == nil {
		r.t.Fatalf("%v, trace %v", err, got.Trace)
	}
	return got
}

// replay runs req against a trace in a world where nothing may be reached.
func (r *recall) replay(made *trace.Trace, letters string) (Response, error) {
	r.t.Helper()
	before, state := len(r.requests), fmt.Sprint(r.state)
	got, err := r.asker.Invoke(r.t.Context(), ofTenant("a"), Request{Operation: r.url, Input: letters, Replay: made, State: r.state, Grants: r.grants})
	if len(r.requests) != before || fmt.Sprint(r.state) != state {
		r.t.Errorf("the replay of %q reached the world", letters)
	}
	return got, err
}

func throughJSON(t *testing.T, made *trace.Trace) *trace.Trace {
	t.Helper()
	b, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	var back trace.Trace
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&back)
	if err != nil || !bytes.Equal(b, again) {
		t.Errorf("%v\n%s\n%s", err, b, again)
	}
	return &back
}

// TestAReplayGivesWhatWasRecorded: calls, clocks, randomness, also what the component kept from
// its start, and also on another host, from the JSON form.
func TestAReplayGivesWhatWasRecorded(t *testing.T) {
	r, other := newRecall(t), newRecall(t)
	other.url, other.host.deps.Secrets = r.url, nil
	for _, letters := range []string{"", "b", "wmr", "rrmmwwb", "g", "kpgu", "kputs", "tstswrp", "kgwrpmbst"} {
		recorded := r.record(r.request(letters))
		if made := recorded.Trace; made.Truncated || len(made.Calls) != len(recorded.Calls) || !made.Origin.Kept {
			t.Errorf("%q: %d calls in the trace of %d, %+v", letters, len(made.Calls), len(recorded.Calls), made.Origin)
		}
		for name, on := range map[string]*recall{"the same host": r, "another host": other} {
			got, err := on.replay(throughJSON(t, recorded.Trace), letters)
			if err != nil || got.Divergence != nil || got.Stats.Kept != recorded.Stats.Kept {
				t.Errorf("%q on %s: %v %v", letters, name, err, got.Divergence)
				continue
			}
			if got.Output != withoutToken(recorded.Output) {
				t.Errorf("%q on %s:\n got %v\nwant %v", letters, name, got.Output, recorded.Output)
			}
			for i := range recorded.Calls {
				recorded.Calls[i].Duration = got.Calls[i].Duration
			}
			if !reflect.DeepEqual(got.Calls, recorded.Calls) {
				t.Errorf("%q on %s:\n got %v\nwant %v", letters, name, got.Calls, recorded.Calls)
			}
		}
	}
}

// withoutToken is an output as a guest gives it that gets the mark for the secret.
func withoutToken(output any) string {
	return trace.NeedlesOf("TOKEN", token).Conceal(fmt.Sprint(output))
}

// TestAFreshInstanceIsReplayedFresh: what it read at its start is part of the trace then.
func TestAFreshInstanceIsReplayedFresh(t *testing.T) {
	r := newRecall(t)
	inv := &invocation{host: r.host, tenant: ofTenant("a"), request: &Request{}, component: "c", origin: r.host.origin()}
	inv.recorder = newRecorder(t.Context(), r.host, RecordOptions{})
	value, stats, err := r.asker.call(t.Context(), inv, string(ABISchemaCore), "invoke", []any{"", []byte("br")})
	if err != nil || stats.Kept {
		t.Fatalf("%v, kept %v", err, stats.Kept)
	}
	got, err := r.replay(inv.finish(false), "br")
	if err != nil || got.Output != string(value.([]byte)) || got.Stats.Kept {
		t.Errorf("%v %v, want %s", got.Output, err, value)
	}
}

func TestEveryDifferenceIsNamed(t *testing.T) {
	r := newRecall(t)
	recorded := r.record(r.request("kpgs")).Trace
	edit := func(change func(*trace.Trace)) *trace.Trace {
		made := throughJSON(t, recorded)
		change(made)
		return made
	}
	for name, c := range map[string]struct {
		letters string
		made    *trace.Trace
		want    trace.Divergence // but for its texts
		says    string
		goesOn  bool
	}{
		"another call":       {"kgg", recorded, trace.Divergence{Kind: trace.Changed, Index: 1, Field: "method"}, `call 1: method was "POST" and is "GET"`, false},
		"another interface":  {"ks", recorded, trace.Divergence{Kind: trace.Changed, Index: 1, Field: "import"}, "state-store", false},
		"another body":       {"krp", recorded, trace.Divergence{Kind: trace.Changed, Index: 1, Field: "body"}, "{secret:TOKEN}k", false},
		"another URL":        {"kpu", recorded, trace.Divergence{Kind: trace.Changed, Index: 2, Field: "url"}, "/x{secret:TOKEN}", false},
		"one call more":      {"kpgss", recorded, trace.Divergence{Kind: trace.Extra, Index: 4}, "call 4 is not in the record: greentic:state/state-store@1.0.0#read k", false},
		"one call less":      {"kpg", recorded, trace.Divergence{Kind: trace.Missing, Index: 3}, "call 3 was not made: greentic:state/state-store@1.0.0#read k", true},
		"none at all":        {"", recorded, trace.Divergence{Kind: trace.Missing, Index: 0}, "secrets-store", true},
		"an unknown answer":  {"kpgs", edit(func(t *trace.Trace) { t.Calls[2].Answered.Body = trace.DigestOf("x") }), trace.Divergence{Kind: trace.NotRecorded, Index: 2}, "GET", false},
		"after the cut":      {"kpgs", edit(func(t *trace.Trace) { t.Calls, t.Truncated = t.Calls[:3], true }), trace.Divergence{Kind: trace.NotRecorded, Index: 3}, "call 3", false},
		"another header":     {"kpgs", edit(func(t *trace.Trace) { t.Calls[1].Asked.Header = [][2]string{{"X-A", "1"}} }), trace.Divergence{Kind: trace.Changed, Index: 1, Field: "header X-A"}, `was "1"`, false},
		"a body as a digest": {"kpgs", edit(func(t *trace.Trace) { t.Calls[1].Asked.Body = trace.DigestOf("x") }), trace.Divergence{Kind: trace.Changed, Index: 1, Field: "body"}, "sha256:", false},
	} {
		got, err := r.replay(c.made, c.letters)
		if got.Divergence == nil {
			t.Errorf("%s: not noticed, %v %v", name, got.Output, err)
			continue
		}
		d := *got.Divergence
		if text := d.String(); !strings.Contains(text, c.says) || strings.Contains(text, token) {
			t.Errorf("%s says %s", name, text)
		}
		if d.Recorded, d.Asked = "", ""; d != c.want {
			t.Errorf("%s: %+v", name, d)
		}
		_, _, code := fault.Detail(err)
		if c.goesOn != (err == nil) || err != nil && (!fault.Is(err, fault.Conflict) || code != CodeDiverged || got.OK) {
			t.Errorf("%s ends with %v", name, err)
		}
	}
	if got, err := r.replay(recorded, "kpgs"); err != nil || got.Divergence != nil {
		t.Errorf("afterwards: %v %v", got.Divergence, err)
	}
	if _, err := r.replay(&trace.Trace{}, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("no trace: %v", err)
	}
}

// TestFailuresAreReplayed: what a call was refused with comes back; a component that trapped traps.
func TestFailuresAreReplayed(t *testing.T) {
	r := newRecall(t)
	r.grants.Hosts, r.grants.Secrets = nil, nil
	recorded := r.record(r.request("kgsp"))
	got, err := r.replay(throughJSON(t, recorded.Trace), "kgsp")
	if err != nil || got.Output != recorded.Output || !strings.Contains(fmt.Sprint(got.Output), "!denied") || got.Divergence != nil {
		t.Errorf("%v %v %v, want %v", got.Output, got.Divergence, err, recorded.Output)
	}
	trapped, err := r.asker.Invoke(t.Context(), ofTenant("a"), r.request("wgz"))
	if !fault.Is(err, fault.Invalid) || trapped.Trace == nil || len(trapped.Trace.Calls) != 1 {
		t.Fatalf("%v %+v", err, trapped.Trace)
	}
	if got, again := r.replay(trapped.Trace, "wgz"); again == nil || again.Error() != err.Error() || got.Divergence != nil {
		t.Errorf("%v, %v; want %v", again, got.Divergence, err)
	}
}

func TestATraceIsBounded(t *testing.T) {
	r := newRecall(t)
	r.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("long", 100)) }
	request := r.request("gp")
	request.Record = &RecordOptions{Body: 100}
	made := r.record(request).Trace
	want := trace.DigestOf(strings.Repeat("long", 100))
	if got := made.Calls[0].Answered.Body; got != want || got.Bytes != 400 || len(made.Calls) != 2 {
		t.Errorf("%+v", made.Calls)
	}
	if got, err := r.replay(throughJSON(t, made), "gp"); err == nil || got.Divergence.Kind != trace.NotRecorded || got.Divergence.Index != 0 {
		t.Errorf("%v %v", got.Divergence, err)
	}
	request = r.request("gggg")
	request.Record = &RecordOptions{Total: 1500}
	if made := r.record(request).Trace; len(made.Calls) != 2 || !made.Truncated {
		t.Errorf("%d calls, truncated %v", len(made.Calls), made.Truncated)
	}
	long := r.record(r.request(strings.Repeat("w", 1900))).Trace
	if len(long.Wall) > trace.MaxReadings || long.Truncated {
		t.Errorf("%d bytes of readings", len(long.Wall))
	}
	var clock trace.Readings
	for i := range uint64(trace.MaxReadings) {
		clock.Add(i << 40)
	}
	if len(clock.Bytes) > trace.MaxReadings || !clock.Full {
		t.Errorf("%d bytes of readings", len(clock.Bytes))
	}
}

// TestALongBodyWithASecretIsComparedByItsDigest: the secret is replaced before, so that the
// placeholder of the replay gives the same.
func TestALongBodyWithASecretIsComparedByItsDigest(t *testing.T) {
	r := newRecall(t)
	r.answer = func(http.ResponseWriter, *http.Request) {}
	r.state["k"] = `"` + strings.Repeat("x", 300) + `"`
	request := r.request("ksp")
	request.Record.Body = 310
	made := throughJSON(t, r.record(request).Trace)
	if made.Calls[2].Asked.Body.Digest == "" {
		t.Fatalf("%+v", made.Calls[2])
	}
	if got, err := r.replay(made, "ksp"); err != nil || got.Divergence != nil {
		t.Errorf("%v %v", got.Divergence, err)
	}
	made.Calls[1].Answered.Body.Text = strings.Replace(made.Calls[1].Answered.Body.Text, "x", "y", 1)
	if got, err := r.replay(made, "ksp"); err == nil || got.Divergence.Field != "body" {
		t.Errorf("another body: %v %v", got.Divergence, err)
	}
}

// TestPostsHaveAKeyOfTheirOwn: the same when the turn runs again, another for each request.
func TestPostsHaveAKeyOfTheirOwn(t *testing.T) {
	r := newRecall(t)
	for range 2 {
		r.requests = nil
		made := r.record(r.request("pgpup")).Trace
		var keys, traced []string
		for i, req := range r.requests {
			keys, traced = append(keys, req.Header.Get(idempotencyHeader)), append(traced, made.Calls[i].IdempotencyKey)
		}
		if want := []string{"turn/1", "", "turn/1/2", "", "turn/1/3"}; !slices.Equal(keys, want) || !slices.Equal(traced, want) {
			t.Errorf("sent %q, traced %q", keys, traced)
		}
	}
	inv := &invocation{host: r.host, tenant: ofTenant("a"), request: &Request{Grants: r.grants}}
	send := func(method string, header ...[2]string) string {
		if _, err := inv.sendOne(t.Context(), "x", egress.Request{Method: method, URL: r.url, Header: header}, nil); err != nil {
			t.Fatal(err)
		}
		return strings.Join(r.requests[len(r.requests)-1].Header[idempotencyHeader], ",")
	}
	if key := send("POST"); key != "" {
		t.Errorf("without a key of the step: %q", key)
	}
	inv.tenant.IdempotencyKey, inv.unsafe = "k", 0
	for i, c := range []struct {
		method, want string
		header       [][2]string
	}{{"POST", "mine", [][2]string{{"idempotency-key", "mine"}}}, {"PATCH", "k/2", nil}, {"PUT", "", nil}, {"DELETE", "", nil}, {"POST", "k/3", nil}} {
		if key := send(c.method, c.header...); key != c.want {
			t.Errorf("%d, %s: %q, want %q", i, c.method, key, c.want)
		}
	}
}

// TestAFailingComponentWaitsAsTheServerAsks: unless it says itself how long.
func TestAFailingComponentWaitsAsTheServerAsks(t *testing.T) {
	r := newRecall(t)
	r.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	inv := &invocation{host: r.host, tenant: ofTenant("a"), request: &Request{Grants: r.grants}}
	if _, err := inv.sendOne(t.Context(), "x", egress.Request{Method: "POST", URL: r.url}, nil); err != nil || inv.wait.Seconds() != 7 {
		t.Errorf("%s %v", inv.wait, err)
	}
}

// TestACallThatWasCutOffMayHaveHappened: the guest is ended, the record says so, and a replay ends alike.
func TestACallThatWasCutOffMayHaveHappened(t *testing.T) {
	r := newRecall(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.answer = func(_ http.ResponseWriter, req *http.Request) {
		cancel()
		<-req.Context().Done()
	}
	got, err := r.asker.Invoke(ctx, ofTenant("a"), r.request("p"))
	if !fault.Is(err, fault.Canceled) || len(got.Calls) != 1 || !got.Calls[0].Effect || got.Calls[0].Outcome != "canceled" {
		t.Fatalf("%v %+v", err, got.Calls)
	}
	again, err := r.replay(throughJSON(t, got.Trace), "p")
	if !fault.Is(err, fault.Canceled) || again.Divergence != nil {
		t.Errorf("%v %v", err, again.Divergence)
	}
}

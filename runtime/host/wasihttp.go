package host

import (
	"io"
	"net/http"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
	"greentic.dev/wasm/wasihttp"
)

// wasiHTTP is how a Call names wasi:http; the guest may have asked for any 0.2 version of it.
const wasiHTTP = "wasi:http/outgoing-handler#handle"

// transport sends what a guest sends through wasi:http: by the same client, under the same grants
// and limits as http-client, but without following redirects. Without a client, and untraced, it
// is nil: every request is denied.
func (inv *invocation) transport() http.RoundTripper {
	if inv.host.deps.HTTP == nil && !inv.traced() {
		return nil
	}
	return outward{inv}
}

// outward is the way out of an invocation.
type outward struct{ inv *invocation }

// Begin is called for each request in the guest's order (package wasihttp).
func (o outward) Begin(req *http.Request) http.RoundTripper {
	inv := o.inv
	e := &trace.Exchange{Call: Call{Import: wasiHTTP, Subject: req.Method + " " + req.URL.Host, Outcome: "ok", Effect: mayChange(req.Method)}}
	e.IdempotencyKey = inv.idempotencyKey(req.Method, func(name string) bool { return len(req.Header[name]) > 0 })
	if inv.traced() {
		e.Asked = trace.Asked{Method: req.Method, URL: trace.WithoutUser(req.URL.String()), Header: pairs(req.Header)}
	}
	if inv.player != nil {
		recorded, err := inv.answer(e)
		return &replayed{inv: inv, recorded: recorded, index: inv.player.at - 1, err: err}
	}
	if e.IdempotencyKey != "" {
		req.Header.Set(idempotencyHeader, e.IdempotencyKey)
	}
	return &recorded{inv: inv, exchange: inv.note(e), call: e.Call}
}

// RoundTrip implements http.RoundTripper for those that do not begin.
func (o outward) RoundTrip(req *http.Request) (*http.Response, error) {
	return o.Begin(req).RoundTrip(req)
}

// recorded sends one request and records it when its answer begins or it fails.
type recorded struct {
	inv      *invocation
	call     Call
	exchange *exchange // nil: there is no trace, or it is full
}

// RoundTrip implements http.RoundTripper.
func (r *recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	inv, e, c := r.inv, r.exchange, r.call
	start := inv.host.deps.Now()
	var sent *tee
	if e != nil && req.Body != nil && req.Body != http.NoBody {
		sent = &tee{ReadCloser: req.Body, limit: inv.recorder.opts.Body}
		req = req.Clone(req.Context())
		req.Body = sent
	}
	resp, err := inv.pass(req)
	if err != nil {
		c.Outcome = wasihttp.ErrorCode(err)
		// what was neither refused nor malformed may have arrived all the same
		c.Effect = c.Effect && !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Invalid)
	} else {
		inv.heed(resp.StatusCode, pairs(resp.Header))
	}
	c = inv.record(c, start)
	if e == nil {
		return resp, err
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	e.Call, e.asked = c, sent
	if sent != nil {
		_, e.Asked.Open = sent.body()
	}
	if err != nil {
		e.Answered.Message = err.Error()
		return nil, err
	}
	e.Answered = trace.Answered{Status: resp.StatusCode, Header: pairs(resp.Header)}
	if resp.Body != nil {
		e.answered = &tee{ReadCloser: resp.Body, limit: inv.recorder.opts.Body, failed: func(err error) { e.ended(inv, err) },
			finished: func() { e.trailed(inv, resp) }}
		resp.Body = e.answered
	}
	return resp, nil
}

// pass gives a request to the client.
func (inv *invocation) pass(req *http.Request) (*http.Response, error) {
	if inv.host.deps.HTTP == nil {
		if req.Body != nil {
			_ = req.Body.Close() // as RoundTrip must; nothing was read
		}
		return nil, fault.New(fault.Denied, "http", "this host sends no requests")
	}
	return inv.host.deps.HTTP.RoundTripper(inv.tenant, inv.request.Grants.Hosts).RoundTrip(req)
}

func (e *exchange) ended(inv *invocation, err error) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	e.Answered.End, e.Answered.Message = wasihttp.ErrorCode(err), err.Error()
}

func (e *exchange) trailed(inv *invocation, resp *http.Response) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	e.Answered.Trailer = pairs(resp.Trailer)
}

// pairs is a header by name, in alphabetical order.
func pairs(h http.Header) (list [][2]string) {
	for name, values := range h {
		for _, value := range values {
			list = append(list, [2]string{name, value})
		}
	}
	slices.SortStableFunc(list, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return list
}

// replayed answers one request from a trace.
type replayed struct {
	inv      *invocation
	recorded *trace.Exchange
	index    int
	err      error // the guest diverged
}

// RoundTrip implements http.RoundTripper.
func (r *replayed) RoundTrip(req *http.Request) (*http.Response, error) {
	start := r.inv.host.deps.Now()
	if req.Body != nil {
		defer req.Body.Close()
	}
	if r.err == nil && !r.recorded.Asked.Open {
		r.err = r.compareBody(req)
	}
	if r.err != nil {
		return nil, r.err
	}
	r.inv.record(r.recorded.Call, start)
	a := &r.recorded.Answered
	if r.recorded.Outcome != "ok" {
		return nil, wasihttp.Failure(r.recorded.Outcome, a.Message)
	}
	resp := &http.Response{StatusCode: a.Status, Header: header(a.Header), Trailer: header(a.Trailer), ContentLength: -1}
	body := io.Reader(strings.NewReader(a.Body.Text))
	if a.End != "" && a.End != "open" {
		body = io.MultiReader(body, failing{wasihttp.Failure(a.End, a.Message)})
	}
	resp.Body = io.NopCloser(body)
	return resp, nil
}

func (r *replayed) compareBody(req *http.Request) error {
	recorded := r.recorded.Asked.Body
	got := &tee{ReadCloser: http.NoBody}
	if recorded.Digest == "" {
		got.limit = len(recorded.Text) + maxSecret
	}
	if req.Body != nil {
		got.ReadCloser = req.Body
	}
	if _, err := io.Copy(io.Discard, got); err != nil {
		return err // the guest gave its body up
	}
	asked, _ := got.body()
	if d := recorded.Compare(asked, r.inv.needles()); d != nil {
		d.Kind, d.Index = trace.Changed, r.index
		return r.inv.diverge(*d)
	}
	return nil
}

// maxSecret is how much longer than its mark a secret may be in what is compared.
const maxSecret = 64 << 10

func header(list [][2]string) http.Header {
	h := http.Header{}
	for _, pair := range list {
		h[pair[0]] = append(h[pair[0]], pair[1])
	}
	return h
}

// failing is the end of a body that broke off.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

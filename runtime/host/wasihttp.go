package host

import (
	"net/http"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/wasihttp"
)

// wasiHTTP is how a Call names wasi:http; the guest may have asked for any 0.2 version of it.
const wasiHTTP = "wasi:http/outgoing-handler#handle"

// transport sends what a guest sends through wasi:http: by the same client, under the same grants
// and limits as http-client, but without following redirects. nil: every request is denied.
func (inv *invocation) transport() http.RoundTripper {
	if inv.host.deps.HTTP == nil {
		return nil
	}
	return &recorded{inv: inv, next: inv.host.deps.HTTP.RoundTripper(inv.tenant, inv.request.Grants.Hosts)}
}

// recorded records each request when its answer begins or it fails.
type recorded struct {
	inv  *invocation
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r *recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	start := r.inv.host.deps.Now()
	resp, err := r.next.RoundTrip(req)
	c := Call{Import: wasiHTTP, Subject: req.Method + " " + req.URL.Host, Outcome: "ok",
		Effect: req.Method != http.MethodGet && req.Method != http.MethodHead}
	if err != nil {
		c.Outcome = wasihttp.ErrorCode(err)
		// what was neither refused nor malformed may have arrived all the same
		c.Effect = c.Effect && !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Invalid)
	}
	r.inv.record(c, start)
	return resp, err
}

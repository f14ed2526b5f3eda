package egress

import (
	"context"
	"io"
	"net/http"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// RoundTripper sends requests for tenant where grants allow, like Do with NoRedirects, with the
// same policy, limits and errors, but with bodies that stream both ways: the answer is given when
// it begins, and its body fails as Do does. Options.Timeout lasts until that body is closed, which
// the caller must do.
func (c *Client) RoundTripper(tenant greentic.TenantCtx, grants []Grant) http.RoundTripper {
	return &streaming{client: c, tenant: tenant, grants: grants}
}

type streaming struct {
	client *Client
	tenant greentic.TenantCtx
	grants []Grant
}

// RoundTrip implements http.RoundTripper.
func (s *streaming) RoundTrip(req *http.Request) (*http.Response, error) {
	var body io.Reader = http.NoBody
	length := req.ContentLength
	if req.Body == nil || req.Body == http.NoBody {
		length = 0
	} else {
		if length == 0 {
			length = -1 // a body with this length has none that is known (net/http)
		}
		body = &upload{body: req.Body, left: s.client.opts.MaxRequest}
	}
	if length > s.client.opts.MaxRequest {
		_ = req.Body.Close() // as RoundTrip must; nothing was read
		return nil, fault.Newf(fault.Exhausted, "http "+req.Method, "the request has more than %d bytes", s.client.opts.MaxRequest)
	}
	r := Request{Method: req.Method, URL: req.URL.String(), Header: flatten(req.Header), Grants: s.grants, NoRedirects: true}
	resp, err := s.client.send(req.Context(), s.tenant, r, body, length, req.Trailer)
	if err != nil && req.Body != nil {
		_ = req.Body.Close() // it may not have come to the transport
	}
	return resp, err
}

// upload is the body of a request, up to a limit.
type upload struct {
	body io.ReadCloser
	left int64
}

func (u *upload) Read(b []byte) (int, error) {
	n, err := u.body.Read(b)
	if u.left -= int64(n); u.left < 0 {
		return 0, fault.New(fault.Exhausted, "", "the request has more bytes than its limit")
	}
	return n, err
}

func (u *upload) Close() error { return u.body.Close() }

// answer is the body of a response, up to a limit, with errors that have kinds and no URL.
type answer struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelFunc
	op     string
	limit  int64
	read   int64
}

func (a *answer) Read(b []byte) (int, error) {
	if int64(len(b)) > a.limit+1-a.read {
		b = b[:a.limit+1-a.read]
	}
	n, err := a.body.Read(b)
	if a.read += int64(n); a.read > a.limit {
		return 0, fault.Newf(fault.Exhausted, a.op, "the answer has more than %d bytes", a.limit)
	}
	if err != nil && err != io.EOF {
		err = transportError(a.ctx, a.op, err)
	}
	return n, err
}

func (a *answer) Close() error {
	a.cancel()
	return a.body.Close()
}

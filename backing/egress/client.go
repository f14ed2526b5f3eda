package egress

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Options of a client. Every zero value is the safe default named beside it.
type Options struct {
	Timeout      time.Duration  // one request with its redirects; 0: 30 s
	MaxResponse  int64          // bytes of a response body; 0: 8 MiB
	MaxRequest   int64          // bytes of a request body that streams; 0: 8 MiB
	MaxRedirects int            // 0: 5
	Resolver     *net.Resolver  // nil: the system's
	RootCAs      *x509.CertPool // nil: the system's

	// Transport answers requests that the policy let through, instead of the network: in tests of
	// components. Nil: the network.
	Transport http.RoundTripper
}

// Client sends requests. It is safe for concurrent use. Tenants share no connection.
type Client struct {
	opts  Options
	mu    sync.Mutex
	pools map[poolKey]*pool
	clock uint64 // ticks once per use, to find the pool unused for longest
}

// New makes a client; it opens nothing.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxResponse <= 0 {
		o.MaxResponse = 8 << 20
	}
	if o.MaxRequest <= 0 {
		o.MaxRequest = 8 << 20
	}
	if o.MaxRedirects <= 0 {
		o.MaxRedirects = 5
	}
	return &Client{opts: o, pools: map[poolKey]*pool{}}
}

// Request is one outgoing request and what it may reach.
type Request struct {
	Method        string
	URL           string
	Header        [][2]string // hop-by-hop headers, Host and Content-Length are the client's own and dropped
	Body          []byte
	Grants        []Grant       // none: denied
	Timeout       time.Duration // shortens Options.Timeout; 0: no shorter
	AllowInsecure bool          // skip the check of the TLS certificate, where a grant permits it
	NoRedirects   bool          // answer with the redirect itself
}

// Response is an answer, whatever its status.
type Response struct {
	Status int
	Header [][2]string // canonical names, in alphabetical order
	Body   []byte
}

// Do sends r for tenant and reads the answer completely. Errors: fault.Denied (no grant, or
// the address guard), fault.Invalid (method, URL or header), fault.Exhausted (answer too
// large, too many redirects), fault.Timeout, fault.Canceled, fault.Unavailable (everything
// between here and the server). Errors name the host, never the URL.
func (c *Client) Do(ctx context.Context, tenant greentic.TenantCtx, r Request) (*Response, error) {
	resp, err := c.send(ctx, tenant, r, bytes.NewReader(r.Body), int64(len(r.Body)), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &Response{Status: resp.StatusCode, Header: flatten(resp.Header), Body: body}, nil
}

// send sends r, but for its body the one given, of a length that may be unknown (-1) and with
// trailers that may be filled until it ends. The body of the answer keeps the limits; closing it
// ends the request.
func (c *Client) send(ctx context.Context, tenant greentic.TenantCtx, r Request, body io.Reader, length int64, trailer http.Header) (*http.Response, error) {
	method := strings.ToUpper(r.Method)
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, fault.New(fault.Invalid, "http "+method, "the URL cannot be parsed")
	}
	first, err := targetOf(method, u)
	if err != nil {
		return nil, err
	}
	op := "http " + method + " " + first.host
	if err := permit(op, first, r); err != nil {
		return nil, err
	}
	if r.Timeout <= 0 || r.Timeout > c.opts.Timeout {
		r.Timeout = c.opts.Timeout
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		cancel()
		return nil, fault.New(fault.Invalid, op, "the method or URL is malformed")
	}
	if req.ContentLength, req.Trailer = length, trailer; length == 0 {
		req.Body = http.NoBody
	}
	if err := setHeader(req, r.Header); err != nil {
		cancel()
		return nil, fault.Wrap(op, err)
	}
	client := http.Client{Transport: c.way(tenant, r.AllowInsecure), CheckRedirect: func(next *http.Request, via []*http.Request) error {
		return c.redirect(op, first, r, next, via)
	}}
	resp, err := client.Do(req)
	if err != nil {
		err = transportError(ctx, op, err)
		cancel()
		return nil, err
	}
	resp.Body = &answer{body: resp.Body, ctx: ctx, cancel: cancel, op: op, limit: c.opts.MaxResponse}
	return resp, nil
}

// permit is the policy decision for one hop.
func permit(op string, t target, r Request) error {
	switch t.method {
	case "", http.MethodConnect, http.MethodTrace:
		return fault.New(fault.Invalid, op, "this method is not sent")
	}
	for _, g := range r.Grants {
		if g.allows(t) && (!r.AllowInsecure || g.Insecure || g.local()) {
			return nil
		}
	}
	if r.AllowInsecure {
		return fault.Newf(fault.Denied, op, "no grant allows %s on port %d without checking its certificate", t.host, t.port)
	}
	return fault.Newf(fault.Denied, op, "no grant allows %s on port %d", t.host, t.port).WithFix("declare the host in the pack's greentic.egress.v1 extension, or pass --allow-http")
}

// redirect judges the next hop as if it were a request of its own, and keeps what the first
// host was told from the second.
func (c *Client) redirect(op string, first target, r Request, next *http.Request, via []*http.Request) error {
	if r.NoRedirects {
		return http.ErrUseLastResponse
	}
	if len(via) > c.opts.MaxRedirects {
		return fault.Newf(fault.Exhausted, op, "more than %d redirects", c.opts.MaxRedirects)
	}
	t, err := targetOf(next.Method, next.URL)
	if err != nil {
		return err
	}
	if via[len(via)-1].URL.Scheme == "https" && t.scheme == "http" {
		return fault.New(fault.Denied, op, "the answer redirects from https to http")
	}
	if err := permit(op+" redirect", t, r); err != nil {
		return err
	}
	next.Header.Del("Referer") // a path may be a secret
	if t.host != first.host || t.port != first.port {
		for name := range next.Header {
			if !slices.Contains([]string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}, name) {
				next.Header.Del(name)
			}
		}
	}
	return nil
}

func setHeader(req *http.Request, header [][2]string) error {
	for _, h := range header {
		if h[0] == "" || strings.Trim(h[0], "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return fault.Newf(fault.Invalid, "header", "%q is no name", h[0])
		}
		if strings.ContainsFunc(h[1], func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
			return fault.Newf(fault.Invalid, "header "+h[0], "the value has control characters")
		}
		switch name := http.CanonicalHeaderKey(h[0]); name {
		case "Host", "Content-Length", "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect":
		default:
			req.Header.Add(name, h[1])
		}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "greentic")
	}
	return nil
}

func flatten(h http.Header) [][2]string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	var list [][2]string
	for _, name := range names {
		for _, value := range h[name] {
			list = append(list, [2]string{name, value})
		}
	}
	return list
}

// transportError gives err a kind and takes the URL out of it.
func transportError(ctx context.Context, op string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	if isProhibited(err) {
		return fault.New(fault.Denied, op, "the host resolves to an address that is private or reserved").WithFix("grant the IP address itself if it is meant")
	}
	if ctx.Err() != nil {
		return fault.Wrap(op, context.Cause(ctx))
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fault.New(fault.Timeout, op, "no answer in time")
	}
	return fault.As(fault.Unavailable, op, err)
}

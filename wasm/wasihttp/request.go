package wasihttp

import (
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

// outgoing is the resource outgoing-request and, with status instead of method and target,
// outgoing-response, which nothing here ever sends.
type outgoing struct {
	family
	session *session
	headers *fields
	method  canon.Variant
	path    canon.Option
	scheme  canon.Option
	host    canon.Option // authority
	status  uint16
	body    *outgoingBody // nil until it was asked for
}

// Dropped takes it back.
func (r *outgoing) Dropped() error {
	if err := r.bereave("a request or response"); err != nil {
		return err
	}
	r.free()
	if r.body != nil {
		return r.body.flow.Close()
	}
	return nil
}

// free gives back what it held.
func (r *outgoing) free() {
	r.headers.free()
	r.session.held -= textSize(r.path) + textSize(r.host) + textSize(r.scheme) + caseSize(r.method)
	r.path, r.host, r.scheme, r.method = canon.Option{}, canon.Option{}, canon.Option{}, canon.Variant{}
}

func textSize(o canon.Option) int {
	switch v := o.Value.(type) {
	case string:
		return len(v)
	case canon.Variant:
		return caseSize(v)
	}
	return 0
}

func caseSize(v canon.Variant) int {
	s, _ := v.Value.(string)
	return len(s)
}

func outgoingRequestFuncs() map[string]link.Func {
	funcs := outgoingFuncs("outgoing-request")
	get := func(name string, f func(*outgoing) any) {
		funcs["[method]outgoing-request."+name] = wasi.Func(func(c *wasi.Call) any {
			if r := wasi.Self[*outgoing](c, 0); !c.Trapped() {
				return f(r)
			}
			return nil
		})
	}
	get("method", func(r *outgoing) any { return r.method })
	get("path-with-query", func(r *outgoing) any { return r.path })
	get("scheme", func(r *outgoing) any { return r.scheme })
	get("authority", func(r *outgoing) any { return r.host })
	set := func(name string, f func(c *wasi.Call, r *outgoing) bool) {
		funcs["[method]outgoing-request.set-"+name] = wasi.Func(func(c *wasi.Call) any {
			r := wasi.Self[*outgoing](c, 0)
			if c.Trapped() {
				return nil
			}
			r.session.held -= textSize(r.path) + textSize(r.host) + textSize(r.scheme) + caseSize(r.method)
			ok := f(c, r)
			r.session.hold(c, textSize(r.path)+textSize(r.host)+textSize(r.scheme)+caseSize(r.method))
			if !ok {
				return canon.Err(nil)
			}
			return canon.OK(nil)
		})
	}
	set("method", func(c *wasi.Call, r *outgoing) bool {
		v := wasi.Arg[canon.Variant](c, 1)
		text, other := v.Value.(string)
		ok := !c.Trapped() && v.Case != "" && (!other || isToken(text) && len(text) <= maxURI)
		if ok {
			r.method = v
		}
		return ok
	})
	text := func(field func(*outgoing) *canon.Option, valid func(string) bool) func(*wasi.Call, *outgoing) bool {
		return func(c *wasi.Call, r *outgoing) bool {
			v := wasi.Arg[canon.Option](c, 1)
			s, _ := v.Value.(string)
			ok := !c.Trapped() && (!v.Some || len(s) <= maxURI && valid(s))
			if ok {
				*field(r) = v
			}
			return ok
		}
	}
	set("path-with-query", text(func(r *outgoing) *canon.Option { return &r.path }, isPath))
	set("authority", text(func(r *outgoing) *canon.Option { return &r.host }, isAuthority))
	set("scheme", func(c *wasi.Call, r *outgoing) bool {
		v := wasi.Arg[canon.Option](c, 1)
		one, _ := v.Value.(canon.Variant)
		s, other := one.Value.(string)
		ok := !c.Trapped() && (!v.Some || one.Case != "" && (!other || len(s) <= maxURI && isScheme(s)))
		if ok {
			r.scheme = v
		}
		return ok
	})
	return funcs
}

// outgoingFuncs is what requests and responses have in common.
func outgoingFuncs(resource string) map[string]link.Func {
	return map[string]link.Func{
		"[constructor]" + resource: wasi.Func(func(c *wasi.Call) any {
			f := wasi.Self[*fields](c, 0)
			if c.Trapped() {
				return nil
			}
			return own(&outgoing{session: f.session, headers: adopt(c, f), method: enum("get"), status: 200})
		}),
		"[method]" + resource + ".headers": wasi.Func(func(c *wasi.Call) any {
			if r := wasi.Self[*outgoing](c, 0); !c.Trapped() {
				return r.headers.child(&r.family)
			}
			return nil
		}),
		"[method]" + resource + ".body": wasi.Func(func(c *wasi.Call) any {
			r := wasi.Self[*outgoing](c, 0)
			if c.Trapped() {
				return nil
			}
			declared, ok := r.length()
			if r.body != nil || !ok {
				return canon.Err(nil)
			}
			r.body = &outgoingBody{flow: &outflow{session: r.session, declared: declared, tail: http.Header{}}}
			return canon.OK(own(r.body))
		}),
	}
}

func outgoingResponseFuncs() map[string]link.Func {
	funcs := outgoingFuncs("outgoing-response")
	funcs["[method]outgoing-response.status-code"] = wasi.Func(func(c *wasi.Call) any {
		if r := wasi.Self[*outgoing](c, 0); !c.Trapped() {
			return r.status
		}
		return nil
	})
	funcs["[method]outgoing-response.set-status-code"] = wasi.Func(func(c *wasi.Call) any {
		r, code := wasi.Self[*outgoing](c, 0), wasi.Arg[uint16](c, 1)
		if c.Trapped() {
			return nil
		}
		if code < 100 || code > 999 {
			return canon.Err(nil)
		}
		r.status = code
		return canon.OK(nil)
	})
	return funcs
}

// length is the declared content-length, -1 when there is none; ok is false when it is no number.
func (r *outgoing) length() (n int64, ok bool) {
	n = -1
	for _, v := range r.headers.values("content-length") {
		m, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil || m < 0 || n >= 0 && m != n {
			return 0, false
		}
		n = m
	}
	return n, true
}

func isPath(s string) bool {
	return (s == "" || s[0] == '/' || s[0] == '?') && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' })
}

func isAuthority(s string) bool {
	u, err := url.Parse("http://" + s)
	return err == nil && s != "" && u.Host == s && u.User == nil && u.Hostname() != ""
}

func isScheme(s string) bool {
	if s == "" || (s[0]|0x20) < 'a' || (s[0]|0x20) > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") == ""
}

// request is the request as transports take it, with the flow of its body if there is one.
func (r *outgoing) request() (*http.Request, *outflow, *httpError) {
	if n := r.headers.size(); n > maxSection {
		return nil, nil, sized("HTTP-request-header-section-size", uint32(n))
	}
	u, bad := r.url()
	if bad != nil {
		return nil, nil, bad
	}
	req := &http.Request{Method: r.verb(), URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: r.headers.header()}
	if req.Method == http.MethodConnect || req.Method == http.MethodTrace {
		return nil, nil, httpFault("HTTP-request-method-invalid")
	}
	req.Header.Del("Content-Length")
	declared, ok := r.length()
	switch {
	case !ok:
		return nil, nil, httpFault("HTTP-protocol-error")
	case r.body == nil && declared > 0:
		return nil, nil, sized("HTTP-request-body-size", uint64(0))
	case r.body == nil:
		return req, nil, nil
	}
	flow := r.body.flow
	flow.wire.Lock()
	defer flow.wire.Unlock()
	req.Body, req.ContentLength = flow, declared
	if flow.err == io.EOF && len(flow.tail) == 0 {
		req.ContentLength = int64(len(flow.buf))
	}
	if req.ContentLength == 0 { // which would mean unknown
		req.Body = http.NoBody
	}
	if req.ContentLength < 0 {
		req.Trailer = flow.tail
	}
	flow.sent = true
	return req, flow, nil
}

// verb is the method; the named ones are in upper case.
func (r *outgoing) verb() string {
	if other, ok := r.method.Value.(string); ok {
		return other
	}
	return strings.ToUpper(r.method.Case)
}

func (r *outgoing) url() (*url.URL, *httpError) {
	scheme := "https"
	if v, ok := r.scheme.Value.(canon.Variant); ok {
		if _, other := v.Value.(string); other {
			return nil, httpFault("HTTP-protocol-error")
		}
		scheme = strings.ToLower(v.Case)
	}
	host, _ := r.host.Value.(string)
	path, _ := r.path.Value.(string)
	if host == "" {
		return nil, httpFault("HTTP-request-URI-invalid")
	}
	u, err := url.Parse(scheme + "://" + host + path)
	if err != nil {
		return nil, httpFault("HTTP-request-URI-invalid")
	}
	return u, nil
}

// requestOptions is the resource request-options; an absent timeout is none.
type requestOptions struct{ connect, firstByte, betweenBytes canon.Option }

func requestOptionsFuncs() map[string]link.Func {
	funcs := map[string]link.Func{
		"[constructor]request-options": wasi.Func(func(*wasi.Call) any { return own(&requestOptions{}) }),
	}
	for name, field := range map[string]func(*requestOptions) *canon.Option{
		"connect-timeout":       func(o *requestOptions) *canon.Option { return &o.connect },
		"first-byte-timeout":    func(o *requestOptions) *canon.Option { return &o.firstByte },
		"between-bytes-timeout": func(o *requestOptions) *canon.Option { return &o.betweenBytes },
	} {
		funcs["[method]request-options."+name] = wasi.Func(func(c *wasi.Call) any {
			if o := wasi.Self[*requestOptions](c, 0); !c.Trapped() {
				return *field(o)
			}
			return nil
		})
		funcs["[method]request-options.set-"+name] = wasi.Func(func(c *wasi.Call) any {
			o, v := wasi.Self[*requestOptions](c, 0), wasi.Arg[canon.Option](c, 1)
			if _, isTime := v.Value.(uint64); v.Some && !isTime {
				c.Trapf(fault.Invalid, "http", "a timeout is %T", v.Value)
			}
			if c.Trapped() {
				return nil
			}
			*field(o) = v
			return canon.OK(nil)
		})
	}
	return funcs
}

// limit is a timeout, if there is one.
func limit(o canon.Option) (time.Duration, bool) {
	n, ok := o.Value.(uint64)
	return time.Duration(min(n, math.MaxInt64)), ok
}

package greentic

import (
	"strconv"
	"strings"
)

// HTTP is the way out of a component: to the hosts the pack declares and the operator grants.
type HTTP struct{ c *Context }

// HTTP is the HTTP client of this invocation.
func (c *Context) HTTP() HTTP { return HTTP{c} }

// Header is a list of header fields, in order.
type Header [][2]string

// Get is the first value of a field, whatever its case; empty when there is none.
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// Set replaces the fields of this name by one.
func (h *Header) Set(name, value string) {
	kept := (*h)[:0:0]
	for _, f := range *h {
		if !strings.EqualFold(f[0], name) {
			kept = append(kept, f)
		}
	}
	*h = append(kept, [2]string{name, value})
}

// Request is an HTTP request. An empty Method is GET.
type Request struct {
	Method        string
	URL           string // absolute
	Header        Header
	Body          []byte
	TimeoutMS     int  // milliseconds; 0: the host's
	KeepRedirects bool // a redirect is an answer, not followed
	AllowInsecure bool // plain HTTP or unknown certificates, where the host allows it at all
}

// Response is the answer to a request, whatever its status.
type Response struct {
	Status int
	Header Header
	Body   []byte
}

// OK says whether the status is 2xx.
func (r *Response) OK() bool { return r.Status >= 200 && r.Status < 300 }

// JSON reads the body into what to points at.
func (r *Response) JSON(to any) error { return DecodeJSON(r.Body, to) }

// Err is an answer that is not OK as an error an operation can return: code http_STATUS, retryable for
// 408, 425, 429 and 5xx, with the pause that Retry-After asks for in seconds. Nil for an OK answer.
func (r *Response) Err() error {
	if r.OK() {
		return nil
	}
	e := Fail("http_"+strconv.Itoa(r.Status), "the server answered "+strconv.Itoa(r.Status))
	switch {
	case r.Status == 408, r.Status == 425, r.Status == 429, r.Status >= 500:
		e.Retryable = true
		if n, err := strconv.Atoi(strings.TrimSpace(r.Header.Get("Retry-After"))); err == nil && n > 0 {
			e.BackoffMS = n * 1000
		}
	}
	return e
}

// Do sends a request and reads the whole answer. An answer of any status is no error; an error is an *Error
// with the code http_denied (no grant for this host), http_unavailable (no connection, no answer in time;
// retryable), http_invalid or http_internal.
func (h HTTP) Do(r *Request) (*Response, error) {
	q := *r
	if q.Method == "" {
		q.Method = "GET"
	}
	if m := h.c.mock; m != nil {
		if m.HTTP == nil {
			return nil, Fail("http_denied", "this mock has no HTTP")
		}
		return m.HTTP(&q)
	}
	answer, err := hostSend(&q)
	if err == nil {
		return answer, nil
	}
	code := "http_internal"
	switch err.Code {
	case "denied", "unavailable", "invalid":
		code = "http_" + err.Code
	case "invalid-input", "invalid_input":
		code = "http_invalid"
	}
	return nil, &Error{Code: code, Message: q.Method + " " + q.URL + ": " + err.Message, Retryable: err.Code == "unavailable"}
}

// Get fetches a URL.
func (h HTTP) Get(url string) (*Response, error) { return h.Do(&Request{URL: url}) }

// PostJSON sends v as JSON and reads a 2xx answer into what to points at, which may be nil. An answer
// of another status is the error of [Response.Err].
func (h HTTP) PostJSON(url string, v, to any) (*Response, error) {
	body, err := EncodeJSON(v)
	if err != nil {
		return nil, Fail("http_invalid", err.Error())
	}
	r, err := h.Do(&Request{Method: "POST", URL: url, Body: body, Header: Header{{"content-type", "application/json"}, {"accept", "application/json"}}})
	if err != nil {
		return nil, err
	}
	if err := r.Err(); err != nil {
		return r, err
	}
	if to != nil {
		if err := r.JSON(to); err != nil {
			return r, Fail("http_invalid", "POST "+url+": the answer: "+err.Error())
		}
	}
	return r, nil
}

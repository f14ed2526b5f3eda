package host

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
)

// httpSend is http-client.send; from 1.1.0 on there are options between request and context.
func httpSend(iface string, options bool) wasm.HostFunc {
	return func(ctx context.Context, call *wasm.Call, args []any) (any, error) {
		inv, err := invocationOf(call)
		if err != nil {
			return nil, err
		}
		rec, err := argument[wasm.Record](args, 0)
		if err != nil {
			return nil, err
		}
		req, err := readRequest(rec)
		if err != nil {
			return nil, err
		}
		if options {
			opts, err := argument[wasm.Option](args, 1)
			if err != nil {
				return nil, err
			}
			readOptions(&req, opts)
		}
		who, err := argument[wasm.Option](args, len(args)-1)
		if err != nil {
			return nil, err
		}
		return inv.sendOne(ctx, iface+"#send", req, inv.checkContext(who))
	}
}

// sendOne sends a request, unless foreign says that it is for another tenant.
func (inv *invocation) sendOne(ctx context.Context, name string, req egress.Request, foreign error) (any, error) {
	e := &trace.Exchange{Call: Call{Import: name, Subject: req.Method + " " + hostOf(req.URL), Outcome: "ok", Effect: mayChange(req.Method)}}
	e.IdempotencyKey = inv.idempotencyKey(req.Method, func(name string) bool {
		return slices.ContainsFunc(req.Header, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
	})
	if inv.traced() {
		e.Asked = trace.Asked{Method: req.Method, URL: trace.WithoutUser(req.URL), Header: slices.Clone(req.Header), Body: inv.body(req.Body),
			TimeoutMS: req.Timeout.Milliseconds(), Insecure: req.AllowInsecure, NoRedirects: req.NoRedirects, Foreign: foreign != nil}
	}
	if e.IdempotencyKey != "" {
		req.Header = append(req.Header, [2]string{idempotencyHeader, e.IdempotencyKey})
	}
	var resp *egress.Response
	err := inv.exchange(ctx, e, func() error {
		err := foreign
		if err == nil {
			resp, err = inv.send(ctx, req)
		}
		switch {
		case err == nil:
			if inv.traced() {
				e.Answered = trace.Answered{Status: resp.Status, Header: slices.Clone(resp.Header), Body: inv.body(resp.Body)}
			}
			inv.heed(resp.Status, resp.Header)
			return nil
		case ctx.Err() != nil:
			return fault.Wrap("http", ctx.Err())
		}
		e.Outcome, e.Answered.Message = httpCode(err), inv.redact(err.Error())
		e.Effect = e.Effect && e.Outcome == "unavailable" // it may have arrived all the same
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case e.Outcome != "ok":
		return hostError(e.Outcome, e.Answered.Message), nil
	case inv.player != nil:
		resp = &egress.Response{Status: e.Answered.Status, Header: e.Answered.Header, Body: []byte(e.Answered.Body.Text)}
	}
	return wasm.OK(responseRecord(resp)), nil
}

// mayChange says whether a request may change something outside.
func mayChange(method string) bool { return method != http.MethodGet && method != http.MethodHead }

func (inv *invocation) send(ctx context.Context, req egress.Request) (*egress.Response, error) {
	if inv.host.deps.HTTP == nil {
		return nil, fault.New(fault.Denied, "http", "this host sends no requests")
	}
	req.Grants = inv.request.Grants.Hosts
	return inv.host.deps.HTTP.Do(ctx, inv.tenant, req)
}

// httpCode is the interface's word for a failure (formats digest 3.2).
func httpCode(err error) string {
	switch fault.KindOf(err) {
	case fault.Denied:
		return "denied"
	case fault.Invalid:
		return "invalid-input"
	}
	return "unavailable"
}

func readRequest(rec wasm.Record) (egress.Request, error) {
	var req egress.Request
	method, ok := rec.Get("method").(string)
	address, ok2 := rec.Get("url").(string)
	header, ok3 := rec.Get("headers").([]any)
	body, ok4 := rec.Get("body").(wasm.Option)
	if !ok || !ok2 || !ok3 || !ok4 {
		return req, fault.New(fault.Internal, "http", "the request record has another shape")
	}
	req.Method, req.URL = strings.ToUpper(method), address
	for _, h := range header {
		pair, _ := h.([]any)
		if len(pair) != 2 {
			return req, fault.New(fault.Internal, "http", "a header is no pair")
		}
		name, _ := pair[0].(string)
		value, _ := pair[1].(string)
		req.Header = append(req.Header, [2]string{name, value})
	}
	req.Body, _ = body.Value.([]byte)
	return req, nil
}

func readOptions(req *egress.Request, opts wasm.Option) {
	rec, _ := opts.Value.(wasm.Record)
	if o, _ := rec.Get("timeout-ms").(wasm.Option); o.Some {
		ms, _ := o.Value.(uint32)
		req.Timeout = max(time.Duration(ms)*time.Millisecond, 1) // 0 is a deadline that has passed
	}
	if o, _ := rec.Get("allow-insecure").(wasm.Option); o.Some {
		req.AllowInsecure, _ = o.Value.(bool)
	}
	if o, _ := rec.Get("follow-redirects").(wasm.Option); o.Some {
		follow, _ := o.Value.(bool)
		req.NoRedirects = !follow
	}
}

func responseRecord(resp *egress.Response) wasm.Record {
	header := make([]any, len(resp.Header))
	for i, h := range resp.Header {
		header[i] = []any{strings.ToLower(h[0]), strings.ToValidUTF8(h[1], "\uFFFD")}
	}
	return wasm.Record{
		{Name: "status", Value: uint16(resp.Status)},
		{Name: "headers", Value: header},
		{Name: "body", Value: wasm.Some(resp.Body)},
	}
}

// hostOf is the part of a URL that may be told: a path can carry a token.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "?"
	}
	return u.Host
}

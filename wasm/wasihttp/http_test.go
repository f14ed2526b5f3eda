package wasihttp

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"greentic.dev/wasm/canon"
)

const h = "http/types "

// transport is a function that answers requests.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering takes the whole request and gives an answer.
func answering(status int, body string) http.RoundTripper {
	return transport(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			defer r.Body.Close()
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return nil, err
			}
		}
		return &http.Response{StatusCode: status, Header: http.Header{"X-A": {"b"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
}

// fields is a handle to fields made of names and values in turn.
func (w *world) fields(pairs ...string) canon.Handle {
	w.t.Helper()
	list := []any{}
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, []any{pairs[i], []byte(pairs[i+1])})
	}
	return ok[canon.Handle](w.t, w.call(h+"[static]fields.from-list", list))
}

// request is a handle to a GET request.
func (w *world) request(address string, header ...string) canon.Handle {
	w.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.call(h+"[constructor]outgoing-request", w.fields(header...)).(canon.Handle)
	for name, value := range map[string]any{
		"scheme": canon.Some(enum(strings.ToUpper(u.Scheme))), "authority": canon.Some(u.Host), "path-with-query": canon.Some(u.RequestURI()),
	} {
		if v := w.call(h+"[method]outgoing-request.set-"+name, r, value).(canon.Result); v.IsErr {
			w.t.Fatalf("%s %v is refused", name, value)
		}
	}
	return r
}

func (w *world) method(r canon.Handle, name string) canon.Handle {
	w.call(h+"[method]outgoing-request.set-method", r, enum(name))
	return r
}

// body is the outgoing body of a request and its stream.
func (w *world) body(r canon.Handle) (body, stream canon.Handle) {
	w.t.Helper()
	body = ok[canon.Handle](w.t, w.call(h+"[method]outgoing-request.body", r))
	return body, ok[canon.Handle](w.t, w.call(h+"[method]outgoing-body.write", body))
}

func (w *world) send(r canon.Handle) any {
	w.t.Helper()
	return w.call("http/outgoing-handler handle", r, canon.Option{})
}

// result waits for what became of a request.
func (w *world) result(future canon.Handle) canon.Result {
	w.t.Helper()
	w.call("io/poll [method]pollable.block", w.call(h+"[method]future-incoming-response.subscribe", future))
	o := w.call(h+"[method]future-incoming-response.get", future).(canon.Option)
	if !o.Some {
		w.t.Fatal("the future is ready and has nothing")
	}
	return ok[canon.Result](w.t, o.Value)
}

func (w *world) answer(future canon.Handle) canon.Handle {
	w.t.Helper()
	return ok[canon.Handle](w.t, w.result(future))
}

// input is the stream of an answer.
func (w *world) input(response canon.Handle) (body, stream canon.Handle) {
	w.t.Helper()
	body = ok[canon.Handle](w.t, w.call(h+"[method]incoming-response.consume", response))
	return body, ok[canon.Handle](w.t, w.call(h+"[method]incoming-body.stream", body))
}

// readAll reads a stream to its end and says which error ended it.
func (w *world) readAll(stream canon.Handle) (string, canon.Result) {
	w.t.Helper()
	var text strings.Builder
	for {
		r := w.call(inBlock, stream, uint64(10_000)).(canon.Result)
		if r.IsErr {
			return text.String(), r
		}
		text.Write(r.Value.([]byte))
	}
}

// writeAll writes to a body and finishes it.
func (w *world) writeAll(body, stream canon.Handle, text string) canon.Result {
	w.t.Helper()
	for rest := []byte(text); len(rest) > 0; {
		part := rest[:min(len(rest), 4096)]
		if r := w.call(flushed, stream, part).(canon.Result); r.IsErr {
			return r
		}
		rest = rest[len(part):]
	}
	if err := w.drop(stream); err != nil {
		w.t.Fatal(err)
	}
	return w.call(h+"[static]outgoing-body.finish", body, canon.Option{}).(canon.Result)
}

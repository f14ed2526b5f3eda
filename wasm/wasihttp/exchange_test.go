package wasihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/wasi"
)

// serve starts a server on the loopback and a world whose requests go there.
func serve(t *testing.T, handler http.HandlerFunc) (*world, string) {
	t.Helper()
	s := httptest.NewServer(handler)
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.Close() })
	return newWorld(t, wasi.Config{HTTP: transport}), s.URL
}

func TestARequestArrivesAndItsAnswerIsRead(t *testing.T) {
	w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.RequestURI != "/a/b?c=d" || r.Header.Get("X-One") != "1" || string(body) != "hello" {
			t.Errorf("%s %s %v %q", r.Method, r.RequestURI, r.Header, body)
		}
		rw.Header().Add("X-Two", "2")
		rw.Header().Add("X-Two", "3")
		rw.WriteHeader(201)
		fmt.Fprint(rw, "welcome")
	})
	r := w.method(w.request(url+"/a/b?c=d", "X-One", "1"), "post")
	body, out := w.body(r)
	future := ok[canon.Handle](t, w.send(r))
	if res := w.writeAll(body, out, "hello"); res.IsErr {
		t.Fatalf("%v", res)
	}
	resp := w.answer(future)
	if status := w.call(h+"[method]incoming-response.status", resp); status != uint16(201) {
		t.Errorf("status %v", status)
	}
	headers := w.call(h+"[method]incoming-response.headers", resp).(canon.Handle)
	if got := w.call(h+"[method]fields.get", headers, "X-TWO").([]any); len(got) != 2 || string(got[0].([]byte)) != "2" {
		t.Errorf("headers %v", got)
	}
	in, stream := w.input(resp)
	text, end := w.readAll(stream)
	if text != "welcome" || failure(t, end) != "closed" {
		t.Errorf("%q, then %v", text, end)
	}
	if err := errors.Join(w.drop(headers), w.drop(resp), w.drop(stream), w.drop(future)); err != nil {
		t.Error(err)
	}
	trailers := w.call(h+"[static]incoming-body.finish", in).(canon.Handle)
	w.call("io/poll [method]pollable.block", w.call(h+"[method]future-trailers.subscribe", trailers))
	for i, want := range []canon.Option{canon.Some(canon.OK(canon.OK(canon.Option{}))), canon.Some(canon.Err(nil))} {
		if got := w.call(h+"[method]future-trailers.get", trailers); got != any(want) {
			t.Errorf("trailers, time %d: %v", i, got)
		}
	}
	if s := w.session(); s.held != 0 || s.flying != 0 || s.ahead != 0 {
		t.Errorf("held %d, flying %d, ahead %d at the end", s.held, s.flying, s.ahead)
	}
}

// beginning notes requests in the order they begin, and serves them with transports of their own.
type beginning struct{ began []string }

func (b *beginning) Begin(r *http.Request) http.RoundTripper {
	b.began = append(b.began, r.URL.Path)
	r.Header.Set("X-Added", r.URL.Path)
	return transport(func(sent *http.Request) (*http.Response, error) {
		return answering(200, sent.Header.Get("X-Added")).RoundTrip(sent)
	})
}

func (b *beginning) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("it did not begin")
}

func TestATransportLearnsOfRequestsInTheGuestsOrder(t *testing.T) {
	b := &beginning{}
	w := newWorld(t, wasi.Config{HTTP: b})
	var paths []string
	var futures []canon.Handle
	for i := range 20 {
		paths = append(paths, fmt.Sprintf("/%d", i))
		futures = append(futures, ok[canon.Handle](t, w.send(w.request("http://a.example"+paths[i]))))
	}
	if !slices.Equal(b.began, paths) {
		t.Errorf("began %v", b.began)
	}
	for i, f := range futures {
		_, stream := w.input(w.answer(f))
		if text, _ := w.readAll(stream); text != paths[i] {
			t.Errorf("%s was answered with %s", paths[i], text)
		}
	}
}

func TestBodiesStreamBothWays(t *testing.T) {
	w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(rw).EnableFullDuplex()
		rw.WriteHeader(200)
		rw.(http.Flusher).Flush()
		buf := make([]byte, 1)
		for {
			if _, err := io.ReadFull(r.Body, buf); err != nil {
				return
			}
			fmt.Fprintf(rw, "<%s>", buf)
			rw.(http.Flusher).Flush()
		}
	})
	r := w.method(w.request(url), "post")
	body, out := w.body(r)
	future := ok[canon.Handle](t, w.send(r))
	_, in := w.input(w.answer(future))
	for _, letter := range []string{"a", "b", "c"} {
		w.call(flushed, out, []byte(letter))
		got := ""
		for len(got) < 3 {
			got += string(ok[[]byte](t, w.call(inBlock, in, uint64(100))))
		}
		if got != "<"+letter+">" {
			t.Fatalf("after %s came %s", letter, got)
		}
	}
	w.writeAll(body, out, "")
	if _, end := w.readAll(in); failure(t, end) != "closed" {
		t.Errorf("ends with %v", end)
	}
}

func TestAnAnswerIsReadNoFurtherThanTheGuestReads(t *testing.T) {
	sent := make(chan int, 1)
	endless := transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: &counted{sent: sent}}, nil
	})
	w := newWorld(t, wasi.Config{HTTP: endless})
	_, in := w.input(w.answer(ok[canon.Handle](t, w.send(w.request("http://host/")))))
	read := 0
	for read < 1<<20 {
		read += len(ok[[]byte](t, w.call(inBlock, in, uint64(1<<20))))
	}
	w.state.Close()
	if n := <-sent; n > read+2*bodyBuffer {
		t.Errorf("%d bytes were taken from the transport, %d read", n, read)
	}
}

// counted is a body without end that says at its close how much was read.
type counted struct {
	sent chan int
	n    int
}

func (c *counted) Read(b []byte) (int, error) { c.n += len(b); return len(b), nil }
func (c *counted) Close() error               { c.sent <- c.n; return nil }

func TestARequestIsBufferedNoFurtherThanTheTransportReads(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, wasi.Config{HTTP: transport(func(r *http.Request) (*http.Response, error) {
		<-release
		return nil, errors.New("never mind")
	})})
	defer close(release)
	r := w.method(w.request("http://host/"), "put")
	_, out := w.body(r)
	w.send(r)
	room, written := uint64(1), 0
	for room > 0 {
		room = ok[uint64](t, w.call(permits, out))
		written += int(room)
		w.call(write, out, make([]byte, room))
	}
	if written != bodyBuffer {
		t.Errorf("%d bytes fit", written)
	}
	if ready := w.call("io/poll [method]pollable.ready", w.call("io/streams [method]output-stream.subscribe", out)); ready != false {
		t.Error("a full body is ready to be written")
	}
	if _, err := w.try(write, out, []byte("x")); !fault.Is(err, fault.Invalid) {
		t.Errorf("a write beyond the permit: %v", err)
	}
}

func TestABodyWrittenAheadIsBoundedAndNeverWaitsForEver(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, "")})
	r := w.method(w.request("http://host/"), "put")
	_, out := w.body(r)
	for range maxAhead / 4096 {
		if res := w.call(flushed, out, make([]byte, 4096)); res != any(canon.OK(nil)) {
			t.Fatalf("%v", res)
		}
	}
	if got := failure(t, w.call(flushed, out, []byte("x"))); got != "last-operation-failed" {
		t.Errorf("over the buffer: %s", got)
	}
	if n := w.session().ahead; n != maxAhead {
		t.Errorf("%d ahead", n)
	}
	if err := w.drop(r); err != nil || w.session().ahead != 0 {
		t.Errorf("%d ahead after the request was dropped, %v", w.session().ahead, err)
	}
}

func TestADeclaredLengthIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		declared, text string
		write, finish  string
		arrives        bool
	}{
		"as declared": {"5", "hello", "", "", true},
		"too much":    {"4", "hello", "HTTP-request-body-size", "HTTP-request-body-size", false},
		"too little":  {"6", "hello", "", "HTTP-request-body-size", false},
		"nothing":     {"0", "", "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); c.arrives && (string(body) != c.text || r.ContentLength != int64(len(c.text))) {
					t.Errorf("%q of length %d arrived", body, r.ContentLength)
				}
			})
			r := w.method(w.request(url, "content-length", c.declared), "post")
			body, out := w.body(r)
			future := ok[canon.Handle](t, w.send(r))
			if c.text != "" {
				res := w.call(flushed, out, []byte(c.text)).(canon.Result)
				if res.IsErr != (c.write != "") {
					t.Fatalf("write: %v", res)
				}
				if res.IsErr {
					code := w.call(h+"http-error-code", res.Value.(canon.Variant).Value).(canon.Option)
					if code.Value.(canon.Variant).Case != c.write {
						t.Errorf("write: %v", code)
					}
				}
			}
			if err := w.drop(out); err != nil {
				t.Fatal(err)
			}
			res := w.call(h+"[static]outgoing-body.finish", body, canon.Option{}).(canon.Result)
			if res.IsErr != (c.finish != "") || res.IsErr && failure(t, res) != c.finish {
				t.Errorf("finish: %v", res)
			}
			if got := w.result(future); got.IsErr == c.arrives {
				t.Errorf("answer: %v", got)
			}
		})
	}
}

func TestABodyGivenUpEndsItsRequest(t *testing.T) {
	w, url := serve(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) })
	r := w.method(w.request(url), "post")
	body, out := w.body(r)
	future := ok[canon.Handle](t, w.send(r))
	w.call(flushed, out, []byte("half"))
	if err := errors.Join(w.drop(out), w.drop(body)); err != nil {
		t.Fatal(err)
	}
	if res := w.result(future); !res.IsErr {
		t.Errorf("answer: %v", res)
	}
}

func TestTrailersTravelBothWays(t *testing.T) {
	w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		if got := r.Trailer.Get("X-Sum"); got != "42" {
			t.Errorf("trailers %v", r.Trailer)
		}
		rw.Header().Set("Trailer", "X-End")
		fmt.Fprint(rw, "text")
		rw.Header().Set("X-End", "yes")
	})
	r := w.method(w.request(url), "post")
	body, out := w.body(r)
	future := ok[canon.Handle](t, w.send(r))
	w.call(flushed, out, []byte("text"))
	if err := w.drop(out); err != nil {
		t.Fatal(err)
	}
	if res := w.call(h+"[static]outgoing-body.finish", body, canon.Some(w.fields("X-Sum", "42"))).(canon.Result); res.IsErr {
		t.Fatalf("%v", res)
	}
	in, stream := w.input(w.answer(future))
	if err := w.drop(stream); err != nil { // nothing was read: finish drains
		t.Fatal(err)
	}
	trailers := w.call(h+"[static]incoming-body.finish", in).(canon.Handle)
	w.call("io/poll [method]pollable.block", w.call(h+"[method]future-trailers.subscribe", trailers))
	got := ok[canon.Result](t, w.call(h+"[method]future-trailers.get", trailers).(canon.Option).Value)
	f := got.Value.(canon.Option).Value.(canon.Handle)
	if v := w.call(h+"[method]fields.get", f, "x-end").([]any); len(v) != 1 || string(v[0].([]byte)) != "yes" {
		t.Errorf("trailers %v", v)
	}
	if err := w.drop(trailers); !fault.Is(err, fault.Invalid) {
		t.Errorf("a future dropped before its trailers: %v", err)
	}
}

func TestHostileDropsOfParentsBeforeTheirChildrenTrap(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, "x")})
	r := w.request("http://host/")
	headers := w.call(h+"[method]outgoing-request.headers", r).(canon.Handle)
	if err := w.drop(r); !fault.Is(err, fault.Invalid) {
		t.Errorf("a request before its headers: %v", err)
	}
	if _, err := w.try("http/outgoing-handler handle", r, canon.Option{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a request sent before its headers were dropped: %v", err)
	}
	body, out := w.body(r)
	if err := w.drop(body); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body before its stream: %v", err)
	}
	if _, err := w.try(h+"[static]outgoing-body.finish", body, canon.Option{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a body finished before its stream was dropped: %v", err)
	}
	if err := errors.Join(w.drop(out), w.drop(body), w.drop(headers), w.drop(r)); err != nil {
		t.Errorf("children first: %v", err)
	}
	resp := w.answer(ok[canon.Handle](t, w.send(w.request("http://host/"))))
	headers = w.call(h+"[method]incoming-response.headers", resp).(canon.Handle)
	if err := w.drop(resp); !fault.Is(err, fault.Invalid) {
		t.Errorf("a response before its headers: %v", err)
	}
	in, stream := w.input(resp)
	if err := w.drop(in); !fault.Is(err, fault.Invalid) {
		t.Errorf("an incoming body before its stream: %v", err)
	}
	if _, err := w.try(h+"[static]incoming-body.finish", in); !fault.Is(err, fault.Invalid) {
		t.Errorf("an incoming body finished before its stream was dropped: %v", err)
	}
	if err := errors.Join(w.drop(headers), w.drop(resp), w.drop(stream), w.drop(in)); err != nil {
		t.Errorf("children first: %v", err)
	}
}

func TestEachPartIsGivenOnce(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, "x")})
	r := w.request("http://host/")
	body, _ := w.body(r)
	future := ok[canon.Handle](t, w.send(w.request("http://host/")))
	resp := w.answer(future)
	in, _ := w.input(resp)
	for name, args := range map[string][]any{
		"[method]outgoing-request.body": {r}, "[method]outgoing-body.write": {body},
		"[method]incoming-response.consume": {resp}, "[method]incoming-body.stream": {in},
	} {
		if got := w.call(h+name, args...); got != any(canon.Err(nil)) {
			t.Errorf("%s gives %v the second time", name, got)
		}
	}
	if got := w.call(h+"[method]future-incoming-response.get", future); got != any(canon.Some(canon.Err(nil))) {
		t.Errorf("the response a second time: %v", got)
	}
}

func TestHostileServersThatNeverAnswerEndWithTheContext(t *testing.T) {
	first, url := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	best := time.Hour
	for range 5 { // a busy machine is no failure
		w := newWorld(t, wasi.Config{HTTP: first.state.Config().HTTP})
		ctx, cancel := context.WithCancel(t.Context())
		w.ctx = ctx
		future := ok[canon.Handle](t, w.send(w.request(url)))
		pollable := w.call(h+"[method]future-incoming-response.subscribe", future)
		hour := w.call("clocks/monotonic-clock subscribe-duration", uint64(time.Hour))
		var canceled time.Time
		time.AfterFunc(10*time.Millisecond, func() { canceled = time.Now(); cancel() })
		_, err := w.try("io/poll poll", []any{hour, pollable})
		w.state.Close()
		best = min(best, time.Since(canceled))
		if !fault.Is(err, fault.Canceled) {
			t.Fatal(err)
		}
	}
	if best > 50*time.Millisecond {
		t.Errorf("closed %v after the context ended at best", best)
	}
}

func TestATimerWinsOverASilentServerAndAnAnswerOverATimer(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, wasi.Config{HTTP: transport(func(r *http.Request) (*http.Response, error) {
		select {
		case <-release:
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	})})
	future := ok[canon.Handle](t, w.send(w.request("http://host/")))
	pollable := w.call(h+"[method]future-incoming-response.subscribe", future)
	soon := w.call("clocks/monotonic-clock subscribe-duration", uint64(time.Millisecond))
	if got := w.call("io/poll poll", []any{pollable, soon}).([]any); len(got) != 1 || got[0] != uint32(1) {
		t.Errorf("ready: %v", got)
	}
	close(release)
	hour := w.call("clocks/monotonic-clock subscribe-duration", uint64(time.Hour))
	if got := w.call("io/poll poll", []any{hour, pollable}).([]any); len(got) != 1 || got[0] != uint32(1) {
		t.Errorf("ready: %v", got)
	}
}

func TestTimeoutsOfTheGuestEndItsRequests(t *testing.T) {
	begin, drip := make(chan struct{}), []byte("x")
	w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-r.Context().Done()
			return
		}
		_, _ = rw.Write(drip) // then silence: a slow loris
		rw.(http.Flusher).Flush()
		close(begin)
		<-r.Context().Done()
	})
	options := func(name string) canon.Option {
		o := w.call(h + "[constructor]request-options").(canon.Handle)
		w.call(h+"[method]request-options.set-"+name, o, canon.Some(uint64(20*time.Millisecond)))
		return canon.Some(o)
	}
	future := ok[canon.Handle](t, w.call("http/outgoing-handler handle", w.request(url+"/slow"), options("first-byte-timeout")))
	if got := failure(t, w.result(future)); got != "connection-read-timeout" {
		t.Errorf("no first byte: %s", got)
	}
	future = ok[canon.Handle](t, w.call("http/outgoing-handler handle", w.request(url+"/loris"), options("between-bytes-timeout")))
	_, in := w.input(w.answer(future))
	<-begin
	text, end := w.readAll(in)
	if text != "x" || failure(t, end) != "last-operation-failed" {
		t.Fatalf("%q, then %v", text, end)
	}
	code := w.call(h+"http-error-code", end.Value.(canon.Variant).Value).(canon.Option)
	if !code.Some || code.Value.(canon.Variant).Case != "connection-read-timeout" {
		t.Errorf("no more bytes: %v", code)
	}
	w.state.Config().HTTP = transport(func(r *http.Request) (*http.Response, error) { // never connects
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	future = ok[canon.Handle](t, w.call("http/outgoing-handler handle", w.request(url), options("connect-timeout")))
	if got := failure(t, w.result(future)); got != "connection-timeout" {
		t.Errorf("no connection: %s", got)
	}
}

func TestHostileFloodsOfRequestsAreBounded(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: answering(200, strings.Repeat("x", 1000))})
	var futures []canon.Handle
	for range maxFlying {
		futures = append(futures, ok[canon.Handle](t, w.send(w.request("http://host/"))))
	}
	if got := failure(t, w.send(w.request("http://host/"))); got != "connection-limit-reached" {
		t.Errorf("one more: %s", got)
	}
	for _, f := range futures { // answers that nobody reads count, too
		w.input(w.answer(f))
	}
	if got := failure(t, w.send(w.request("http://host/"))); got != "connection-limit-reached" {
		t.Errorf("with unread answers: %s", got)
	}
}

func TestADroppedRequestIsEnded(t *testing.T) {
	ended := make(chan error, 1)
	w := newWorld(t, wasi.Config{HTTP: transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		ended <- context.Cause(r.Context())
		return nil, r.Context().Err()
	})})
	if err := w.drop(ok[canon.Handle](t, w.send(w.request("http://host/")))); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || ErrorCode(err) != "connection-terminated" {
		t.Errorf("%v", err)
	}
}

func TestHostileTransportsThatPanicAreErrors(t *testing.T) {
	w := newWorld(t, wasi.Config{HTTP: transport(func(*http.Request) (*http.Response, error) { panic("oops") })})
	if got := failure(t, w.result(ok[canon.Handle](t, w.send(w.request("http://host/"))))); got != "internal-error" {
		t.Errorf("%s", got)
	}
	w.state.Config().HTTP = transport(func(*http.Request) (*http.Response, error) { return nil, nil })
	if got := failure(t, w.result(ok[canon.Handle](t, w.send(w.request("http://host/"))))); got != "internal-error" {
		t.Errorf("no answer: %s", got)
	}
}

func TestHostileAnswersWithoutEndEndWithTheInvocation(t *testing.T) {
	sent := make(chan int, 1)
	w := newWorld(t, wasi.Config{HTTP: transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: &counted{sent: sent}}, nil // it knows no context
	})})
	resp := w.answer(ok[canon.Handle](t, w.send(w.request("http://host/"))))
	in := ok[canon.Handle](t, w.call(h+"[method]incoming-response.consume", resp))
	w.call(h+"[static]incoming-body.finish", in) // it is read to its end, which never comes
	w.state.Close()
	<-sent
}

func TestBodiesAreSplicedFromAndToFiles(t *testing.T) {
	text := strings.Repeat("0123456789", 20_000)
	w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			fmt.Fprint(rw, text)
			return
		}
		if body, _ := io.ReadAll(r.Body); string(body) != text {
			t.Errorf("%d bytes arrived", len(body))
		}
	})
	w.state = wasi.NewState(wasi.Config{HTTP: w.state.Config().HTTP, Scratch: wasi.Scratch{Bytes: 1 << 20}})
	t.Cleanup(w.state.Close)
	root := w.call("filesystem/preopens get-directories").([]any)[0].([]any)[0].(canon.Handle)
	file := ok[canon.Handle](t, w.call("filesystem/types [method]descriptor.open-at", root, canon.Flags{}, "f", canon.Flags{"create"}, canon.Flags{"read", "write"}))
	splice := func(out, in canon.Handle) {
		t.Helper()
		for {
			r := w.call("io/streams [method]output-stream.blocking-splice", out, in, uint64(1<<30)).(canon.Result)
			if r.IsErr {
				if got := failure(t, r); got != "closed" {
					t.Fatalf("splice: %s", got)
				}
				return
			}
		}
	}
	_, in := w.input(w.answer(ok[canon.Handle](t, w.send(w.request(url)))))
	splice(ok[canon.Handle](t, w.call("filesystem/types [method]descriptor.append-via-stream", file)), in)
	r := w.method(w.request(url), "put")
	body, out := w.body(r)
	future := ok[canon.Handle](t, w.send(r))
	splice(out, ok[canon.Handle](t, w.call("filesystem/types [method]descriptor.read-via-stream", file, uint64(0))))
	w.writeAll(body, out, "")
	w.answer(future)
}

func TestHostileHeadersCannotSplitARequest(t *testing.T) {
	w, url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Injected") != "" || r.URL.Path != "/" {
			t.Errorf("%s %v arrived", r.URL, r.Header)
		}
	})
	for _, evil := range []string{"x\r\nInjected: yes", "x\nInjected: yes", "x\rInjected: yes", "x\x00", "\r\n\r\nGET /evil HTTP/1.1"} {
		r := w.request(url)
		f := w.fields()
		for name, got := range map[string]any{
			"a value":  w.call(h+"[method]fields.append", f, "x-a", []byte(evil)),
			"a name":   w.call(h+"[method]fields.append", f, evil, []byte("v")),
			"a method": w.call(h+"[method]outgoing-request.set-method", r, canon.Variant{Case: "other", Value: evil}),
			"a path":   w.call(h+"[method]outgoing-request.set-path-with-query", r, canon.Some("/"+evil)),
			"a host":   w.call(h+"[method]outgoing-request.set-authority", r, canon.Some(evil)),
			"a scheme": w.call(h+"[method]outgoing-request.set-scheme", r, canon.Some(canon.Variant{Case: "other", Value: evil})),
		} {
			if !got.(canon.Result).IsErr {
				t.Errorf("%q is taken as %s", evil, name)
			}
		}
		w.answer(ok[canon.Handle](t, w.send(r)))
	}
}

func TestHostileSlowAnswersEndWithTheContext(t *testing.T) {
	w, url := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil { // a byte now and then, for ever
			_, _ = rw.Write([]byte("."))
			rw.(http.Flusher).Flush()
			select {
			case <-time.After(time.Millisecond):
			case <-r.Context().Done():
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	w.ctx = ctx
	_, in := w.input(w.answer(ok[canon.Handle](t, w.send(w.request(url)))))
	for {
		if _, err := w.try(inBlock, in, uint64(1)); err != nil {
			if !fault.Is(err, fault.Timeout) {
				t.Error(err)
			}
			return
		}
	}
}

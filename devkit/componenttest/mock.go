package componenttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
)

// server answers requests as a case says, each entry once and in order.
type server struct {
	mu       sync.Mutex
	entries  []Exchange
	problems []string
}

// RoundTrip implements http.RoundTripper.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := r.Method + " " + r.URL.String()
	if len(s.entries) == 0 {
		s.problems = append(s.problems, "it asked for "+asked+", and no entry of http is left")
		return nil, fault.New(fault.Unavailable, "http", "no entry is left")
	}
	e := s.entries[0]
	if wrong := e.differs(r, body); len(wrong) > 0 {
		for _, w := range wrong {
			s.problems = append(s.problems, "request "+asked+": "+w)
		}
		return nil, fault.New(fault.Unavailable, "http", "another request is expected")
	}
	s.entries = s.entries[1:]
	if e.Unavailable {
		return nil, fault.New(fault.Unavailable, "http", "nobody answers")
	}
	return e.answer(r)
}

func (e *Exchange) method() string {
	if e.Request.Method == "" {
		return "GET"
	}
	return strings.ToUpper(e.Request.Method)
}

func (e *Exchange) differs(r *http.Request, body []byte) (wrong []string) {
	if want := e.method() + " " + e.Request.URL; want != r.Method+" "+r.URL.String() {
		return []string{"want " + want}
	}
	for name, want := range e.Request.Headers {
		if got := r.Header.Get(name); got != want {
			wrong = append(wrong, fmt.Sprintf("header %s: want %q, got %q", name, want, got))
		}
	}
	if e.Request.Body != nil && string(body) != *e.Request.Body {
		wrong = append(wrong, fmt.Sprintf("body: want %q, got %q", *e.Request.Body, body))
	}
	if e.Request.JSON != nil {
		want, err := plain(e.Request.JSON)
		got, bad := cbor.FromJSON(body)
		if err != nil || bad != nil {
			return append(wrong, fmt.Sprintf("body: want JSON, got %q", body))
		}
		wrong = append(wrong, difference("body $", want, got, true)...)
	}
	return wrong
}

func (e *Exchange) answer(r *http.Request) (*http.Response, error) {
	a := &e.Response
	body, header := []byte(a.Body), http.Header{}
	if a.JSON != nil {
		v, err := plain(a.JSON)
		if err != nil {
			return nil, err
		}
		body = []byte(text(v))
		header.Set("Content-Type", "application/json")
	}
	for name, v := range a.Headers {
		header.Set(name, v)
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r}, nil
}

// working is the state of a case: JSON by key.
type working struct {
	mu     sync.Mutex
	values map[string][]byte
}

// Read implements host.State.
func (m *working) Read(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.values[key]; ok {
		return v, nil
	}
	return nil, fault.Newf(fault.NotFound, "state", "no key %q", key)
}

// Write implements host.State.
func (m *working) Write(_ context.Context, key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[key] = value
	return nil
}

// Delete implements host.State.
func (m *working) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.values, key)
	return nil
}

// journal collects what a component logs.
type journal struct {
	mu    sync.Mutex
	lines []string
}

// Enabled implements slog.Handler.
func (j *journal) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	j.lines = append(j.lines, line)
	return nil
}

// WithAttrs implements slog.Handler.
func (j *journal) WithAttrs([]slog.Attr) slog.Handler { return j }

// WithGroup implements slog.Handler.
func (j *journal) WithGroup(string) slog.Handler { return j }

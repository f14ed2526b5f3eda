package flowtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow"
	"greentic.dev/model/flow/flowtest"
	"greentic.dev/runtime/host"
)

// mocks answer in one case for components and servers, and hold its secrets. They are safe for
// concurrent use.
type mocks struct {
	mu        sync.Mutex
	calls     []mocked[flowtest.Mock]
	exchanges []mocked[flowtest.Exchange]
	secrets   map[string]string
	has       func(component string) bool // whether the pack has its code
	missed    []string                    // what nothing answered
}

type mocked[T any] struct {
	one  T
	left int // uses; negative: any number
}

func uses[T any](list []T, times func(T) int) (out []mocked[T]) {
	for _, one := range list {
		left := times(one)
		if left == 0 {
			left = -1
		}
		out = append(out, mocked[T]{one, left})
	}
	return out
}

// newMocks are the mocks of a case, which come before those of its suite.
func newMocks(s *flowtest.Suite, c flowtest.Case, has func(string) bool) *mocks {
	m := &mocks{secrets: map[string]string{}, has: has}
	m.calls = uses(slices.Concat(c.Mocks, s.Mocks), func(one flowtest.Mock) int { return one.Times })
	m.exchanges = uses(slices.Concat(c.HTTP, s.HTTP), func(one flowtest.Exchange) int { return one.Times })
	for _, list := range []map[string]string{s.Secrets, c.Secrets} {
		for key, value := range list {
			if canonical, err := secrets.CanonicalKey(key); err == nil {
				key = canonical
			}
			m.secrets[key] = value
		}
	}
	return m
}

// codeUnmocked marks a call that nothing answered.
const codeUnmocked = "not_mocked"

// stand answers the call of a component, as walk.Deps.Stand says.
func (m *mocks) stand(_ context.Context, r host.Request) (host.Response, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	input := plain(r.Input)
	for i := range m.calls {
		one := &m.calls[i]
		if one.left == 0 || one.one.Component != "" && one.one.Component != r.Component || one.one.Operation != "" && one.one.Operation != r.Operation {
			continue
		}
		if one.one.Input != nil {
			if _, ok := flowtest.Matches(one.one.Input, input); !ok {
				continue
			}
		}
		one.left--
		if fail := one.one.Fail; fail != nil {
			return host.Response{Fail: &flow.NodeFail{Code: fail.Code, Message: fail.Message, Retryable: fail.Retryable}}, true, nil
		}
		return host.Response{OK: true, Output: plain(one.one.Answer)}, true, nil
	}
	if m.has(r.Component) {
		return host.Response{}, false, nil
	}
	what := strings.TrimSpace(r.Component+" "+r.Operation) + " with " + strings.TrimSpace(flowtest.Show(input))
	m.missed = append(m.missed, "no mock answers "+what)
	return host.Response{}, true, fault.Newf(fault.NotFound, "component "+r.Component, "no mock answers it, and the pack has no code for it").WithCode(codeUnmocked)
}

// plain is a value as JSON has it, sharing nothing.
func plain(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		return v
	}
	return out
}

// RoundTrip answers a request of a real component.
func (m *mocks) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.exchanges {
		one := &m.exchanges[i]
		if one.left == 0 || !asks(one.one, r, body) {
			continue
		}
		one.left--
		if one.one.Unavailable != "" {
			return nil, fmt.Errorf("%s", one.one.Unavailable)
		}
		return answer(one.one, r), nil
	}
	m.missed = append(m.missed, "no http mock answers "+r.Method+" "+r.URL.String())
	return nil, fmt.Errorf("no http mock answers %s %s", r.Method, r.URL.Host)
}

// asks says whether a request is the one that a mock answers.
func asks(x flowtest.Exchange, r *http.Request, body []byte) bool {
	if x.Method != "" && x.Method != r.Method {
		return false
	}
	address := r.URL.String()
	if prefix, ok := strings.CutSuffix(x.URL, "*"); ok && !strings.HasPrefix(address, prefix) || !ok && address != x.URL {
		return false
	}
	for name, value := range x.Header {
		if r.Header.Get(name) != value {
			return false
		}
	}
	switch want := x.Body.(type) {
	case nil:
		return true
	case string:
		return want == string(body)
	}
	var got any
	if json.Unmarshal(body, &got) != nil {
		return false
	}
	_, ok := flowtest.Matches(x.Body, got)
	return ok
}

func answer(x flowtest.Exchange, r *http.Request) *http.Response {
	header := http.Header{}
	var body []byte
	switch v := x.AnswerBody.(type) {
	case nil:
	case string:
		body = []byte(v)
	default:
		header.Set("Content-Type", "application/json")
		body, _ = json.Marshal(v) // read from YAML as JSON
	}
	for name, value := range x.AnswerHead {
		header.Set(name, value)
	}
	return &http.Response{
		StatusCode: x.Status, Status: fmt.Sprintf("%d %s", x.Status, http.StatusText(x.Status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// Get implements secrets.Store: a secret of the case, of whatever team and pack asks.
func (m *mocks) Get(_ context.Context, _ greentic.TenantCtx, name secrets.Name) ([]byte, error) {
	key := name.Key
	if canonical, err := secrets.CanonicalKey(key); err == nil {
		key = canonical
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if value, ok := m.secrets[key]; ok {
		return []byte(value), nil
	}
	return nil, secrets.NotFound(name.Key)
}

// Put implements secrets.Store.
func (m *mocks) Put(_ context.Context, _ greentic.TenantCtx, name secrets.Name, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := name.Key
	if canonical, err := secrets.CanonicalKey(key); err == nil {
		key = canonical
	}
	m.secrets[key] = string(value)
	return nil
}

// Delete implements secrets.Store.
func (m *mocks) Delete(_ context.Context, _ greentic.TenantCtx, name secrets.Name) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.secrets, name.Key)
	return nil
}

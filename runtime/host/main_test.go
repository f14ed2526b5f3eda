package host

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

// codeCache is where the engines of the tests share compiled code.
var codeCache string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "greentic-code-")
	if err != nil {
		panic(err)
	}
	codeCache = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir) // a folder of tests
		os.Exit(code)
	}))
}

// notebook is a State in memory.
type notebook map[string]string

func (n notebook) Read(_ context.Context, key string) ([]byte, error) {
	v, ok := n[key]
	if !ok {
		return nil, fault.New(fault.NotFound, "state", "no such key")
	}
	return []byte(v), nil
}

func (n notebook) Write(_ context.Context, key string, value []byte) error {
	n[key] = string(value)
	return nil
}

func (n notebook) Delete(_ context.Context, key string) error {
	if _, ok := n[key]; !ok {
		return fault.New(fault.NotFound, "state", "no such key")
	}
	delete(n, key)
	return nil
}

// journal is a log that tests read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// setting is everything around one invocation.
type setting struct {
	host  *Host
	inv   *invocation
	log   *journal
	store *memory.Store
}

func newSetting(t *testing.T, tenant greentic.TenantCtx, r Request) setting {
	t.Helper()
	client := egress.New(egress.Options{})
	t.Cleanup(func() { client.Close() })
	s := setting{log: &journal{}, store: memory.New()}
	s.host = New(Deps{HTTP: client, Secrets: s.store, Log: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, Options{})
	s.inv = &invocation{host: s.host, tenant: tenant, request: &r, component: "c"}
	return s
}

func (s setting) put(t *testing.T, tenant greentic.TenantCtx, key, value string) {
	t.Helper()
	if err := s.store.Put(t.Context(), tenant, secrets.Name{Key: key}, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

// call calls a host function as the linker would.
func (s setting) call(t *testing.T, f wasm.HostFunc, args ...any) (any, error) {
	t.Helper()
	return f(t.Context(), &wasm.Call{Data: s.inv}, args)
}

// errorOf is code and message of a host-error result.
func errorOf(t *testing.T, result any) (code, message string) {
	t.Helper()
	r, ok := result.(wasm.Result)
	if !ok || !r.IsErr {
		return "", ""
	}
	switch v := r.Value.(type) {
	case wasm.Record:
		return v.Get("code").(string), v.Get("message").(string)
	case wasm.Variant:
		return v.Case, ""
	}
	t.Fatalf("%#v", result)
	return "", ""
}

// someTenant is a tenant-ctx argument of interfaces-types with a few fields.
func someTenant(fields map[string]any) wasm.Option {
	rec := wasm.Record{{Name: "attributes", Value: []any{}}, {Name: "attempt", Value: uint32(0)}, {Name: "user", Value: wasm.Option{}}}
	for name, value := range fields {
		rec = append(rec, wasm.Named{Name: name, Value: value})
	}
	return wasm.Some(rec)
}

var none = wasm.Option{}

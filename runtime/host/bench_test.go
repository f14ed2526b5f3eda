package host

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/model/trace"
	"greentic.dev/wasm"
)

// BenchmarkInvoke is a whole invocation through this package: the Telegram provider when
// GREENTIC_INPUT is set, else the example's triage node.
func BenchmarkInvoke(b *testing.B) {
	for _, c := range []struct{ name, operation string }{{"triage", "classify"}, {"telegram", "healthcheck"}} {
		b.Run(c.name, func(b *testing.B) {
			path := guests + "/helpdesk.triage/component.wasm"
			if c.name == "telegram" {
				path = public(b, "telegram.wasm")
			}
			e, err := wasm.New(b.Context(), wasm.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close(context.Background())
			component, err := New(Deps{Engine: e}, Options{}).Load(b.Context(), c.name, read(b, path))
			if err != nil {
				b.Fatal(err)
			}
			request := Request{Operation: c.operation, Input: map[string]any{"text": "hello"}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := component.Invoke(b.Context(), ofTenant("a"), request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRecord is what a trace costs: an invocation without host calls, and one that reads a
// secret and sends a POST of 300 bytes to a local server, whose cost is part of the figure.
func BenchmarkRecord(b *testing.B) {
	e, err := wasm.New(b.Context(), wasm.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close(context.Background())
	client, store := egress.New(egress.Options{}), memory.New()
	defer client.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ok":true,"result":{"message_id":1,"chat":{"id":1}}}`)
	}))
	defer server.Close()
	grant, err := egress.ParseGrant(strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Put(b.Context(), ofTenant("a"), secrets.Name{Key: "TOKEN"}, []byte("4711:AAH-a-token-of-usual-length-0123456789")); err != nil {
		b.Fatal(err)
	}
	h := New(Deps{Engine: e, HTTP: client, Secrets: store}, Options{})
	asker, err := h.Load(b.Context(), "asker", read(b, "testdata/asker.wasm"))
	if err != nil {
		b.Fatal(err)
	}
	grants := Grants{Hosts: []HostGrant{grant}, Secrets: []string{"TOKEN"}}
	for name, letters := range map[string]string{"nothing": "", "clocks": "wmr", "secret": "k", "send": "k" + strings.Repeat("w", 9) + "p"} {
		var made *trace.Trace
		for _, how := range []string{"plain", "recorded", "replayed"} {
			request := Request{Operation: server.URL, Input: letters, Grants: grants}
			b.Run(name+"/"+how, func(b *testing.B) {
				switch how {
				case "recorded":
					request.Record = &RecordOptions{}
				case "replayed":
					request.Replay = made
				}
				b.ReportAllocs()
				for b.Loop() {
					got, err := asker.Invoke(b.Context(), ofTenant("a"), request)
					if err != nil || got.Divergence != nil {
						b.Fatal(err, got.Divergence)
					}
					made = cmp.Or(got.Trace, made)
				}
			})
		}
	}
}

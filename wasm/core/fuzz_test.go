package core_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"greentic.dev/wasm/rewrite"
)

// What the engine accepts plain and Parse accepts must be accepted after rewriting, and what
// the engine refuses plain must not become valid by it.
func FuzzRewrite(f *testing.F) {
	f.Add(program())
	f.Add(endless(true))
	f.Add((&wasmModule{memories: [][]byte{{0, 1}}}).bytes())
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().
		WithCoreFeatures(api.CoreFeaturesV2|experimental.CoreFeaturesTailCall|experimental.CoreFeaturesExtendedConst))
	f.Cleanup(func() { _ = r.Close(ctx) })
	f.Fuzz(func(t *testing.T, src []byte) {
		m, err := rewrite.Parse(src, rewrite.Limits{Elements: 1000})
		if err != nil {
			return
		}
		names := make([]rewrite.Rename, len(m.Imports))
		for i, imp := range m.Imports {
			names[i] = rewrite.Rename{Module: imp.Module, Name: imp.Name}
		}
		out, err := m.Rewrite(names)
		if err != nil {
			return // and the engine never sees it, whose parser trusts counts
		}
		plain, plainErr := r.CompileModule(ctx, src)
		if plainErr == nil {
			defer plain.Close(ctx)
		}
		rewritten, err := r.CompileModule(ctx, out)
		if err == nil {
			defer rewritten.Close(ctx)
		}
		if plainErr != nil && strings.Contains(plainErr.Error(), "custom section") {
			return // a malformed name section invalidates nothing (core specification 7.4.1); it is dropped
		}
		if (plainErr == nil) != (err == nil) {
			t.Fatalf("plain: %v\nrewritten: %v", plainErr, err)
		}
	})
}

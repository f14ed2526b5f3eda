package componentise

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"io"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// wasm-tools' componentiser as a component, and the preview-1 adapter for reactors: see tool/README.md.
//
//go:embed tool/tool.wasm.gz
var toolCode []byte

//go:embed tool/adapter.wasm.gz
var adapterCode []byte

const tools = "local:wasm-tools/tools"

// Tool componentises; it is safe for concurrent use.
type Tool struct {
	bound   *wasm.Bound
	adapter []byte
}

// Open readies the tool on engine, whose cache makes the second time quick: the first compiles 2.4 MB.
// Errors are those of the engine.
func Open(ctx context.Context, engine *wasm.Engine) (*Tool, error) {
	code, err := unzip(toolCode)
	if err != nil {
		return nil, err
	}
	adapter, err := unzip(adapterCode)
	if err != nil {
		return nil, err
	}
	c, err := engine.Compile(ctx, code)
	if err != nil {
		return nil, fault.Wrap("componentiser", err)
	}
	bound, err := c.Bind(nil)
	if err != nil {
		return nil, fault.Wrap("componentiser", err)
	}
	return &Tool{bound: bound, adapter: adapter}, nil
}

// Close frees what the tool holds.
func (t *Tool) Close() { t.bound.Close() }

// Component makes a component of a core module that Go wrote for wasip1 as a c-shared library. Its interfaces
// are ours and those of the further WIT packages, each a text that begins with its package line. The same
// module gives the same bytes. Errors: fault.Invalid (no such module, or one without the SDK, or exports
// of another shape than their interface), fault.Unsupported (an interface that is none of ours), and
// those of the engine.
func (t *Tool) Component(ctx context.Context, core []byte, further ...string) ([]byte, error) {
	sections, err := split(core)
	if err != nil {
		return nil, err
	}
	s, err := surfaceOf(sections)
	if err != nil {
		return nil, err
	}
	world, err := s.world(further)
	if err != nil {
		return nil, err
	}
	core, err = withReserve(sections)
	if err != nil {
		return nil, err
	}
	none := wasm.Option{}
	embedded, err := t.call(ctx, "component-embed", wasm.Record{
		{Name: "binary", Value: wasm.Some(core)}, {Name: "wit-source", Value: wasm.Some(world)}, {Name: "wit-path", Value: none},
		{Name: "string-encoding", Value: none}, {Name: "dummy", Value: none}, {Name: "world", Value: wasm.Some("guest")},
		{Name: "metadata", Value: none}, {Name: "features", Value: none},
	})
	if err != nil {
		return nil, err
	}
	return t.call(ctx, "component-new", embedded, wasm.Some([]any{[]any{preview1, t.adapter}}))
}

// call runs one function of the tool; what it says is wrong is fault.Invalid.
func (t *Tool) call(ctx context.Context, name string, args ...any) ([]byte, error) {
	var stderr bytes.Buffer
	value, _, err := t.bound.Invoke(ctx, wasm.Invocation{
		Interface: tools, Func: name, Args: args, WASI: wasi.Config{Stderr: &stderr},
		Limits: wasm.Limits{Memory: 1 << 30, Payload: 256 << 20, Wall: 2 * time.Minute},
	})
	if err != nil {
		return nil, fault.Wrap("componentiser "+name, err)
	}
	r, ok := value.(wasm.Result)
	if !ok {
		return nil, fault.Newf(fault.Internal, "componentiser "+name, "it answers %T", value)
	}
	if text, failed := r.Value.(string); failed {
		return nil, fault.New(fault.Invalid, "componentiser "+name, text)
	}
	b, ok := r.Value.([]byte)
	if !ok {
		return nil, fault.Newf(fault.Internal, "componentiser "+name, "it answers a result of %T", r.Value)
	}
	return b, nil
}

func unzip(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fault.Wrap("componentiser", err)
	}
	out, err := io.ReadAll(r)
	return out, fault.Wrap("componentiser", err)
}

package host

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wasi"
)

// Deps is what a host works with. Engine is required; without HTTP or Secrets every request
// for them is denied; without Log nothing is logged; Now defaults to time.Now, Random to crypto/rand.
// Random must be safe for concurrent use; seeds come from it.
type Deps struct {
	Engine  *wasm.Engine
	HTTP    *egress.Client
	Secrets secrets.Store
	Log     *slog.Logger
	Now     func() time.Time
	Random  io.Reader
}

// Options bounds what a component may use. Zero values are the engine's defaults.
type Options struct {
	Limits wasm.Limits // of each invocation
}

// Host loads and invokes components. It is safe for concurrent use.
type Host struct {
	deps  Deps
	opts  Options
	hosts *wasm.Hosts
	born  atomic.Pointer[wasi.Origin]
}

// New makes a host. The engine stays the caller's.
func New(d Deps, o Options) *Host {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Random == nil {
		d.Random = rand.Reader
	}
	h := &Host{deps: d, opts: o}
	h.hosts = h.imports()
	return h
}

// ABI is a calling convention, named by the interface that carries it.
type ABI string

// The calling conventions, in the order they are preferred.
const (
	ABINode       ABI = interfaces.Node       // CBOR in an envelope
	ABISchemaCore ABI = interfaces.SchemaCore // JSON
	ABIRuntime    ABI = interfaces.Runtime    // CBOR
	ABIRun        ABI = interfaces.Run        // CBOR, one operation
	ABINode05     ABI = interfaces.Node05     // JSON, the line before 0.6
	ABINode04     ABI = interfaces.Node04     // JSON, the line before that
	ABIRouter     ABI = interfaces.Router     // MCP tools: recognised, not called here
)

// entry is the function an ABI is called through.
func (a ABI) entry() string {
	switch a {
	case ABIRun:
		return "run"
	case ABIRouter:
		return "call-tool"
	}
	return "invoke"
}

// Component is a loaded component, bound once for any number of invocations. It is immutable
// and safe for concurrent use.
type Component struct {
	host  *Host
	name  string
	abi   ABI
	code  *wasm.Component
	bound *wasm.Bound

	stages *stages
}

// Load compiles code and binds it to this host's interfaces. name is what errors and logs call
// it, usually the component id. Errors: fault.Invalid (no component, or functions of another
// shape), fault.Unsupported (an import nobody offers, named with its function and the capability
// it stands for, or no interface this host can call, named), fault.Exhausted.
func (h *Host) Load(ctx context.Context, name string, code []byte) (*Component, error) {
	op := "load component " + name
	compiled, err := h.deps.Engine.Compile(ctx, code)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	abi, err := pickABI(compiled)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	bound, err := compiled.Bind(h.hosts)
	if err != nil {
		return nil, fault.Wrap(op, needing(err))
	}
	return &Component{host: h, name: name, abi: abi, code: compiled, bound: bound, stages: &stages{}}, nil
}

// needing adds the capability to the error of an import that nobody offers.
func needing(err error) error {
	var missing *wasm.MissingImport
	if !errors.As(err, &missing) {
		return err
	}
	if c := capability(missing.Interface); c != "" {
		return fault.Wrap("it needs "+c, err)
	}
	return err
}

// ABIOf says how this package would call a compiled component. Errors as Load.
func ABIOf(code *wasm.Component) (ABI, error) { return pickABI(code) }

// exporter is what pickABI needs of a component.
type exporter interface {
	Func(iface, name string) (*wasm.FuncType, bool)
	Exports() []wasm.Item
}

func pickABI(c exporter) (ABI, error) {
	for _, abi := range []ABI{ABINode, ABISchemaCore, ABIRuntime, ABIRun, ABINode05, ABINode04, ABIRouter} {
		if f, ok := c.Func(string(abi), abi.entry()); ok {
			return abi, checkEntry(abi, f)
		}
	}
	var names []string
	for _, item := range c.Exports() {
		names = append(names, item.Name)
	}
	if len(names) == 0 {
		names = []string{"nothing"}
	}
	return "", fault.Newf(fault.Unsupported, "", "unknown world: it exports %s", strings.Join(names, ", ")).
		WithFix("export " + interfaces.Node + " or one of " + strings.Join([]string{interfaces.SchemaCore, interfaces.Runtime, interfaces.Run, interfaces.Node05, interfaces.Node04}, ", "))
}

// checkEntry makes sure that the arguments this package builds and the results it reads fit.
func checkEntry(abi ABI, f *wasm.FuncType) error {
	ok := false
	switch abi {
	case ABINode:
		ok = len(f.Params) == 2 && isString(f.Params[0].Type) && isRecord(f.Params[1].Type) && f.Result != nil && isResultOf(f.Result)
	case ABISchemaCore, ABIRuntime:
		ok = len(f.Params) == 2 && isString(f.Params[0].Type) && isBytes(f.Params[1].Type) && isBytes(f.Result)
	case ABIRun:
		ok = len(f.Params) == 2 && isBytes(f.Params[0].Type) && isBytes(f.Params[1].Type) && isRecord(f.Result)
	case ABINode05, ABINode04:
		ok = isOlderInvoke(f)
	case ABIRouter:
		ok = true // whoever calls it looks at its types
	}
	if !ok {
		return fault.Newf(fault.Invalid, "", "%s#%s has another type than the interface says", abi, abi.entry())
	}
	return nil
}

// Name is the name given to Load.
func (c *Component) Name() string { return c.name }

// ABI is the calling convention in use.
func (c *Component) ABI() ABI { return c.abi }

// Code is the compiled component, for its digest and types.
func (c *Component) Code() *wasm.Component { return c.code }

// Import is an interface a component asks for.
type Import struct {
	Name       string   `json:"name"`
	Functions  []string `json:"functions,omitempty"`  // none: types only
	Capability string   `json:"capability,omitempty"` // what it needs, for example host:http; empty: nothing
}

// Imports lists what the component asks for, in the order of the binary.
func (c *Component) Imports() []Import { return ImportsOf(c.code) }

// ImportsOf lists what a compiled component asks for, in the order of the binary.
func ImportsOf(code *wasm.Component) []Import {
	var list []Import
	for _, item := range code.Imports() {
		i := Import{Name: item.Name, Functions: item.Order}
		if item.Func != nil {
			i.Functions = []string{item.Name}
		}
		if len(i.Functions) > 0 {
			i.Capability = capability(item.Name)
		}
		list = append(list, i)
	}
	return list
}

// Capabilities is the sorted set of what imports need.
func Capabilities(imports []Import) []string {
	list := []string{}
	for _, i := range imports {
		if i.Capability != "" && !slices.Contains(list, i.Capability) {
			list = append(list, i.Capability)
		}
	}
	slices.Sort(list)
	return list
}

// CapabilityOf names what an interface gives to whoever imports it, such as host:http; empty: nothing.
func CapabilityOf(iface string) string { return capability(iface) }

// capability names what an interface gives, in the words of pack manifests (formats digest
// 4.3). WASI's plumbing (io, cli) gives nothing of its own.
func capability(iface string) string {
	pkg, name, _ := strings.Cut(iface, "/")
	switch pkg {
	case "greentic:host": // of the oldest lines, like interfaces-host (formats digest 3.2)
		if strings.HasPrefix(name, "http-v1@") {
			return "host:http"
		}
		return "host:state"
	case "greentic:interfaces-host":
		return "host:state"
	case "greentic:http", "wasi:http":
		return "host:http"
	case "greentic:secrets-store":
		return "host:secrets"
	case "greentic:state":
		return "host:state"
	case "greentic:telemetry":
		return "host:telemetry"
	case "greentic:component", "wasi:io", "wasi:cli":
		return ""
	case "wasi:filesystem":
		return "wasi:fs"
	case "wasi:random", "wasi:clocks", "wasi:sockets":
		return pkg
	}
	if name, ok := strings.CutPrefix(pkg, "greentic:"); ok {
		return "host:" + name
	}
	return iface
}

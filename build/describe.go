package build

import (
	"context"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/cbor"
	"greentic.dev/wasm"
)

// Describer makes an Options.Describe that runs the component on engine. Every import of the
// component traps: a description can depend on nothing outside.
func Describer(engine *wasm.Engine) func(ctx context.Context, code []byte) (any, error) {
	return func(ctx context.Context, code []byte) (any, error) {
		c, err := engine.Compile(ctx, code)
		if err != nil {
			return nil, err
		}
		for _, source := range []struct {
			iface string
			read  func([]byte) (any, error)
		}{
			{interfaces.ComponentDescriptor, cbor.Unmarshal},
			{interfaces.Descriptor, cbor.Unmarshal},
			{interfaces.SchemaCore, cbor.FromJSON},
		} {
			if _, ok := c.Func(source.iface, "describe"); !ok {
				continue
			}
			bound, err := c.Bind(&wasm.Hosts{TrapMissing: true})
			if err != nil {
				return nil, err
			}
			value, _, err := bound.Invoke(ctx, wasm.Invocation{Interface: source.iface, Func: "describe"})
			if err != nil {
				return nil, err
			}
			b, ok := value.([]byte)
			if !ok {
				return nil, fault.Newf(fault.Invalid, "describe", "%s.describe returns no bytes", source.iface)
			}
			return source.read(b)
		}
		return nil, nil
	}
}

package guest

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"

	"lukechampine.com/blake3"

	"greentic.dev/build"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/model/component"
	"greentic.dev/wasm"
)

// describe asks a component for its manifest and completes it.
func describe(ctx context.Context, code []byte, engine *wasm.Engine) (*Built, error) {
	c, err := engine.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	doc, err := build.Describer(engine)(ctx, code)
	if err != nil {
		return nil, fault.Wrap("it does not describe itself", err)
	}
	fields, _ := doc.(map[string]any)
	metadata, _ := fields["metadata"].(map[string]any)
	if why, broken := metadata["broken"].(string); broken {
		return nil, fault.New(fault.Invalid, "", why).WithFix("see the documentation of greentic.Component")
	}
	told, ok := metadata["manifest"].(map[string]any)
	if !ok {
		return nil, fault.New(fault.Invalid, "", "it carries no manifest (metadata.manifest of component-descriptor.describe)").
			WithFix("build it with the SDK of this version: greentic component new shows one")
	}
	told["capabilities"] = Uses(c)
	told["artifacts"] = component.Artifacts{ComponentWasm: CodeFile}
	sum := blake3.Sum256(code)
	told["hashes"] = component.Hashes{ComponentWasm: "blake3:" + hex.EncodeToString(sum[:])}
	src, err := encode(told)
	if err != nil {
		return nil, err
	}
	m, err := component.Parse(ManifestFile, src)
	if err != nil {
		return nil, fault.Wrap("what it says of itself is no manifest", err)
	}
	b := &Built{Code: code, Manifest: m}
	b.JSON, err = encode(m)
	return b, err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), fault.Wrap("manifest", err)
}

// Uses is what of the host a component imports, as capabilities. Secrets are not among them: which ones it
// needs only it can say.
func Uses(c *wasm.Component) component.Capabilities {
	var caps component.Capabilities
	for _, item := range c.Imports() {
		has := func(name string) bool {
			_, ok := item.Funcs[name]
			return ok
		}
		switch item.Name {
		case interfaces.State:
			caps.Host.State = &component.StateCapability{Read: has("read"), Write: has("write") || has("delete"), Delete: has("delete")}
		case interfaces.HTTP10, interfaces.HTTP11, "greentic:http/client@1.0.0", "greentic:http/client@1.1.0":
			caps.Host.HTTP = &component.HTTPCapability{Client: true}
		case interfaces.Telemetry:
			caps.Host.Telemetry = &component.TelemetryCapability{Scope: "node"}
		}
	}
	return caps
}

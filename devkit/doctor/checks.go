package doctor

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
)

// From these sizes on a component is worth a note.
const (
	largeBinary = 8 << 20   // bytes; compiling takes seconds
	largeDebug  = 256 << 10 // bytes of names and debug information
)

// binary checks the file by itself; false ends the examination.
func (x *examination) binary() bool {
	const module, magic = "\x00asm\x01\x00\x00\x00", "\x00asm"
	o, err := outline.Read(x.code, binary.Limits{})
	switch {
	case err == nil:
	case !bytes.HasPrefix(x.code, []byte(magic)):
		x.failed("not_a_component", "give the .wasm file of a component", err)
	case bytes.HasPrefix(x.code, []byte(module)):
		x.failed("core_module", "make it a component: wasm-tools component new MODULE -o COMPONENT, with --adapt and the preview 1 adapter if it uses WASI", err)
	case len(x.code) >= 8 && !bytes.HasPrefix(x.code, []byte(magic+"\x0d\x00\x01\x00")):
		x.failed("old_format", "build it again with tools of 2024 or later", err)
	case fault.Is(err, fault.Unsupported):
		x.failed("unsupported_feature", "build it without this feature", err)
	case fault.Is(err, fault.Exhausted):
		x.failed("over_limit", "make it smaller", err)
	default:
		x.failed("malformed", "build it again; if it was downloaded, compare its digest", err)
	}
	if err != nil {
		return false
	}
	x.outline = o
	x.modules()
	if len(x.code) >= largeBinary {
		x.add(Note, "large", nil, "build it optimised for size and stripped", "it has %d bytes: compiling it for the first time takes seconds", len(x.code))
	}
	if len(o.Producers()) == 0 {
		x.add(Note, "no_producers", nil, "", "it does not say which tools made it")
	}
	return true
}

// modules checks the core modules.
func (x *examination) modules() {
	var memory uint64
	debug := 0
	for _, m := range x.outline.Modules() {
		at := &Site{Offset: &m.Offset}
		memory += m.Memory
		debug += m.Names + m.Debug
		if m.Start {
			x.add(Note, "start_function", at, "", "a core module runs code before anything is called")
		}
		if m.Lasting != "" {
			x.add(Warning, "not_kept", at, "", "every call makes a fresh instance, for a core module cannot be put back into its first state: %s", m.Lasting)
		}
	}
	if limit := uint64(x.config.MemoryBytes); memory > limit {
		x.add(Error, "memory_over_limit", nil, "raise limits.memory_mib, or build it with a smaller initial memory",
			"it begins with %d MiB of memory, the limit is %d", memory>>20, limit>>20)
		x.found[len(x.found)-1].Kind = fault.Exhausted
	}
	if debug >= largeDebug {
		x.add(Note, "debug_info", nil, "strip it: wasm-tools strip --all FILE", "%d bytes of it are names and debug information", debug)
	}
}

// behaviour compiles the component and checks what it needs and offers.
func (x *examination) behaviour(ctx context.Context) (err error) {
	if x.engine, err = wasm.New(ctx, wasm.Options{CacheDir: x.config.CodeCache(false)}); err != nil {
		return err
	}
	defer x.engine.Close(context.WithoutCancel(ctx))
	code, err := x.engine.Compile(ctx, x.code)
	switch {
	case err == nil:
	case fault.Is(err, fault.Canceled), fault.Is(err, fault.Timeout):
		return err
	case fault.Is(err, fault.Invalid):
		x.failed("ill_typed", "build it again: its tools made wrong code", err)
		return nil
	default:
		x.failed("unsupported_feature", "build it without this feature", err)
		return nil
	}
	x.host = host.New(host.Deps{Engine: x.engine}, host.Options{Limits: wasm.Limits{Memory: uint64(x.config.MemoryBytes), Wall: x.config.StepTime}})
	missing := x.host.Missing(code)
	x.imports(missing)
	if _, err := host.ABIOf(code); err != nil {
		_, fix, _ := fault.Detail(err)
		x.failed("no_entry", fix, err)
		return nil
	}
	if len(missing) == 0 {
		x.description(ctx)
		x.document(ctx, code)
	}
	return ctx.Err()
}

// imports reports missing functions, by interface.
func (x *examination) imports(missing []host.Missing) {
	for len(missing) > 0 {
		m := missing[0]
		var functions []string
		rest := missing[:0:0]
		for _, other := range missing {
			if other.Interface == m.Interface {
				functions = append(functions, other.Function)
			} else {
				rest = append(rest, other)
			}
		}
		missing = rest
		needs := ""
		if m.Capability != "" && m.Capability != m.Interface {
			needs = ", which needs " + m.Capability
		}
		at := &Site{Interface: m.Interface, Functions: functions}
		names := listed(functions)
		path, version, _ := strings.Cut(m.Interface, "@")
		switch {
		case m.Interface == "":
			x.add(Error, "missing_import", at, "import it from an interface that is offered", "it imports %s, which is not offered here", names)
		case m.Offered:
			x.add(Error, "missing_function", at, "do not call it", "it imports %s of %s%s; the interface is offered without", names, m.Interface, needs)
		case strings.HasPrefix(m.Nearest, path+"@"):
			x.add(Error, "interface_version", at, "build it against "+m.Nearest, "it imports %s of %s%s; version %s is not offered", names, m.Interface, needs, version)
		case m.Nearest != "":
			x.add(Error, "missing_import", at, "did you mean "+m.Nearest+"?", "it imports %s of %s%s; no such interface is offered", names, m.Interface, needs)
		default:
			x.add(Error, "missing_import", at, "build it without, or compose it with a component that exports this interface", "it imports %s of %s%s; no such interface is offered", names, m.Interface, needs)
		}
	}
}

// listed joins a few names and counts the rest.
func listed(names []string) string {
	const few = 4
	if len(names) <= few+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// description loads the component and asks what it says of itself.
func (x *examination) description(ctx context.Context) {
	component, err := x.host.Load(ctx, "component", x.code)
	if err != nil {
		x.failed("not_loaded", "", err)
		return
	}
	description, err := component.Describe(ctx)
	switch {
	case ctx.Err() != nil:
	case fault.Is(err, fault.NotFound):
		x.add(Warning, "no_describe", nil, "export describe, so that flows can be checked against its operations", "it does not describe itself")
	case err != nil:
		x.add(Warning, "describe_fails", nil, "", "describing itself fails: %s", cause(err))
	case !slices.ContainsFunc(x.found, func(f Finding) bool { return f.Code == "not_kept" }):
		if kept, err := component.Kept(ctx, description.Interface); err == nil && !kept {
			x.add(Warning, "not_kept", nil, "do nothing at start that needs the system: no files, no output, no calls of the host",
				"every call makes a fresh instance, for its first state depends on what it did while it started")
		}
	}
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/host"
	"greentic.dev/system"
	"greentic.dev/wasm"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
)

// doctor collects what it finds out about one component.
type doctor struct {
	config  *system.Config
	code    []byte
	outline *outline.Outline
	host    *host.Host
	engine  *wasm.Engine
	found   []symptom
}

// From these sizes on a component is worth a note.
const (
	largeBinary = 8 << 20   // bytes; compiling takes seconds
	largeDebug  = 256 << 10 // bytes of names and debug information
)

// binary checks the file by itself; false ends the examination.
func (d *doctor) binary() bool {
	const module, magic = "\x00asm\x01\x00\x00\x00", "\x00asm"
	o, err := outline.Read(d.code, binary.Limits{})
	switch {
	case err == nil:
	case !bytes.HasPrefix(d.code, []byte(magic)):
		d.failed("not_a_component", "give the .wasm file of a component", err)
	case bytes.HasPrefix(d.code, []byte(module)):
		d.failed("core_module", "make it a component: wasm-tools component new MODULE -o COMPONENT, with --adapt and the preview 1 adapter if it uses WASI", err)
	case len(d.code) >= 8 && !bytes.HasPrefix(d.code, []byte(magic+"\x0d\x00\x01\x00")):
		d.failed("old_format", "build it again with tools of 2024 or later", err)
	case fault.Is(err, fault.Unsupported):
		d.failed("unsupported_feature", "build it without this feature", err)
	case fault.Is(err, fault.Exhausted):
		d.failed("over_limit", "make it smaller", err)
	default:
		d.failed("malformed", "build it again; if it was downloaded, compare its digest", err)
	}
	if err != nil {
		return false
	}
	d.outline = o
	d.modules()
	if len(d.code) >= largeBinary {
		d.add(isNote, "large", nil, "build it optimised for size and stripped", "it has %d bytes: compiling it for the first time takes seconds", len(d.code))
	}
	if len(o.Producers()) == 0 {
		d.add(isNote, "no_producers", nil, "", "it does not say which tools made it")
	}
	return true
}

// modules checks the core modules.
func (d *doctor) modules() {
	var memory uint64
	debug := 0
	for _, m := range d.outline.Modules() {
		at := &site{Offset: &m.Offset}
		memory += m.Memory
		debug += m.Names + m.Debug
		if m.Start {
			d.add(isNote, "start_function", at, "", "a core module runs code before anything is called")
		}
		if m.Lasting != "" {
			d.add(isWarning, "not_kept", at, "", "every call makes a fresh instance, for a core module cannot be put back into its first state: %s", m.Lasting)
		}
	}
	if limit := uint64(d.config.MemoryBytes); memory > limit {
		d.add(isError, "memory_over_limit", nil, "raise limits.memory_mib, or build it with a smaller initial memory",
			"it begins with %d MiB of memory, the limit is %d", memory>>20, limit>>20)
		d.found[len(d.found)-1].kind = fault.Exhausted
	}
	if debug >= largeDebug {
		d.add(isNote, "debug_info", nil, "strip it: wasm-tools strip --all FILE", "%d bytes of it are names and debug information", debug)
	}
}

// behaviour compiles the component and checks what it needs and offers.
func (d *doctor) behaviour(ctx context.Context) (err error) {
	if d.engine, err = wasm.New(ctx, wasm.Options{CacheDir: d.config.CodeCache(false)}); err != nil {
		return err
	}
	defer d.engine.Close(context.WithoutCancel(ctx))
	code, err := d.engine.Compile(ctx, d.code)
	switch {
	case err == nil:
	case fault.Is(err, fault.Canceled), fault.Is(err, fault.Timeout):
		return err
	case fault.Is(err, fault.Invalid):
		d.failed("ill_typed", "build it again: its tools made wrong code", err)
		return nil
	default:
		d.failed("unsupported_feature", "build it without this feature", err)
		return nil
	}
	d.host = host.New(host.Deps{Engine: d.engine}, host.Options{Limits: wasm.Limits{Memory: uint64(d.config.MemoryBytes), Wall: d.config.StepTime}})
	missing := d.host.Missing(code)
	d.imports(missing)
	if _, err := host.ABIOf(code); err != nil {
		_, fix, _ := fault.Detail(err)
		d.failed("no_entry", fix, err)
		return nil
	}
	if len(missing) == 0 {
		d.description(ctx)
	}
	return ctx.Err()
}

// imports reports missing functions, by interface.
func (d *doctor) imports(missing []host.Missing) {
	for len(missing) > 0 {
		m := missing[0]
		var functions []string
		rest := missing[:0:0]
		for _, x := range missing {
			if x.Interface == m.Interface {
				functions = append(functions, x.Function)
			} else {
				rest = append(rest, x)
			}
		}
		missing = rest
		needs := ""
		if m.Capability != "" && m.Capability != m.Interface {
			needs = ", which needs " + m.Capability
		}
		at := &site{Interface: m.Interface, Functions: functions}
		names := listed(functions)
		path, version, _ := strings.Cut(m.Interface, "@")
		switch {
		case m.Interface == "":
			d.add(isError, "missing_import", at, "import it from an interface that is offered", "it imports %s, which is not offered here", names)
		case m.Offered:
			d.add(isError, "missing_function", at, "do not call it", "it imports %s of %s%s; the interface is offered without", names, m.Interface, needs)
		case strings.HasPrefix(m.Nearest, path+"@"):
			d.add(isError, "interface_version", at, "build it against "+m.Nearest, "it imports %s of %s%s; version %s is not offered", names, m.Interface, needs, version)
		case m.Nearest != "":
			d.add(isError, "missing_import", at, "did you mean "+m.Nearest+"?", "it imports %s of %s%s; no such interface is offered", names, m.Interface, needs)
		default:
			d.add(isError, "missing_import", at, "build it without, or compose it with a component that exports this interface", "it imports %s of %s%s; no such interface is offered", names, m.Interface, needs)
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
func (d *doctor) description(ctx context.Context) {
	component, err := d.host.Load(ctx, "component", d.code)
	if err != nil {
		d.failed("not_loaded", "", err)
		return
	}
	description, err := component.Describe(ctx)
	switch {
	case ctx.Err() != nil:
	case fault.Is(err, fault.NotFound):
		d.add(isWarning, "no_describe", nil, "export describe, so that flows can be checked against its operations", "it does not describe itself")
	case err != nil:
		d.add(isWarning, "describe_fails", nil, "", "describing itself fails: %s", cause(err))
	case !slices.ContainsFunc(d.found, func(f symptom) bool { return f.Code == "not_kept" }):
		if kept, err := component.Kept(ctx, description.Interface); err == nil && !kept {
			d.add(isWarning, "not_kept", nil, "do nothing at start that needs the system: no files, no output, no calls of the host",
				"every call makes a fresh instance, for its first state depends on what it did while it started")
		}
	}
}

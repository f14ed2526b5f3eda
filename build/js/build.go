package js

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"greentic.dev/build/quickjs"
	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
	"greentic.dev/wasm"
	"greentic.dev/wasm/wit"
)

// Backend is the engine that runs the JavaScript inside the component.
type Backend string

// The backends. QuickJS is small and starts at once; SpiderMonkey compiles hot code, is 12 MB, and
// needs Node and the npm package @bytecodealliance/componentize-js in the project.
const (
	QuickJS      Backend = "quickjs"
	SpiderMonkey Backend = "spidermonkey"
)

// Options are what a build needs of its surroundings.
type Options struct {
	Backend Backend                      // empty: what package.json says under greentic.engine, or QuickJS
	Engine  *wasm.Engine                 // asks the modules what they use
	Getenv  func(string) string          // of the process: PATH and HOME, for Node; nil: none
	Look    func(string) (string, error) // finds a program; exec.LookPath; nil: none is found
	Note    func(string)                 // told what is being done; nil: nobody is
}

// entry is the name of the module that the builder writes.
const entry = "component"

// Build makes the component of the project in dir. The same sources give the same bytes, wherever
// they are. Errors: Invalid (with file, line and column where the source is wrong; a component that
// was put together wrongly), NotFound (an import that leads nowhere, Node where it is needed),
// Unsupported, Exhausted (too much source), Timeout (modules that never stop loading), and those of
// the engine.
func Build(ctx context.Context, dir string, opt Options) ([]byte, error) {
	if opt.Note == nil {
		opt.Note = func(string) {}
	}
	p, err := open(dir)
	if err != nil {
		return nil, err
	}
	backend := cmp.Or(opt.Backend, p.backend, QuickJS)
	if backend != QuickJS && backend != SpiderMonkey {
		return nil, fault.Newf(fault.Invalid, "", "there is no engine %q", backend).WithFix("quickjs or spidermonkey")
	}
	opt.Note("following the imports of " + p.main)
	g, err := p.graph(ctx, opt)
	if err != nil {
		return nil, err
	}
	opt.Note("asking the modules what they use")
	uses, err := g.inspect(ctx, opt.Engine)
	if err != nil {
		return nil, err
	}
	opt.Note("making it a component")
	if backend == SpiderMonkey {
		return g.spiderMonkey(ctx, uses, opt)
	}
	return g.quickjs(uses)
}

// importsOf are the interfaces behind what a component says it uses, by the names the SDK has for
// them, in the order of the entry module.
func importsOf() [][2]string {
	return [][2]string{{"cancel", interfaces.Control}, {"http", interfaces.HTTP11}, {"log", interfaces.Telemetry}, {"secrets", interfaces.Secrets10}, {"state", interfaces.State}}
}

// exportsOf are the interfaces of every component, by the names they have in JavaScript.
func exportsOf() [][2]string {
	return [][2]string{{"node", interfaces.Node}, {"componentDescriptor", interfaces.ComponentDescriptor}, {"componentQa", interfaces.ComponentQA}, {"componentI18n", interfaces.ComponentI18n}}
}

// entryModule is the source of the module whose exports are the component's.
func entryModule(main, sdk string, uses map[string]bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "import app from %s;\nimport { guest } from %s;\n", quoted(main), quoted(sdk))
	var hosts []string
	for _, i := range importsOf() {
		if !uses[i[0]] {
			continue
		}
		name := i[0]
		if name == "cancel" {
			name = "control"
		}
		fmt.Fprintf(&b, "import * as %s from %s;\n", name, quoted(i[1]))
		hosts = append(hosts, name)
	}
	fmt.Fprintf(&b, "const all = guest(app, { %s });\n", strings.Join(hosts, ", "))
	for _, e := range exportsOf() {
		fmt.Fprintf(&b, "export const %s = all.%s;\n", e[0], e[0])
	}
	b.WriteString("export const failed = all.failed;\n") // for what fails outside of any function, see build/quickjs
	return b.String()
}

func quoted(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

// quickjs makes the component on QuickJS.
func (g *graph) quickjs(uses map[string]bool) ([]byte, error) {
	set, err := wit.ParseFS(interfaces.FS)
	if err != nil {
		return nil, fault.Wrap("interfaces", err)
	}
	p := g.program(entryModule(g.main, g.sdk, uses))
	for _, i := range importsOf() {
		if uses[i[0]] {
			p.Imports = append(p.Imports, set.Interface(i[1]))
		}
	}
	for _, e := range exportsOf() {
		p.Exports = append(p.Exports, set.Interface(e[1]))
	}
	return quickjs.Componentize(p)
}

func (g *graph) program(source string) quickjs.Program {
	p := quickjs.Program{Entry: entry, Modules: map[string]string{entry: source}, Links: map[string]map[string]string{entry: {g.main: g.main, g.sdk: g.sdk}}}
	for name, m := range g.modules {
		p.Modules[name] = m.source
		if len(m.links) > 0 {
			p.Links[name] = m.links
		}
	}
	return p
}

const probe = "package greentic:build@0.1.0;\ninterface probe { inspect: func() -> string; }"

// loading is how long modules may take to load.
const loading = 3 * time.Second

// inspect runs the modules once, without any host, and gives what the component uses.
func (g *graph) inspect(ctx context.Context, engine *wasm.Engine) (map[string]bool, error) {
	set, err := wit.Parse(map[string]string{"probe.wit": probe})
	if err != nil {
		return nil, fault.Wrap("probe", err)
	}
	p := g.program(fmt.Sprintf("import app from %s;\nimport { inspect } from %s;\nexport const probe = { inspect: () => inspect(app) };\n", quoted(g.main), quoted(g.sdk)))
	p.Exports, p.Probe = []*wit.Interface{set.Interface("greentic:build/probe@0.1.0")}, true
	code, err := quickjs.Componentize(p)
	if err != nil {
		return nil, err
	}
	c, err := engine.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	bound, err := c.Bind(nil)
	if err != nil {
		return nil, err
	}
	defer bound.Close()
	v, _, err := bound.Invoke(ctx, wasm.Invocation{Interface: "greentic:build/probe@0.1.0", Func: "inspect", Limits: wasm.Limits{Wall: loading}})
	if fault.Is(err, fault.Timeout) && ctx.Err() == nil {
		return nil, fault.Newf(fault.Timeout, "", "the modules were not loaded after %s", loading).WithFix("is there a loop outside of the operations?")
	}
	if err != nil {
		return nil, fault.Wrap("load the modules", err)
	}
	text, _ := v.(string)
	failure, missing, err := quickjs.Probed(text)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, g.lost(missing[0])
	}
	if failure != nil {
		return nil, g.failed(failure)
	}
	return usesOf(text)
}

func usesOf(text string) (map[string]bool, error) {
	var said struct {
		Uses   []string `json:"uses"`
		Broken string   `json:"broken"`
	}
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return nil, fault.As(fault.Internal, "what the modules say", err)
	}
	if said.Broken != "" {
		return nil, fault.New(fault.Invalid, "", said.Broken).WithFix("see README.md of @greentic/component")
	}
	uses := map[string]bool{}
	for _, u := range said.Uses {
		uses[u] = true
	}
	return uses, nil
}

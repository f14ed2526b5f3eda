package js

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/interfaces"
)

// node runs a program of Node with text as its input and gives what it prints.
func node(ctx context.Context, dir string, opt Options, program, input string, args ...string) ([]byte, error) {
	const fix = "install Node from https://nodejs.org and put it on PATH"
	if opt.Look == nil || opt.Getenv == nil {
		return nil, fault.New(fault.NotFound, "", "node is not at hand").WithFix(fix)
	}
	tool, err := opt.Look("node")
	if err != nil {
		return nil, fault.New(fault.NotFound, "", "the node command is not installed").WithFix(fix)
	}
	c := exec.CommandContext(ctx, tool, append([]string{"--no-warnings", "--input-type=module", "-e", program, "--"}, args...)...)
	for _, key := range []string{"PATH", "HOME", "TMPDIR", "USERPROFILE", "SYSTEMROOT", "TEMP", "TMP"} {
		if v := opt.Getenv(key); v != "" {
			c.Env = append(c.Env, key+"="+v)
		}
	}
	var out, problems bytes.Buffer
	c.Dir, c.Stdin, c.Stdout, c.Stderr = dir, strings.NewReader(input), &out, &problems
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fault.Wrap("node", ctx.Err())
		}
		return nil, fault.New(fault.Invalid, "node", brief(problems.String()+" "+err.Error()))
	}
	return out.Bytes(), nil
}

// brief is output in one line of bounded length.
func brief(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 600 {
		text = text[:600] + " …"
	}
	return text
}

// strip leaves types out and keeps lines and columns, so that places stay true.
const strip = `import * as m from "node:module";
import { readFileSync } from "node:fs";
if (!m.stripTypeScriptTypes) process.exit(3);
try { process.stdout.write(m.stripTypeScriptTypes(readFileSync(0, "utf8"))); } catch (e) { process.stderr.write(e.message); process.exit(4); }`

// stripTypes is the JavaScript of a TypeScript module, by the Node that is installed.
func stripTypes(ctx context.Context, dir, name, source string, opt Options) (string, error) {
	out, err := node(ctx, dir, opt, strip, source)
	switch {
	case err == nil:
		return string(out), nil
	case strings.Contains(err.Error(), "exit status 3"):
		return "", fault.New(fault.Unsupported, name, "the Node that is installed cannot read TypeScript").WithFix(`install Node 22.13 or newer, or compile with tsc and name its output as "main" in package.json`)
	}
	return "", fault.Wrap(name, err)
}

// componentize runs the componentiser of the project on a bundle of modules.
const componentize = `import { writeFileSync } from "node:fs";
const folder = process.argv[1];
let tool;
try { tool = await import("@bytecodealliance/componentize-js"); } catch (e) { if (e.code !== "ERR_MODULE_NOT_FOUND") throw e; process.exit(5); }
const { component } = await tool.componentize({ sourcePath: folder + "/component.js", witPath: folder + "/wit", worldName: "component",
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"] });
writeFileSync(folder + "/component.wasm", component);`

// spiderMonkey makes the component on SpiderMonkey.
func (g *graph) spiderMonkey(ctx context.Context, uses map[string]bool, opt Options) ([]byte, error) {
	dir, err := os.MkdirTemp("", "greentic-build-")
	if err != nil {
		return nil, fault.As(fault.Unavailable, "", err)
	}
	defer os.RemoveAll(dir)
	if err := g.lay(dir, uses); err != nil {
		return nil, err
	}
	if _, err := node(ctx, g.project.dir, opt, componentize, "", dir); err != nil {
		if strings.Contains(err.Error(), "exit status 5") {
			return nil, fault.New(fault.NotFound, "", "the project has no componentiser for SpiderMonkey").WithFix("npm install --save-dev @bytecodealliance/componentize-js@0.23.0")
		}
		return nil, err
	}
	code, err := os.ReadFile(filepath.Join(dir, "component.wasm"))
	return code, fault.As(fault.Unavailable, "spidermonkey", err)
}

// lay writes the modules into dir, with imports by relative names, and the world.
func (g *graph) lay(dir string, uses map[string]bool) error {
	files := map[string]string{}
	for n, name := range g.names() {
		files[fmt.Sprintf("m%d.js", n)] = g.rewritten(name)
	}
	index := func(name string) string { return fmt.Sprintf("./m%d.js", slices.Index(g.names(), name)) }
	files["component.js"] = entryModule(index(g.main), index(g.sdk), uses)
	var world strings.Builder
	world.WriteString("package greentic:guest;\nworld component {\n")
	for _, i := range importsOf() {
		if uses[i[0]] {
			world.WriteString("  import " + i[1] + ";\n")
		}
	}
	for _, e := range exportsOf() {
		world.WriteString("  export " + e[1] + ";\n")
	}
	files["wit/world.wit"] = world.String() + "}\n"
	texts, err := interfaces.FS.ReadDir(".")
	if err != nil {
		return fault.Wrap("interfaces", err)
	}
	for _, f := range texts {
		text, err := interfaces.FS.ReadFile(f.Name())
		if err != nil {
			return fault.Wrap("interfaces", err)
		}
		files["wit/deps/"+strings.TrimSuffix(f.Name(), ".wit")+"/package.wit"] = string(text)
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return fault.As(fault.Unavailable, "", err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return fault.As(fault.Unavailable, "", err)
		}
	}
	return nil
}

// names are the modules in order.
func (g *graph) names() []string {
	names := make([]string, 0, len(g.modules))
	for name := range g.modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// rewritten is a module whose specifiers are the names that lay gives.
func (g *graph) rewritten(name string) string {
	m, all := g.modules[name], g.names()
	return specifier.ReplaceAllStringFunc(m.source, func(found string) string {
		for from, to := range m.links {
			for _, quote := range []string{`"`, `'`} {
				found = strings.ReplaceAll(found, quote+from+quote, fmt.Sprintf(`"./m%d.js"`, slices.Index(all, to)))
			}
		}
		return found
	})
}

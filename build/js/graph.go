package js

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"greentic.dev/build/quickjs"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

// maxModules is how many modules a component may have.
const maxModules = 2000

// graph is the modules of a project that its entry module reaches.
type graph struct {
	project   *project
	main, sdk string // names of modules
	modules   map[string]*module
}

type module struct {
	source string
	links  map[string]string // what its specifiers mean
}

// specifier finds what modules import. It may find what is only written in a comment or a text,
// which then is carried in vain; the engine tells what it did not find.
var specifier = regexp.MustCompile(`\b(?:import|export)\b[^'"();]*?\bfrom\s*['"]([^'"\n]+)['"]|\bimport\s*['"]([^'"\n]+)['"]|\bimport\s*\(\s*['"]([^'"\n]+)['"]`)

// graph reads the modules.
func (p *project) graph(ctx context.Context, opt Options) (*graph, error) {
	sdk, ok := p.resolve(p.main, sdkName+"/guest")
	if !ok {
		return nil, fault.New(fault.Invalid, "", "the copy of "+sdkName+" in this project has no guest module").WithFix("take the copy of this version from a new project")
	}
	g := &graph{project: p, main: p.main, sdk: sdk, modules: map[string]*module{}}
	left := []string{p.main, sdk}
	for len(left) > 0 {
		name := left[len(left)-1]
		left = left[:len(left)-1]
		if g.modules[name] != nil {
			continue
		}
		if len(g.modules) == maxModules {
			return nil, fault.Newf(fault.Exhausted, "", "the project has more than %d modules", maxModules)
		}
		source, err := p.source(ctx, name, opt)
		if err != nil {
			return nil, err
		}
		m := &module{source: source, links: map[string]string{}}
		g.modules[name] = m
		for _, found := range specifier.FindAllStringSubmatch(source, -1) {
			text := found[1] + found[2] + found[3]
			if to, ok := p.resolve(name, text); ok {
				m.links[text] = to
				left = append(left, to)
			}
		}
	}
	return g, nil
}

// source is the JavaScript of a file.
func (p *project) source(ctx context.Context, name string, opt Options) (string, error) {
	raw, err := p.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.Newf(fault.NotFound, name, "it is not there")
	}
	if err != nil {
		return "", fault.Wrap(name, err)
	}
	switch path.Ext(name) {
	case ".json":
		if !json.Valid(raw) {
			return "", fault.New(fault.Invalid, name, "it is no JSON")
		}
		return "export default " + string(raw) + ";\n", nil
	case ".ts", ".mts":
		return stripTypes(ctx, p.dir, name, string(raw), opt)
	}
	return string(raw), nil
}

// at is a position in a module as one in a file.
func (g *graph) at(name string, line, col int) fault.Position {
	p := fault.Position{File: filepath.Join(g.project.dir, filepath.FromSlash(name)), Line: line, Col: col}
	if m := g.modules[name]; m != nil && line > 0 {
		if lines := strings.Split(m.source, "\n"); line <= len(lines) {
			p.Excerpt = strings.ReplaceAll(strings.TrimRight(lines[line-1], "\r"), "\t", " ")
		}
	}
	return p
}

// lost is the error of an import that leads nowhere.
func (g *graph) lost(m quickjs.Missing) error {
	err := fault.Newf(fault.NotFound, "", "import %q: there is no such module", m.Specifier)
	switch relative := strings.HasPrefix(m.Specifier, "."); {
	case strings.HasPrefix(m.Specifier, "node:") || nodeModules[m.Specifier]:
		err = fault.Newf(fault.Unsupported, "", "import %q: modules of Node are not there in a component", m.Specifier).WithFix("ctx.http, ctx.state and ctx.secret reach what the host grants")
	case strings.HasPrefix(m.Specifier, "greentic:"), strings.HasPrefix(m.Specifier, "wasi:"):
		err = fault.Newf(fault.Unsupported, "", "import %q: interfaces are reached through ctx", m.Specifier).WithFix("say what the component uses: component({ uses: [\"http\"] })")
	case relative:
		err = err.WithFix(g.suggestion(m))
	default:
		err = err.WithFix("npm install " + m.Specifier + ", or copy it to vendor/" + m.Specifier)
	}
	if module := g.modules[m.Base]; module != nil {
		for _, quote := range []string{`"`, `'`} {
			if i := strings.Index(module.source, quote+m.Specifier+quote); i >= 0 {
				before := module.source[:i]
				return err.At(g.at(m.Base, 1+strings.Count(before, "\n"), i-strings.LastIndexByte(before, '\n')))
			}
		}
	}
	return err
}

// suggestion is a file that may be meant.
func (g *graph) suggestion(m quickjs.Missing) string {
	for _, more := range []string{".js", ".mjs", "/index.js"} {
		if _, ok := g.project.resolve(m.Base, m.Specifier+more); ok {
			return "write the whole name: " + m.Specifier + more
		}
	}
	dir := path.Dir(path.Join(path.Dir(m.Base), m.Specifier))
	files, err := filepath.Glob(filepath.Join(g.project.dir, filepath.FromSlash(dir), "*.*js"))
	if err == nil && filepath.IsLocal(filepath.FromSlash(dir)) {
		var names []string
		for _, f := range files {
			names = append(names, filepath.Base(f))
		}
		if near := nearest.Word(path.Base(m.Specifier), names); near != "" {
			return "did you mean " + strings.TrimSuffix(m.Specifier, path.Base(m.Specifier)) + near + "?"
		}
	}
	return "the name is relative to " + m.Base
}

// nodeModules are those of Node that people import without "node:".
var nodeModules = map[string]bool{"assert": true, "buffer": true, "child_process": true, "crypto": true, "events": true, "fs": true, "fs/promises": true, "http": true,
	"https": true, "net": true, "os": true, "path": true, "process": true, "stream": true, "timers": true, "url": true, "util": true, "worker_threads": true, "zlib": true}

var frame = regexp.MustCompile(`(?m)([^\s()]+):(\d+):(\d+)\)?$`)

// failed is the error of modules that do not load, at the first place that is the project's own.
func (g *graph) failed(f *quickjs.Failure) error {
	err := fault.Newf(fault.Invalid, "", "%s: %s", f.Name, f.Message)
	if strings.Contains(f.Message, "'default'") && strings.Contains(f.Message, g.main) {
		err = err.WithFix("export default component({ … }) in " + g.main)
	}
	for _, m := range frame.FindAllStringSubmatch(f.Stack, -1) {
		if g.modules[m[1]] == nil || strings.Contains(m[1], sdkName+"/") {
			continue
		}
		line, _ := strconv.Atoi(m[2])
		col, _ := strconv.Atoi(m[3])
		return err.At(g.at(m[1], line, col))
	}
	return err
}

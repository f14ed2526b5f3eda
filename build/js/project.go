package js

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"greentic.dev/greentic/fault"
	sdk "greentic.dev/sdk/js"
)

// sdkName is the npm package of the SDK.
const sdkName = "@greentic/component"

// sdkFolder is where a project has the SDK. Where it has none, it is as if ours were there.
const sdkFolder = "vendor/" + sdkName

// project is a folder with a package.json. Names of files are relative to it, with slashes.
type project struct {
	dir     string
	main    string
	backend Backend // what package.json says
}

// manifest is what we read of a package.json.
type manifest struct {
	Main    string          `json:"main"`
	Module  string          `json:"module"`
	Exports json.RawMessage `json:"exports"`

	Greentic struct {
		Engine Backend `json:"engine"`
	} `json:"greentic"`
}

func open(dir string) (*project, error) {
	p := &project{dir: dir}
	raw, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "", "there is no package.json").WithFix("greentic component new NAME --lang js makes a project")
	}
	if err != nil {
		return nil, fault.As(fault.Unavailable, "package.json", err)
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fault.As(fault.Invalid, "package.json", err)
	}
	if m.Main == "" {
		m.Main = "index.js"
	}
	p.backend = m.Greentic.Engine
	p.main = path.Clean(strings.TrimPrefix(filepath.ToSlash(m.Main), "./"))
	if !p.exists(p.main) {
		return nil, fault.Newf(fault.NotFound, "package.json", "its main module %s is not there", p.main).WithFix(`"main" names the module that has the component as its default export`)
	}
	return p, nil
}

// maxFile is how large a file of a project may be.
const maxFile = 8 << 20

// read gives a file of the project, or of the SDK.
func (p *project) read(name string) ([]byte, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fs.ErrNotExist
	}
	file := filepath.Join(p.dir, filepath.FromSlash(name))
	info, err := os.Stat(file)
	if ours, ok := strings.CutPrefix(name, sdkFolder+"/"); ok && errors.Is(err, fs.ErrNotExist) {
		return fs.ReadFile(sdk.Files, ours)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	if info.Size() > maxFile {
		return nil, fault.Newf(fault.Exhausted, name, "%d bytes, at most %d are read", info.Size(), maxFile)
	}
	return os.ReadFile(file)
}

func (p *project) exists(name string) bool {
	_, err := p.read(name)
	return err == nil || fault.Is(err, fault.Exhausted)
}

// resolve gives the file that a specifier in a module means; false when there is none.
func (p *project) resolve(base, specifier string) (string, bool) {
	if strings.HasPrefix(specifier, "./") || strings.HasPrefix(specifier, "../") {
		name := path.Join(path.Dir(base), specifier)
		return name, p.exists(name)
	}
	name, sub := packageOf(specifier)
	if name == "" {
		return "", false
	}
	roots := []string{"vendor/" + name}
	for at := path.Dir(base); ; at = path.Dir(at) {
		if path.Base(at) != "node_modules" {
			roots = append(roots, path.Join(at, "node_modules", name))
		}
		if at == "." {
			break
		}
	}
	for _, root := range roots {
		raw, err := p.read(root + "/package.json")
		if err != nil {
			continue
		}
		if file := entryOf(raw, sub); file != "" && p.exists(path.Join(root, file)) {
			return path.Join(root, file), true
		}
		return "", false
	}
	return "", false
}

// packageOf splits a bare specifier into a package and a path in it, "." for none.
func packageOf(specifier string) (name, sub string) {
	parts := strings.SplitN(specifier, "/", 3)
	n := 1
	if strings.HasPrefix(specifier, "@") {
		n = 2
	}
	if len(parts) < n || parts[0] == "" || strings.ContainsAny(specifier, ":\\") || !filepath.IsLocal(specifier) {
		return "", ""
	}
	name, sub = strings.Join(parts[:n], "/"), "."
	if rest := strings.TrimPrefix(specifier, name); rest != "" {
		sub += rest
	}
	return name, sub
}

// entryOf is the file of a package that a path in it means.
func entryOf(raw []byte, sub string) string {
	var m manifest
	if json.Unmarshal(raw, &m) != nil {
		return ""
	}
	if len(m.Exports) > 0 {
		var exports any
		if json.Unmarshal(m.Exports, &exports) != nil {
			return ""
		}
		if paths, ok := exports.(map[string]any); ok && hasPaths(paths) {
			return conditional(paths[sub])
		}
		if sub != "." {
			return ""
		}
		return conditional(exports)
	}
	switch {
	case sub != ".":
		return sub
	case m.Module != "":
		return m.Module
	case m.Main != "":
		return m.Main
	}
	return "index.js"
}

func hasPaths(m map[string]any) bool {
	for k := range m {
		return strings.HasPrefix(k, ".")
	}
	return false
}

// conditional is what conditions of exports lead to for us.
func conditional(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, condition := range []string{"greentic", "import", "module", "default"} {
			if file := conditional(v[condition]); file != "" {
				return file
			}
		}
	}
	return ""
}

package scaffold

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"greentic.dev/greentic/fault"
)

// Files that tools of this repository must not take for their own end in .tmpl here.
//
//go:embed all:templates
var templates embed.FS

// Names lists the templates whose names begin with prefix, without it, sorted.
func Names(prefix string) (names []string) {
	entries, err := templates.ReadDir("templates")
	if err != nil {
		return nil // the folder is embedded
	}
	for _, e := range entries {
		if name, ok := strings.CutPrefix(e.Name(), prefix); ok {
			names = append(names, name)
		}
	}
	return names
}

// Template is the files of a template.
func Template(name string) (fs.FS, error) {
	if name == "" || strings.ContainsAny(name, "./\\") {
		return nil, fault.Newf(fault.NotFound, "template "+name, "there is none")
	}
	from, err := fs.Sub(templates, "templates/"+name)
	if err == nil {
		_, err = fs.Stat(from, ".")
	}
	if err != nil {
		return nil, fault.Newf(fault.NotFound, "template "+name, "there is none")
	}
	return from, nil
}

// Write makes the folder dir, which must not exist, and writes the files of each source into it, of
// two with one name the later. In names and contents, but not in code (.wasm), __KEY__ becomes values["KEY"], and a name loses
// the ending .tmpl. It returns the files written, sorted. Nothing is left behind when it fails.
// Errors: fault.Exists, fault.Unavailable, fault.Internal (a source names a key that has no value).
func Write(dir string, values map[string]string, sources ...fs.FS) (written []string, err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fault.As(fault.Unavailable, "new "+dir, err)
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return nil, fault.Newf(fault.Exists, "new "+filepath.Base(dir), "%s is there already", dir).WithFix("choose another name")
	} else if err != nil {
		return nil, fault.As(fault.Unavailable, "new "+dir, err)
	}
	defer func() {
		if err != nil {
			written, err = nil, errors.Join(err, os.RemoveAll(dir))
		}
	}()
	for _, from := range sources {
		err := fs.WalkDir(from, ".", func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			return writeFile(dir, name, from, values)
		})
		if err != nil {
			return nil, fault.Wrap("new "+dir, err)
		}
	}
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			written = append(written, name)
		}
		return err
	})
	return written, fault.As(fault.Unavailable, "new "+dir, err)
}

func writeFile(dir, name string, from fs.FS, values map[string]string) error {
	content, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	to, err := filled(strings.TrimSuffix(name, ".tmpl"), values)
	if err != nil {
		return err
	}
	text := string(content)
	if path.Ext(name) != ".wasm" {
		text, err = filled(text, values)
	}
	if err != nil {
		return fault.Wrap(name, err)
	}
	to = filepath.Join(dir, filepath.FromSlash(to))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fault.As(fault.Unavailable, "new", err)
	}
	return fault.As(fault.Unavailable, "new", os.WriteFile(to, []byte(text), 0o644))
}

var placeholder = regexp.MustCompile(`__[A-Z][A-Z_]*[A-Z]__`)

// filled puts values in the place of their keys. A value is not looked into for keys.
func filled(text string, values map[string]string) (string, error) {
	missing := ""
	text = placeholder.ReplaceAllStringFunc(text, func(key string) string {
		v, ok := values[strings.Trim(key, "_")]
		if !ok {
			missing = key
		}
		return v
	})
	if missing != "" {
		return "", fault.Newf(fault.Internal, "template", "%s has no value", missing)
	}
	return text, nil
}

package build

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

//go:embed scaffold
var scaffolds embed.FS

// Templates lists what Scaffold can begin with.
func Templates() []string { return []string{"chat"} }

// Scaffold begins a pack in the folder dir, which must not exist; its last element becomes the
// pack id. It returns the files written. Errors: fault.Invalid (the name is no identifier),
// fault.Exists, fault.NotFound (no such template).
func Scaffold(dir, template string) ([]string, error) {
	name := filepath.Base(filepath.Clean(dir))
	if err := greentic.CheckID("pack id", name); err != nil {
		return nil, err
	}
	from, err := fs.Sub(scaffolds, path.Join("scaffold", template))
	if err == nil {
		_, err = fs.Stat(from, ".")
	}
	if err != nil || strings.ContainsAny(template, "./") || template == "" {
		return nil, fault.Newf(fault.NotFound, "pack new "+name, "there is no template %q", template).
			WithFix("choose one of: " + strings.Join(Templates(), ", "))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, fault.As(fault.Unavailable, "pack new "+name, err)
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return nil, fault.Newf(fault.Exists, "pack new "+name, "%s is there already", dir).WithFix("choose another name")
	} else if err != nil {
		return nil, fault.As(fault.Unavailable, "pack new "+name, err)
	}
	var written []string
	err = fs.WalkDir(from, ".", func(p string, e fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(p))
		if err != nil || p == "." {
			return err
		}
		if e.IsDir() {
			return os.Mkdir(to, 0o755)
		}
		content, err := fs.ReadFile(from, p)
		if err != nil {
			return err
		}
		written = append(written, to)
		return os.WriteFile(to, []byte(strings.ReplaceAll(string(content), "PACK_NAME", name)), 0o644)
	})
	return written, fault.As(fault.Unavailable, "pack new "+name, err)
}

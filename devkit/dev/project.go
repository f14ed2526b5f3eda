package dev

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// project is the folder of the component that a file is a source of; "" when it is of none. A project
// is a folder below the pack's that a toolchain would take for one.
func (l *Loop) project(name string) string {
	base := path.Base(name)
	if path.Ext(base) == ".wasm" || base == "component.manifest.json" { // what building writes
		return ""
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if path.Base(dir) == "dist" {
			return ""
		}
		for _, marker := range []string{"go.mod", "package.json"} {
			if slices.Contains(l.folder.Files(), path.Join(dir, marker)) {
				return dir
			}
		}
	}
	return ""
}

// sources is one source of each project in the folder.
func (l *Loop) sources() (names []string) {
	if l.options.Build == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, name := range l.folder.Files() {
		if dir := l.project(name); dir != "" && !seen[dir] {
			seen[dir] = true
			names = append(names, name)
		}
	}
	return names
}

// rebuild builds the components whose sources changed and keeps in mind which do not build.
func (l *Loop) rebuild(ctx context.Context, changed []string) (built []string) {
	for dir := range l.components { // gone, or to be built now
		if !slices.ContainsFunc(l.folder.Files(), func(name string) bool { return strings.HasPrefix(name, dir+"/") }) {
			delete(l.components, dir)
		}
	}
	if l.options.Build == nil {
		return nil
	}
	for _, name := range changed {
		dir := l.project(name)
		if dir == "" || slices.Contains(built, dir) {
			continue
		}
		built = append(built, dir)
		delete(l.components, dir)
		if err := l.options.Build(ctx, filepath.Join(l.options.Folder, filepath.FromSlash(dir))); err != nil {
			l.components[dir] = l.problem(err)
		}
	}
	return built
}

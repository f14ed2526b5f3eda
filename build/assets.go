package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
	"greentic.dev/model/pack"
)

// ownDirs keep their path in the pack beside assets/.
var ownDirs = []string{"assets", "schemas", "fixtures", "qa", "templates"}

// rootFiles are the loose files at the root that mean something to a runner; in the pack they
// lie under assets/. Other loose files are packed when pack.yaml lists them.
var rootFiles = []string{"setup.yaml", "secret-requirements.json", "secrets_requirements.json", ".secret_requirements.json"}

// addAssets packs the asset folders and what pack.yaml lists (formats digest 4.2).
func (b *builder) addAssets(ctx context.Context) error {
	for _, dir := range ownDirs {
		if err := b.addTree(ctx, dir); err != nil {
			return err
		}
	}
	for _, name := range rootFiles {
		if err := b.addFile(name); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	for i, a := range b.project.Assets {
		at := fmt.Sprintf("$.assets[%d].path", i)
		name := path.Clean(a.Path)
		if !inside(a.Path) || name == "." || path.Dir(name) == flowDir || name == packFile {
			return b.project.fail(at, "%q is no asset in this folder", a.Path)
		}
		info, err := b.root.Stat(name)
		if err == nil && info.IsDir() {
			err = b.addTree(ctx, name)
		} else {
			err = b.addFile(name)
		}
		if fault.Is(err, fault.NotFound) {
			return b.project.fail(at, "there is no asset %s", name)
		}
		if err != nil {
			return err
		}
	}
	return b.unpacked()
}

// addTree packs every file below dir but hidden ones.
func (b *builder) addTree(ctx context.Context, dir string) error {
	err := fs.WalkDir(b.root.FS(), dir, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case strings.HasPrefix(e.Name(), ".") && !slices.Contains(rootFiles, e.Name()):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			return nil
		}
		return b.addFile(name)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault.Wrap("pack build", err)
}

// addFile packs one file: loose root files under assets/, all others where they are.
func (b *builder) addFile(name string) error {
	to := name
	if path.Dir(name) == "." {
		to = path.Join("assets", name)
	}
	if _, ok := b.files[to]; ok && to == name {
		return nil
	}
	content, err := b.read(name)
	if err != nil {
		return err
	}
	b.files[to] = content
	if dir := path.Dir(to); (dir == "assets/i18n" || dir == "assets/cards") && path.Ext(to) == ".json" && !strings.HasPrefix(path.Base(to), "_") {
		return b.object(name, content)
	}
	return nil
}

// object refuses texts and cards that are no JSON object: a turn would find out too late.
func (b *builder) object(name string, content []byte) error {
	var tree map[string]any
	err := json.Unmarshal(content, &tree)
	if err == nil {
		return nil
	}
	offset := int64(0)
	if wrong := (*json.SyntaxError)(nil); errors.As(err, &wrong) {
		offset = wrong.Offset
	} else if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		return fault.Newf(fault.Invalid, "pack build "+b.shown(name), "it is a JSON %s, not an object", kind.Value).At(fault.Position{File: b.shown(name), Line: 1, Col: 1, Excerpt: excerpt(string(content), 1)})
	}
	before := string(content[:min(max(offset-1, 0), int64(len(content)))])
	line := strings.Count(before, "\n") + 1
	col := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fault.Newf(fault.Invalid, "pack build "+b.shown(name), "not JSON: %v", err).
		At(fault.Position{File: b.shown(name), Line: line, Col: col, Excerpt: excerpt(string(content), line)})
}

// unpacked tells the author which loose files stay behind.
func (b *builder) unpacked() error {
	entries, err := fs.ReadDir(b.root.FS(), ".")
	if err != nil {
		return fault.As(fault.Unavailable, "pack build", err)
	}
	for _, e := range entries {
		name := e.Name()
		about := strings.HasPrefix(name, "README") || strings.HasPrefix(name, "LICENSE")
		if e.IsDir() || about || strings.HasPrefix(name, ".") || name == packFile || path.Ext(name) == ".gtpack" || b.files[path.Join("assets", name)] != nil {
			continue
		}
		b.findings = append(b.findings, pack.Finding{
			Severity: pack.Info, Code: "PACK_FILE_NOT_PACKED", Path: name,
			Message: "the file is not packed", Hint: "list it under assets to pack it",
		})
	}
	return nil
}

// addSecrets collects the secrets of the components and of the files that list them.
func (b *builder) addSecrets(context.Context) error {
	add := func(list []component.SecretRequirement) {
		for _, s := range list {
			if !slices.ContainsFunc(b.secrets, func(have component.SecretRequirement) bool { return have.Key == s.Key }) {
				b.secrets = append(b.secrets, s)
			}
		}
	}
	for _, p := range b.parts {
		if s := p.compiled.Capabilities.Host.Secrets; s != nil {
			add(s.Required)
		}
	}
	for _, name := range rootFiles[1:] {
		content := b.files["assets/"+name]
		if content == nil {
			continue
		}
		var list []component.SecretRequirement
		if err := json.Unmarshal(content, &list); err != nil {
			return fault.As(fault.Invalid, "pack build "+name, err).(*fault.Error).WithCode("PACK_SECRET_REQUIREMENTS_INVALID")
		}
		for _, s := range list {
			if err := component.CheckSecretKey(s.Key); err != nil {
				return fault.Wrap("pack build "+name, err)
			}
		}
		add(list)
	}
	slices.SortFunc(b.secrets, func(x, y component.SecretRequirement) int { return strings.Compare(x.Key, y.Key) })
	return nil
}

package pack

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/component"
)

const assetDir = "assets/"

// Asset reads a packaged file for guests and pages: the literal path first, then with and
// without assets/, then below the doubled assets/assets/ that real packs have. Documents of the
// pack itself, its code and its flows are no assets. The error is fault.NotFound, or
// fault.Denied for a path that is absolute or climbs. Do not change the bytes.
func (a *Archive) Asset(name string) ([]byte, error) {
	e, err := a.asset(name)
	if err != nil {
		return nil, err
	}
	return e.read()
}

func (a *Archive) asset(name string) (*entry, error) {
	clean := path.Clean(name)
	if name == "" || path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(name, "\\\x00") {
		return nil, fault.Newf(fault.Denied, "asset "+printable(name), "the path leaves the pack")
	}
	for _, p := range assetPaths(clean) {
		if e := a.entries[p]; e != nil && isAsset(p) {
			return e, nil
		}
	}
	return nil, fault.Newf(fault.NotFound, "asset "+printable(name), "pack %s has no such file", a.manifest.ID)
}

// assetPaths lists where a clean path may lie, best first.
func assetPaths(p string) []string {
	rest := p
	for strings.HasPrefix(rest, assetDir) {
		rest = strings.TrimPrefix(rest, assetDir)
	}
	return []string{p, assetDir + rest, rest, assetDir + assetDir + rest}
}

// isAsset leaves out what belongs to the pack and not to its guests.
func isAsset(p string) bool {
	switch p {
	case manifestPath, "manifest.json", lockPath, lockJSONPath, sbomPath, sbomJSONPath, "pack.yaml", "provenance.json":
		return false
	}
	for _, dir := range []string{signatureDir, componentDir, "flows/"} {
		if strings.HasPrefix(p, dir) {
			return false
		}
	}
	return true
}

// Locales lists the locales the pack carries texts for, sorted.
func (a *Archive) Locales() []string {
	var out []string
	for _, name := range a.order {
		rest, ok := strings.CutPrefix(name, assetDir+"i18n/")
		locale, isJSON := strings.CutSuffix(rest, ".json")
		if ok && isJSON && !strings.Contains(locale, "/") && locale != "locales" && !strings.HasPrefix(locale, "_") {
			out = append(out, locale)
		}
	}
	slices.Sort(out)
	return out
}

// Texts returns the translations for exactly this locale, key to text; nested objects are
// joined by dots. The map is empty when the pack has none. The error is fault.Invalid.
func (a *Archive) Texts(locale string) (map[string]string, error) {
	name := assetDir + "i18n/" + locale + ".json"
	b, err := a.read(name)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			return map[string]string{}, nil
		}
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(b, &tree); err != nil {
		return nil, fault.As(fault.Invalid, "pack text "+name, err)
	}
	texts := map[string]string{}
	flatten(texts, "", tree, 0)
	return texts, nil
}

func flatten(into map[string]string, prefix string, tree map[string]any, depth int) {
	for key, v := range tree {
		switch v := v.(type) {
		case string:
			into[prefix+key] = v
		case map[string]any:
			if depth < 16 {
				flatten(into, prefix+key+".", v, depth+1)
			}
		}
	}
}

// SecretRequirements lists the secrets the pack asks for: those of the manifest, of its
// components and of the files that list them, one per key, sorted.
func (a *Archive) SecretRequirements() []component.SecretRequirement {
	byKey := map[string]component.SecretRequirement{}
	add := func(list []component.SecretRequirement) {
		for _, s := range list {
			if have, ok := byKey[s.Key]; !ok || s.Required && !have.Required {
				byKey[s.Key] = s
			}
		}
	}
	add(a.manifest.Secrets)
	for _, c := range a.components {
		if c.Manifest != nil && c.Manifest.Capabilities.Host.Secrets != nil {
			add(c.Manifest.Capabilities.Host.Secrets.Required)
		}
	}
	for _, name := range secretFiles {
		if b, err := a.read(name); err == nil {
			var list []component.SecretRequirement
			if json.Unmarshal(b, &list) == nil {
				add(list)
			}
		}
	}
	out := make([]component.SecretRequirement, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[key])
	}
	return out
}

var secretFiles = []string{assetDir + "secret-requirements.json", assetDir + ".secret_requirements.json"}

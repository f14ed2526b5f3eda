package card

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"greentic.dev/model/cbor"
)

const defaultBundle = "assets/i18n"

// Help prepares the input of a card component (formats digest 6.3): a default card named by the
// configuration (config, else input.config, else the input itself) becomes card_source and
// card_spec, a card in the pack's assets is put inline, the texts of the pack for locale and its
// fallbacks are put beside it, and the input gets a locale. file reads a file of the pack;
// locales are those the pack has texts for, nil to ask its _manifest.json. Input that is not for
// a card component comes back as it is; input itself is not changed.
func Help(input, config any, locale string, file func(string) ([]byte, bool), locales []string) any {
	in, ok := input.(map[string]any)
	if !ok && input != nil {
		return input
	}
	in = lift(in, config)
	if in["card_source"] == nil && in["card_spec"] == nil {
		return input
	}
	in = maps.Clone(in)
	if own, _ := in["locale"].(string); own != "" {
		locale = own
	} else if locale != "" {
		in["locale"] = locale
	}
	if spec, ok := in["card_spec"].(map[string]any); ok {
		spec = maps.Clone(spec)
		if putInline(in, spec, file) {
			in["card_source"] = "inline"
		}
		if _, has := spec["i18n_inline"]; !has {
			if texts := bundle(spec, locale, file, locales); len(texts) > 0 {
				spec["i18n_inline"] = texts
			}
		}
		in["card_spec"] = spec
	}
	return in
}

// lift makes the default card of a configuration the card of the input.
func lift(in map[string]any, config any) map[string]any {
	if in["card_source"] != nil || in["card_spec"] != nil {
		return in
	}
	for _, place := range []any{config, in["config"], in} {
		settings, _ := place.(map[string]any)
		asset, _ := settings["default_card_asset"].(string)
		inline := inlineCard(settings["default_card_inline"])
		source, _ := settings["default_source"].(string)
		spec := map[string]any{}
		switch {
		case asset != "" && (source != "inline" || inline == nil):
			source, spec["asset_path"] = "asset", asset
		case inline != nil:
			source, spec["inline_json"] = "inline", inline
		default:
			continue
		}
		lifted := map[string]any{"card_source": source, "card_spec": spec}
		maps.Copy(lifted, in)
		return lifted
	}
	return in
}

// inlineCard is a card given as an object or as its JSON text; nil when it is neither.
func inlineCard(v any) any {
	if text, ok := v.(string); ok {
		parsed, err := cbor.FromJSON([]byte(text))
		if err != nil {
			return nil
		}
		v = parsed
	}
	if card, ok := v.(map[string]any); ok {
		return card
	}
	return nil
}

// putInline reads the asset a spec names; false leaves it to the component.
func putInline(in, spec map[string]any, file func(string) ([]byte, bool)) bool {
	name, _ := spec["asset_path"].(string)
	source, _ := in["card_source"].(string)
	if name == "" || source != "asset" && source != "" || spec["inline_json"] != nil {
		return false
	}
	raw, ok := file(name)
	if !ok {
		return false
	}
	card, err := cbor.FromJSON(raw)
	if err != nil {
		return false
	}
	spec["inline_json"] = card
	return true
}

// bundle reads the texts for locale and its fallbacks: those are all a card can need.
func bundle(spec map[string]any, locale string, file func(string) ([]byte, bool), locales []string) map[string]any {
	dir, _ := spec["i18n_bundle_path"].(string)
	dir = strings.TrimSuffix(dir, "/")
	if path.Ext(dir) == ".json" {
		dir = path.Dir(dir)
	}
	if dir == "" {
		dir = defaultBundle
	}
	if dir != defaultBundle {
		locales = nil // those are of the default folder
	}
	if locales == nil {
		locales = listed(dir, file)
	}
	texts := map[string]any{}
	for _, want := range Fallback(locale) {
		name := want
		if i := slices.IndexFunc(locales, func(l string) bool { return strings.EqualFold(l, want) }); i >= 0 {
			name = locales[i]
		} else if locales != nil && want != "en" {
			continue
		}
		raw, ok := file(dir + "/" + name + ".json")
		if !ok {
			continue
		}
		if m, err := cbor.FromJSON(raw); err == nil {
			if m, ok := m.(map[string]any); ok && len(m) > 0 {
				texts[want] = m
			}
		}
	}
	return texts
}

// listed are the locales of a bundle's manifest; nil when it has none, then any file counts.
func listed(dir string, file func(string) ([]byte, bool)) []string {
	raw, ok := file(dir + "/_manifest.json")
	if !ok {
		return nil
	}
	var m struct {
		Locales []string `json:"locales"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m.Locales
}

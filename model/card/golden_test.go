package card_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"greentic.dev/model/card"
	"greentic.dev/model/cbor"
)

var update = flag.Bool("update", false, "write what the code does now into testdata")

// Every golden file is a case: in.json goes in, out.json comes out, the other files are the pack.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 20 {
		t.Fatalf("testdata has %d cases, want at least 20: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			pack := map[string][]byte{}
			for _, f := range archive.Files {
				pack[f.Name] = f.Data
			}
			before := bytes.Clone(pack["in.json"])
			in := decode(t, pack["in.json"])
			got := encode(t, run(t, filepath.Base(file), in.(map[string]any), pack))
			if again := encode(t, in); !bytes.Equal(again, encode(t, decode(t, before))) {
				t.Errorf("the input was changed to\n%s", again)
			}
			if *update {
				archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "out.json" })
				archive.Files = append(archive.Files, txtar.File{Name: "out.json", Data: got})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, pack["out.json"]) {
				t.Errorf("%s\ngot\n%s\nwant\n%s", archive.Comment, got, pack["out.json"])
			}
		})
	}
}

// run calls what the first word of the file name says.
func run(t *testing.T, name string, in map[string]any, pack map[string][]byte) any {
	file := func(name string) ([]byte, bool) { b, ok := pack[name]; return b, ok }
	metadata := map[string]string{}
	if m, ok := in["metadata"].(map[string]any); ok {
		for k, v := range m {
			metadata[k] = v.(string)
		}
	}
	text := func(key string) string { s, _ := in[key].(string); return s }
	verb, _, _ := strings.Cut(name, "_")
	switch verb {
	case "replies":
		return replies(in, text("route_to"))
	case "localise":
		return card.Localise(in["doc"], bundle(in, text("locale")), metadata)
	case "help":
		var locales []string
		if list, ok := in["locales"].([]any); ok {
			for _, l := range list {
				locales = append(locales, l.(string))
			}
		}
		return card.Help(in["input"], in["config"], text("locale"), file, locales)
	case "shortcut":
		open, _ := in["open"].(bool)
		payload, node, ok := card.Shortcut(metadata, open, file)
		return map[string]any{"payload": payload, "name": node, "ok": ok}
	}
	t.Fatalf("%s: nothing is called %s", name, verb)
	return nil
}

func replies(in map[string]any, routeTo string) any {
	var outputs []card.Output
	for _, o := range in["outputs"].([]any) {
		o := o.(map[string]any)
		emitted, _ := o["emitted"].(bool)
		outputs = append(outputs, card.Output{Node: o["node"].(string), Payload: o["payload"], Emitted: emitted})
	}
	list := []any{}
	for _, r := range card.Replies(outputs, routeTo) {
		item := map[string]any{"node": r.Node}
		if r.Text != "" {
			item["text"] = r.Text
		}
		if r.Card != nil {
			item["card"] = r.Card
		}
		list = append(list, item)
	}
	return list
}

// bundle looks keys up in in.texts, a map of locales, with the fallback a runner uses.
func bundle(in map[string]any, locale string) card.Texts {
	all, _ := in["texts"].(map[string]any)
	return func(key string) (string, bool) {
		for _, l := range card.Fallback(locale) {
			m, _ := all[l].(map[string]any)
			if s, ok := m[key].(string); ok {
				return s, true
			}
		}
		return "", false
	}
}

func decode(t *testing.T, b []byte) any {
	t.Helper()
	v, err := cbor.FromJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFallbackEndsInEnglishAndNamesNoFile(t *testing.T) {
	for locale, want := range map[string]string{
		"de-AT": "de-AT de en", "de_AT": "de-AT de en", "de": "de en", "en": "en", "en-GB": "en-GB en", "": "en",
		"../../x": "en", "de/../x": "en", "ZH-Hant-TW": "ZH-Hant-TW zh en", strings.Repeat("a", 99): "en",
	} {
		if got := strings.Join(card.Fallback(locale), " "); got != want {
			t.Errorf("Fallback(%q) = %q, want %q", locale, got, want)
		}
	}
}

func TestRouteToPrefersTheCardAButtonNames(t *testing.T) {
	m := map[string]string{"action": "a", "nextCardId": "n"}
	for _, step := range []struct{ key, want string }{{"", "n"}, {"toCardId", "t"}, {"routeToCardId", "r"}} {
		m = maps.Clone(m)
		if step.key != "" {
			m[step.key] = step.want
		}
		if got := card.RouteTo(m); got != step.want {
			t.Errorf("RouteTo(%v) = %q, want %q", m, got, step.want)
		}
	}
	if got := card.RouteTo(nil); got != "" {
		t.Errorf("RouteTo(nil) = %q", got)
	}
}

func TestOnlyAdaptiveCardsPassCheck(t *testing.T) {
	for doc, ok := range map[string]bool{
		`{"type":"AdaptiveCard","version":"1.6","body":[]}`: true,
		`{"type":"AdaptiveCard","version":"1.6"}`:           true,
		`{"type":"AdaptiveCard","version":1.6}`:             false,
		`{"type":"AdaptiveCard"}`:                           false,
		`{"type":"TextBlock","version":"1.6"}`:              false,
		`{"type":"AdaptiveCard","version":"1.6","body":{}}`: false,
		`[]`:   false,
		`null`: false,
	} {
		if err := card.Check(decode(t, []byte(doc))); (err == nil) != ok {
			t.Errorf("Check(%s) = %v", doc, err)
		}
	}
}

package guests_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const pack = "../pack"

func texts(t *testing.T, locale string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(pack, "assets", "i18n", locale+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// used finds the keys in the flow, the cards and the components. A key that ends with a dot is
// the beginning of keys that a component completes.
func used(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	token := regexp.MustCompile(`\{\{i18n:([\w.]+)`)
	for _, root := range []string{pack, "tickets", "triage"} {
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(file, ".wasm") || strings.HasSuffix(file, "_test.go") {
				return err
			}
			text, err := os.ReadFile(file)
			for _, m := range token.FindAllSubmatch(text, -1) {
				keys[string(m[1])] = file
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

func TestEveryTextExistsInEveryLanguageAndIsUsed(t *testing.T) {
	en, de, keys := texts(t, "en"), texts(t, "de"), used(t)
	for key, file := range keys {
		if _, ok := en[key]; !ok && !strings.HasSuffix(key, ".") {
			t.Errorf("%s: no text %q", file, key)
		}
	}
	for key := range en {
		if de[key] == "" {
			t.Errorf("de.json has no %q", key)
		}
		group := key[:strings.LastIndexByte(key, '.')+1]
		if keys[key] == "" && keys[group] == "" {
			t.Errorf("nothing uses %q", key)
		}
	}
	for key := range de {
		if en[key] == "" {
			t.Errorf("en.json has no %q", key)
		}
	}
}

func TestEveryCardIsAnAdaptiveCard(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(pack, "assets", "cards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var card struct{ Type, Version string }
		if err := json.Unmarshal(b, &card); err != nil || card.Type != "AdaptiveCard" || card.Version != "1.5" {
			t.Errorf("%s: %+v, %v", file, card, err)
		}
	}
}

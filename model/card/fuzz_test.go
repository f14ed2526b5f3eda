package card_test

import (
	"encoding/json"
	"strings"
	"testing"

	"greentic.dev/model/card"
	"greentic.dev/model/cbor"
)

func FuzzLocalise(f *testing.F) {
	f.Add("{{i18n:a.b}} ${name}", "de")
	f.Add("i18n:a", "de_AT")
	f.Add("{{{{i18n:a}}i18n:b}}${${name}}", "")
	f.Add("{{{{i18n:}}i18n:b}} {{i18n:a{b}} {{ i18n:", "fr")
	f.Fuzz(func(t *testing.T, s, locale string) {
		texts := func(key string) (string, bool) { return "text ${name} {{i18n:other}}", key == "a.b" }
		got, ok := card.Localise(s, texts, map[string]string{"name": "{{i18n:a.b}}"}).(string)
		if !ok {
			t.Fatalf("a text became %T", got)
		}
		if strings.Contains(got, "{{i18n:") {
			t.Errorf("%q became %q", s, got)
		}
		if !strings.Contains(s, "{{") && !strings.Contains(s, "$") && !strings.Contains(s, "i18n:") && got != s {
			t.Errorf("%q became %q", s, got)
		}
		list := card.Fallback(locale)
		if len(list) == 0 || list[len(list)-1] != "en" && list[0] != "en" {
			t.Errorf("Fallback(%q) = %q has no English", locale, list)
		}
		for _, l := range list {
			if strings.ContainsAny(l, "/\\. ") {
				t.Errorf("Fallback(%q) = %q could leave a folder", locale, list)
			}
		}
	})
}

func FuzzReplies(f *testing.F) {
	f.Add(`{"text":"a","card":{"type":"AdaptiveCard","version":"1.5"}}`, true)
	f.Add(`{"messages":[{"text":"a"},{"attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":"{}"}]}]}`, false)
	f.Add(`[[[["deep"]]]]`, true)
	f.Fuzz(func(t *testing.T, doc string, emitted bool) {
		v, err := cbor.FromJSON([]byte(doc))
		if err != nil {
			return
		}
		for _, r := range card.Replies([]card.Output{{Node: "n", Payload: v, Emitted: emitted}}, "") {
			if r.Text == "" && r.Card == nil {
				t.Errorf("%s gives an empty reply", doc)
			}
			if r.Node != "n" {
				t.Errorf("%s gives a reply of node %q", doc, r.Node)
			}
			if r.Card != nil && card.Check(r.Card) != nil {
				t.Errorf("%s gives a card that is none", doc)
			}
			if _, err := json.Marshal(r.Card); err != nil {
				t.Error(err)
			}
		}
		card.Help(v, nil, "de", func(string) ([]byte, bool) { return []byte(doc), true }, nil)
	})
}

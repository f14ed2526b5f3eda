package card_test

import (
	"strings"
	"testing"

	"greentic.dev/model/card"
)

func TestNoTokenIsLeftWhateverTheText(t *testing.T) {
	texts := func(key string) (string, bool) {
		text, ok := map[string]string{"hi": "Hello", "itself": "{{i18n:itself}}", "open": "{{", "broken": "see {{i18n:", "name": "${name}"}[key]
		return text, ok
	}
	for s, want := range map[string]string{
		"{{i18n:hi}}":                   "Hello",
		"{{i18n:hi}} {{i18n:hi}}":       "Hello Hello",
		"{{ i18n:hi }}":                 "Hello",
		"i18n:hi":                       "Hello",
		"{{i18n:nothing.like_this}}":    "Like this",
		"{{i18n:cards/home/sign-in}}":   "Sign in",
		"i18n:cards.home.sign_in":       "Sign in",
		"{{i18n:itself}}":               "Itself",
		"{{i18n:broken}}":               "see ",
		"{{i18n:not closed":             "not closed",
		"{{i18n:in{ner}}":               "in{ner}}",
		"{{{{i18n:}}i18n:hi}}":          "hi}}",
		"{{i18n:open}}i18n:hi}}":        "hi}}",
		"{{{{i18n:i18n:x":               "x",
		"{{i18n:name}}":                 "I am hi}}",
		"${name}":                       "I am hi}}",
		"{${brace}i18n:hi}}":            "hi}}",
		"{{other}} ${unknown} stays":    "{{other}} ${unknown} stays",
		"":                              "",
		"{{i18n:" + "größe.der_welt}}!": "Der welt!",
	} {
		got := card.Localise(s, texts, map[string]string{"name": "I am {{i18n:hi}}", "brace": "{"})
		if got != want || strings.Contains(got.(string), "{{i18n:") {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	}
}

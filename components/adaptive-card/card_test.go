package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"greentic.dev/sdk/go/greentic"
)

type object = map[string]any

func call(t *testing.T, op string, in object) object {
	t.Helper()
	out, err := component.Call(nil, op, in)
	if err != nil {
		t.Fatalf("%s %v: %v", op, in, err)
	}
	return out.(object)
}

func code(err error) string {
	var e *greentic.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func made(body ...any) object {
	return object{"type": "AdaptiveCard", "version": "1.5", "body": body}
}

func text(s string) object { return object{"type": "TextBlock", "text": s} }

func TestACardIsFilledAndTranslated(t *testing.T) {
	in := object{"card_source": "inline", "card_spec": object{
		"inline_json":     made(text("{{i18n:hello}} {{name}}"), text("{{payload.n}} of ${name}"), object{"type": "Input.Number", "id": "n", "value": "{{payload.n}}"}),
		"template_params": object{"name": "Ada"},
		"i18n_inline":     object{"en": object{"hello": "Hello"}, "de": object{"hello": "Hallo"}, "ar": object{}},
	}, "payload": object{"n": 3}, "locale": "de_CH"}
	out := call(t, "card", in)
	body := out["renderedCard"].(object)["body"].([]any)
	if body[0].(object)["text"] != "Hallo Ada" || body[1].(object)["text"] != "3 of Ada" || body[2].(object)["value"] != int64(3) {
		t.Errorf("%v", body)
	}
	if out["status"] != "ok" || out["renderedCard"].(object)["lang"] != "de-CH" || out["renderedCard"].(object)["rtl"] != nil {
		t.Errorf("%v", out)
	}
	in["locale"] = "ar-EG"
	out = call(t, "card", in)
	if c := out["renderedCard"].(object); c["rtl"] != true || c["body"].([]any)[0].(object)["text"] != "Hello Ada" {
		t.Errorf("%v", c)
	}
}

func TestACardMayBeGivenAsItIs(t *testing.T) {
	for name, in := range map[string]object{
		"as card": {"card": made(text("{{name}}")), "data": object{"name": "Ada"}},
		"as JSON": {"card_spec": object{"inline_json": `{"type":"AdaptiveCard","version":"1.5","body":[{"type":"TextBlock","text":"{{data.name}}"}]}`}, "data": object{"name": "Ada"}},
	} {
		out := call(t, "card", in)
		if got := out["renderedCard"].(object)["body"].([]any)[0].(object)["text"]; got != "Ada" {
			t.Errorf("%s: %v", name, out)
		}
	}
}

func TestLocaliseLeavesTemplatesAlone(t *testing.T) {
	out := call(t, "localise", object{"card": made(text("{{i18n:a}} {{name}}")), "card_spec": object{"i18n_inline": object{"en": object{"a": "A"}}}})
	if got := out["renderedCard"].(object)["body"].([]any)[0].(object)["text"]; got != "A {{name}}" {
		t.Error(got)
	}
}

func TestEveryFaultOfACardIsNamedWithItsPlace(t *testing.T) {
	deep := text("x")
	for range 20 {
		deep = object{"type": "Container", "items": []any{deep}}
	}
	for _, c := range []struct {
		name       string
		card       any
		code, path string
	}{
		{"no type", object{"version": "1.5"}, "not_a_card", ""},
		{"no version", object{"type": "AdaptiveCard"}, "not_a_card", ""},
		{"a body that is no list", object{"type": "AdaptiveCard", "version": "1.5", "body": object{}}, "not_a_card", ""},
		{"an element without a type", made(object{"text": "x"}), "missing_field", "/body/0/type"},
		{"an unknown element", made(text("x"), object{"type": "Marquee"}), "unknown_type", "/body/1/type"},
		{"an action among elements", made(object{"type": "Action.Submit"}), "unknown_type", "/body/0/type"},
		{"a text block without text", made(object{"type": "TextBlock"}), "missing_field", "/body/0/text"},
		{"an input without an id", made(object{"type": "Input.Text", "id": ""}), "missing_field", "/body/0/id"},
		{"an id used twice", made(object{"type": "Input.Text", "id": "a"}, object{"type": "Container", "items": []any{object{"type": "Input.Date", "id": "a"}}}), "duplicate_id", "/body/1/items/0/id"},
		{"a picture in a column", made(object{"type": "ColumnSet", "columns": []any{object{"items": []any{object{"type": "Image"}}}}}), "missing_field", "/body/0/columns/0/items/0/url"},
		{"an action without a url", object{"type": "AdaptiveCard", "version": "1.5", "actions": []any{object{"type": "Action.OpenUrl"}}}, "missing_field", "/actions/0/url"},
		{"a card in a card", object{"type": "AdaptiveCard", "version": "1.5", "actions": []any{object{"type": "Action.ShowCard", "card": object{"body": []any{object{"type": "TextBlock"}}}}}}, "missing_field", "/actions/0/card/body/0/text"},
		{"a newer element", object{"type": "AdaptiveCard", "version": "1.2", "body": []any{object{"type": "Table"}}}, "version", "/body/0/type"},
		{"items that are no list", made(object{"type": "Container", "items": "x"}), "wrong_type", "/body/0/items"},
		{"a text where an element belongs", made("hello"), "wrong_type", "/body/0"},
		{"too much", made(text(strings.Repeat("x", 29_000))), "too_large", ""},
		{"too deep", made(deep), "wrong_type", "/body/0" + strings.Repeat("/items/0", 16)},
	} {
		out := call(t, "validate", object{"card": c.card})
		issues := out["validationIssues"].([]any)
		if out["status"] != "invalid" || len(issues) != 1 || issues[0].(object)["code"] != c.code || issues[0].(object)["path"] != c.path || issues[0].(object)["message"] == "" {
			t.Errorf("%s: %v", c.name, out)
		}
	}
}

func TestAGoodCardHasFeaturesAndNoIssues(t *testing.T) {
	good := object{"type": "AdaptiveCard", "version": "1.5", "selectAction": object{"type": "Action.OpenUrl", "url": "https://example.com"},
		"body": []any{text(""), object{"type": "RichTextBlock", "inlines": []any{"plain", object{"type": "TextRun", "text": "run"}}}, object{"type": "Chart.Pie", "fallback": text("no chart")},
			object{"type": "ActionSet", "actions": []any{object{"type": "Action.Submit"}}}}}
	out := call(t, "validate", object{"card": good})
	f := out["cardFeatures"].(object)
	if out["status"] != "ok" || len(out["validationIssues"].([]any)) != 0 || !reflect.DeepEqual(f["used_actions"], []any{"Action.OpenUrl", "Action.Submit"}) || !reflect.DeepEqual(f["used_elements"], []any{"ActionSet", "AdaptiveCard", "RichTextBlock", "TextBlock"}) {
		t.Errorf("%v", out)
	}
}

func TestTheChannelsVersionIsHeld(t *testing.T) {
	in := object{"card": object{"type": "AdaptiveCard", "version": "1.5", "body": []any{object{"type": "Table"}}}, "config": object{"version": "1.3"}}
	if out := call(t, "validate", in); out["status"] != "invalid" || len(out["validationIssues"].([]any)) != 2 {
		t.Errorf("%v", out)
	}
}

func TestWhatToDoAboutAWrongCardIsConfigured(t *testing.T) {
	wrong := made(object{"type": "TextBlock"})
	if out := call(t, "card", object{"card": wrong}); out["status"] != "invalid" || out["renderedCard"] == nil {
		t.Errorf("%v", out)
	}
	if out := call(t, "card", object{"card": wrong, "config": object{"validation_mode": "off"}}); out["status"] != "ok" || out["cardFeatures"] != nil {
		t.Errorf("%v", out)
	}
	if out := call(t, "card", object{"card": wrong, "mode": "render"}); out["status"] != "ok" {
		t.Errorf("%v", out)
	}
	if out := call(t, "card", object{"card": wrong, "mode": "validate"}); out["status"] != "invalid" || out["renderedCard"] != nil {
		t.Errorf("%v", out)
	}
	_, err := component.Call(nil, "card", object{"card": wrong, "config": object{"validation_mode": "error"}})
	if code(err) != "card_invalid" || !strings.Contains(err.Error(), "/body/0/text") {
		t.Error(err)
	}
}

func TestCardsThatCannotBeReadAreRefusedByName(t *testing.T) {
	for _, c := range []struct {
		in   object
		code string
	}{
		{object{}, "invalid_input"},
		{object{"card": []any{}}, "invalid_input"},
		{object{"card": `{"type":`}, "card_unreadable"},
		{object{"card_source": "asset", "card_spec": object{"asset_path": "assets/cards/x.json"}}, "asset_missing"},
		{object{"card": made(text("{{#if x}}"))}, "template_invalid"},
		{object{"card": made(text("{{#each l}}{{#each l}}{{#each l}}x{{/each}}{{/each}}{{/each}}")), "data": object{"l": make([]any, 500)}}, "template_limit"},
	} {
		if _, err := component.Call(nil, "card", c.in); code(err) != c.code {
			t.Errorf("%v: %v", c.in, err)
		}
	}
}

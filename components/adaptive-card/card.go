package main

import (
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/card"
	"greentic.dev/model/flow/expr"
	"greentic.dev/sdk/go/greentic"
)

// spec says where a card comes from, in the words of the public component.
type spec struct {
	Inline any                       `json:"inline_json,omitempty" doc:"the card, as an object or its JSON"`
	Asset  string                    `json:"asset_path,omitempty" doc:"a card of the pack; the host puts it inline"`
	Params map[string]any            `json:"template_params,omitempty" doc:"data for the templates in the card"`
	I18n   map[string]map[string]any `json:"i18n_inline,omitempty" doc:"texts by locale and key"`
}

type cardIn struct {
	Source  string         `json:"card_source,omitempty" enum:",inline,asset,catalog"`
	Spec    spec           `json:"card_spec,omitempty"`
	Card    any            `json:"card,omitempty" doc:"the card itself, instead of card_spec"`
	Data    map[string]any `json:"data,omitempty" doc:"data for the templates in the card"`
	Payload any            `json:"payload,omitempty" doc:"a root for the templates"`
	Session any            `json:"session,omitempty" doc:"a root for the templates"`
	State   any            `json:"state,omitempty" doc:"a root for the templates"`
	Locale  string         `json:"locale,omitempty" doc:"of the user; the invocation's when empty"`
	Mode    string         `json:"mode" enum:"render,validate,renderAndValidate" default:"renderAndValidate"`
}

type cardOut struct {
	Status   string    `json:"status" doc:"ok or invalid"`
	Card     any       `json:"renderedCard,omitempty"`
	Issues   []issue   `json:"validationIssues"`
	Features *features `json:"cardFeatures,omitempty"`
}

// render is the operation of the public component.
func render(ctx *greentic.Context, in cardIn) (cardOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return cardOut{}, err
	}
	doc, err := in.open()
	if err != nil {
		return cardOut{}, err
	}
	out := cardOut{Status: "ok", Issues: []issue{}}
	if in.Mode != "validate" {
		if doc, err = in.fill(doc); err != nil {
			return cardOut{}, err
		}
		doc = in.translate(ctx, doc)
		out.Card = doc
	}
	if in.Mode == "render" || c.ValidationMode == "off" {
		return out, nil
	}
	out.inspect(doc, c.Version)
	if out.Status == "invalid" && c.ValidationMode == "error" {
		e := greentic.Fail("card_invalid", out.Issues[0].Path+": "+out.Issues[0].Message)
		e.Details = out.Issues
		return cardOut{}, e
	}
	return out, nil
}

func validate(ctx *greentic.Context, in cardIn) (cardOut, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return cardOut{}, err
	}
	doc, err := in.open()
	out := cardOut{Status: "ok", Issues: []issue{}}
	if err == nil {
		out.inspect(doc, c.Version)
	}
	return out, err
}

func localise(ctx *greentic.Context, in cardIn) (cardOut, error) {
	doc, err := in.open()
	if err != nil {
		return cardOut{}, err
	}
	return cardOut{Status: "ok", Card: in.translate(ctx, doc), Issues: []issue{}}, nil
}

// open is the card as it was given.
func (in *cardIn) open() (any, error) {
	doc := in.Card
	if doc == nil {
		doc = in.Spec.Inline
	}
	if text, ok := doc.(string); ok {
		doc = nil
		if err := greentic.DecodeJSON([]byte(text), &doc); err != nil {
			return nil, greentic.Fail("card_unreadable", "the card is no JSON: "+err.Error())
		}
	}
	if doc == nil && in.Spec.Asset != "" {
		return nil, greentic.Fail("asset_missing", "the pack has no card "+in.Spec.Asset+", or the host did not put it into the input")
	}
	if _, ok := doc.(map[string]any); !ok {
		return nil, greentic.Fail(greentic.CodeInvalidInput, "there is no card: set card, or card_spec.inline_json")
	}
	return doc, nil
}

// fill renders the templates in a card. Data and parameters are roots by name, and as data and params.
func (in *cardIn) fill(doc any) (any, error) {
	scope := expr.Scope{}
	for _, more := range []map[string]any{in.Spec.Params, in.Data} {
		for k, v := range more {
			scope[k] = v
		}
	}
	for name, v := range map[string]any{"payload": in.Payload, "session": in.Session, "state": in.State, "params": in.Spec.Params, "data": in.Data} {
		if _, ok := scope[name]; !ok {
			scope[name] = v
		}
	}
	m, err := expr.Compile(doc)
	if err == nil {
		doc, err = m.Render(scope, true)
	}
	switch {
	case fault.Is(err, fault.Exhausted):
		return nil, greentic.Fail("template_limit", err.Error())
	case err != nil:
		return nil, greentic.Fail("template_invalid", err.Error())
	}
	return doc, nil
}

// rightToLeft are the languages written so.
const rightToLeft = " ar fa he ur yi ps sd ug ckb dv "

// translate puts the user's texts in, and says which language they are in.
func (in *cardIn) translate(ctx *greentic.Context, doc any) any {
	locale := in.Locale
	if locale == "" {
		locale = ctx.Tenant.Locale
	}
	fallback := card.Fallback(locale)
	texts := func(key string) (string, bool) {
		for _, l := range fallback {
			for have, list := range in.Spec.I18n {
				if text, ok := list[key].(string); ok && strings.EqualFold(strings.ReplaceAll(have, "_", "-"), l) {
					return text, true
				}
			}
		}
		return "", false
	}
	metadata := map[string]string{}
	for _, more := range []map[string]any{in.Spec.Params, in.Data} {
		for k, v := range more {
			if s, ok := v.(string); ok {
				metadata[k] = s
			}
		}
	}
	out, ok := card.Localise(doc, texts, metadata).(map[string]any)
	if !ok || locale == "" {
		return out
	}
	if _, has := out["lang"]; !has {
		out["lang"] = fallback[0]
	}
	language, _, _ := strings.Cut(fallback[0], "-")
	if _, has := out["rtl"]; !has && strings.Contains(rightToLeft, " "+strings.ToLower(language)+" ") {
		out["rtl"] = true
	}
	return out
}

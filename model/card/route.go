package card

import (
	"maps"
	"slices"

	"greentic.dev/greentic"
	"greentic.dev/model/cbor"
)

// routing are the keys of metadata that steer and are no form fields (formats digest 6.8).
var routing = []string{"routeToCardId", "toCardId", "nextCardId", "action_id", "adaptive_card", "locale", "autoStart", "mcp_wizard", "mcp_operation"}

// RouteTo is the card or node that metadata asks for, or "".
func RouteTo(metadata map[string]string) string {
	for _, key := range []string{"routeToCardId", "toCardId", "nextCardId"} {
		if id := metadata[key]; id != "" {
			return id
		}
	}
	return ""
}

// Shortcut is the card a click asks for without running the flow (formats digest 6.8): the file
// assets/cards/X.json that RouteTo names or, when no conversation is open that could mean something
// else by it, the data field action. The form fields of the message are copied into the data of
// every Action.Submit that does not have them. The payload is {renderedCard: card}, for Replies;
// name is X. The card still holds its {{i18n:KEY}} and ${key} tokens: see Localise.
func Shortcut(metadata map[string]string, open bool, file func(string) ([]byte, bool)) (payload any, name string, ok bool) {
	names := []string{RouteTo(metadata)}
	if !open {
		names = append(names, metadata["action"])
	}
	for _, name := range names {
		if greentic.CheckID("card", name) != nil || name[0] == '.' {
			continue
		}
		raw, found := file("assets/cards/" + name + ".json")
		if !found {
			continue
		}
		doc, err := cbor.FromJSON(raw)
		if err != nil || Check(doc) != nil {
			continue
		}
		fields := map[string]any{}
		for k, v := range metadata {
			if !slices.Contains(routing, k) && k != "action" {
				fields[k] = v
			}
		}
		return map[string]any{"renderedCard": carry(doc, fields)}, name, true
	}
	return nil, "", false
}

// carry copies fields into the data of every Action.Submit; what the card sets itself stays.
func carry(doc any, fields map[string]any) any {
	if len(fields) == 0 {
		return doc
	}
	switch doc := doc.(type) {
	case []any:
		out := make([]any, len(doc))
		for i, item := range doc {
			out[i] = carry(item, fields)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(doc))
		for k, v := range doc {
			out[k] = carry(v, fields)
		}
		data, isObject := out["data"].(map[string]any)
		if doc["type"] == "Action.Submit" && (isObject || out["data"] == nil) {
			all := maps.Clone(fields)
			maps.Copy(all, data)
			out["data"] = all
		}
		return out
	}
	return doc
}

package card

import (
	"regexp"

	"greentic.dev/greentic/fault"
)

var versionForm = regexp.MustCompile(`^\d+\.\d+$`)

// Check says whether doc is an Adaptive Card a channel can be given: an object of type
// AdaptiveCard with a version, whose body and actions, if any, are lists. The error is
// fault.Invalid.
func Check(doc any) error {
	card, ok := doc.(map[string]any)
	if !ok {
		return fault.Newf(fault.Invalid, "card", "is %T, not an object", doc)
	}
	if !isCard(card) {
		return fault.Newf(fault.Invalid, "card", "type is %v, not AdaptiveCard", card["type"])
	}
	if v, ok := card["version"].(string); !ok || !versionForm.MatchString(v) {
		return fault.Newf(fault.Invalid, "card", "version %v is not of the form 1.5", card["version"]).WithFix(`add "version": "1.5"`)
	}
	for _, key := range []string{"body", "actions"} {
		if v, has := card[key]; has && v != nil {
			if _, ok := v.([]any); !ok {
				return fault.Newf(fault.Invalid, "card", "%s is %T, not a list", key, v)
			}
		}
	}
	return nil
}

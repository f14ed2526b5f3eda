package runner

import (
	"fmt"

	"greentic.dev/model/card"
)

// apologies are what a user reads when a flow fails (decisions 46): no internals, a reference.
var apologies = map[string]string{
	"en": "Something went wrong on our side. Please try again; if it happens again, mention reference %s.",
	"de": "Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal; falls es wieder geschieht, nennen Sie die Kennung %s.",
}

func apology(locale, reference string) string {
	for _, l := range card.Fallback(locale) {
		if text, ok := apologies[l]; ok {
			return fmt.Sprintf(text, reference)
		}
	}
	return fmt.Sprintf(apologies["en"], reference)
}

package card

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Texts looks up a translation by key; false when there is none.
type Texts func(key string) (string, bool)

// Fallback lists the locales to try for one, best first and each once: itself, its language,
// English. An underscore is read as a hyphen; what is no language tag, so that it could not be
// part of a file name, means English.
func Fallback(locale string) []string {
	locale = strings.ReplaceAll(strings.TrimSpace(locale), "_", "-")
	if !languageTag.MatchString(locale) {
		return []string{"en"}
	}
	language, _, _ := strings.Cut(locale, "-")
	var list []string
	for _, l := range []string{locale, strings.ToLower(language), "en"} {
		if !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	return list
}

var (
	languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,8}$`)
	wholeKey    = regexp.MustCompile(`^\s*i18n:([A-Za-z0-9_./-]+)\s*$`)
	opened      = regexp.MustCompile(`\{\{\s*i18n:`)
	token       = regexp.MustCompile(`\{\{\s*i18n:([^{}]*)\}\}|\$\{\s*([A-Za-z0-9_.-]+)\s*\}`)
)

// maxText bounds one localised string in bytes: a short text can name a long one many times.
const maxText = 1 << 20

// Localise returns a copy of a JSON-like value in the user's language: {{i18n:KEY}} anywhere in
// a string and a string that is i18n:KEY become the translation, or a readable form of the key
// when there is none, and ${key} becomes metadata[key] where it is set, also in translations
// (formats digest 6.8). What a metadata field holds is not expanded again. No {{i18n: is left,
// whatever the text: of a token that is not closed or came with metadata only the rest stays.
// Keys of objects stay.
func Localise(doc any, texts Texts, metadata map[string]string) any {
	switch doc := doc.(type) {
	case string:
		return localiseText(doc, texts, metadata)
	case []any:
		out := make([]any, len(doc))
		for i, item := range doc {
			out[i] = Localise(item, texts, metadata)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(doc))
		for k, item := range doc {
			out[k] = Localise(item, texts, metadata)
		}
		return out
	}
	return doc
}

func localiseText(s string, texts Texts, metadata map[string]string) string {
	switch m := wholeKey.FindStringSubmatch(s); {
	case m != nil:
		s = expand(translate(m[1], texts), nil, metadata)
	case strings.Contains(s, "{{") || strings.Contains(s, "${"):
		s = expand(s, texts, metadata)
	}
	for opened.MatchString(s) {
		s = opened.ReplaceAllString(s, "")
	}
	return s
}

// expand fills the tokens of s; without texts it is a translation and names no further ones.
func expand(s string, texts Texts, metadata map[string]string) string {
	var out strings.Builder
	at := 0
	for _, m := range token.FindAllStringSubmatchIndex(s, -1) {
		out.WriteString(s[at:m[0]])
		at = m[1]
		switch {
		case out.Len() > maxText:
			return out.String()
		case m[4] >= 0:
			if v, ok := metadata[s[m[4]:m[5]]]; ok {
				out.WriteString(v)
			} else {
				out.WriteString(s[m[0]:m[1]])
			}
		case texts == nil:
			out.WriteString(readable(s[m[2]:m[3]]))
		default:
			out.WriteString(expand(translate(s[m[2]:m[3]], texts), nil, metadata))
		}
	}
	out.WriteString(s[at:])
	return out.String()
}

func translate(key string, texts Texts) string {
	key = strings.TrimSpace(key)
	if texts != nil {
		if text, ok := texts(key); ok {
			return text
		}
	}
	return readable(key)
}

// readable makes words of the last segment of a key: "cards.home.sign_in" is "Sign in".
func readable(key string) string {
	key = strings.TrimSpace(key)
	last := key[strings.LastIndexAny(key, "./:")+1:]
	words := []rune(strings.Join(strings.FieldsFunc(last, func(r rune) bool { return r == '_' || r == '-' || unicode.IsSpace(r) }), " "))
	if len(words) > 0 {
		words[0] = unicode.ToUpper(words[0])
	}
	return string(words)
}

package trace

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

// forms is how guests and servers write a secret.
func forms(r *rand.Rand, secret string) map[string]string {
	percent := func(b []byte, all bool) string {
		var out strings.Builder
		for _, c := range b {
			if all || c <= ' ' || strings.IndexByte("%:/?#[]@!$&'()*+,;=\"\\<>{}|^`", c) >= 0 || c >= 0x7f {
				fmt.Fprintf(&out, []string{"%%%02x", "%%%02X"}[r.IntN(2)], c)
			} else {
				out.WriteByte(c)
			}
		}
		return out.String()
	}
	quoted, _ := json.Marshal(secret)
	user := []string{"", "u:", "me:", "bot:"}[r.IntN(4)]
	after := []string{"", ":", "::", ":x-y"}[r.IntN(4)]
	return map[string]string{
		"as it is": secret, "JSON": string(quoted[1 : len(quoted)-1]), "JSON without HTML": inJSON(secret, false),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "percent": percent([]byte(secret), false), "percent, all": percent([]byte(secret), true),
		"hexadecimal": hex.EncodeToString([]byte(secret)), "HEXADECIMAL": strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"base64":     base64.StdEncoding.EncodeToString([]byte(user + secret + after)),
		"base64 URL": base64.RawURLEncoding.EncodeToString([]byte(user + secret + after)),
	}
}

// reveals says in which form, if any, text has the secret: it undoes encodings where Conceal looks
// for encoded forms, so that the two do not share a mistake.
func reveals(text, secret string) string {
	if strings.Contains(text, secret) {
		return "as it is"
	}
	if plain, _ := undoPercent(text); strings.Contains(plain, secret) || strings.Contains(strings.ReplaceAll(plain, "+", " "), secret) {
		return "percent"
	}
	words := strings.FieldsFunc(text, func(c rune) bool { return c > 127 || !isBase64(byte(c)) })
	for _, w := range words {
		for skip := range min(4, len(w)) {
			for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				for end := len(w); end > max(len(w)-2, skip); end-- {
					if b, err := enc.DecodeString(w[skip:end]); err == nil && strings.Contains(string(b), secret) {
						return "base64"
					}
				}
			}
		}
		for skip := range min(2, len(w)) {
			even := w[skip:]
			if b, err := hex.DecodeString(even[:len(even)/2*2]); err == nil && strings.Contains(string(b), secret) {
				return "hexadecimal"
			}
		}
	}
	var unquoted string
	if json.Unmarshal([]byte(`"`+text+`"`), &unquoted) == nil && strings.Contains(unquoted, secret) {
		return "JSON"
	}
	return ""
}

func randomSecret(r *rand.Rand) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/+-_.~%& \"\\<>'=ü"
	runes := []rune(letters)
	var b strings.Builder
	for range 8 + r.IntN(40) {
		b.WriteRune(runes[r.IntN(len(runes))])
	}
	return "q" + b.String() + "z" // without spaces at its ends
}

// TestConcealFindsEveryForm: random secrets in random forms between random texts.
func TestConcealFindsEveryForm(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 6))
	for range 400 {
		one, two := randomSecret(r), randomSecret(r)
		list := append(NeedlesOf("ONE", one), NeedlesOf("TWO", two)...)
		for name, form := range forms(r, one) {
			other := forms(r, two)["path"]
			text := fmt.Sprintf("https://a.example/%s?x=%s&y=%s.", form, other, form)
			got := list.Conceal(text)
			if how := reveals(got, one) + reveals(got, two); how != "" {
				t.Fatalf("%s of %q is left as %s in %s, made of %s", name, one, how, got, text)
			}
			if !strings.HasPrefix(got, "https://a.example/") || !strings.HasSuffix(got, ".") || !strings.Contains(got, "?x={secret:TWO}&y=") || !Fits(got, text) {
				t.Fatalf("%s: %s became %s", name, text, got)
			}
		}
	}
}

// TestConcealIsQuick: many occurrences, which a guest can make, do not make it slow.
func TestConcealIsQuick(t *testing.T) {
	for _, unit := range []string{"abcd", "%61bcd", "YWJjZA=="} {
		got := NeedlesOf("K", "abcd").Conceal(strings.Repeat(unit+" ", 200_000))
		if strings.Count(got, "{secret:K}") != 200_000 && len(unit)*200_000 <= maxDecoded {
			t.Errorf("%s: %d marks", unit, strings.Count(got, "{secret:K}"))
		}
	}
}

func TestURLsLoseTheirUser(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.b/c": "https://a.b/c", "https://u:p@a.b/c@d": "https://a.b/c@d", "https://u:p@q@a.b": "https://a.b",
		"https://u:p@a.b?x=@": "https://a.b?x=@", "nonsense": "nonsense", "http://u:%zz@h:99999/": "http://h:99999/", `http://u:p@h\@x`: `http://h\@x`,
	} {
		if got := WithoutUser(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestMarksFitAnything(t *testing.T) {
	for _, c := range []struct {
		recorded, text string
		want           bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a{secret:K}b", "axyzb", true}, {"a{secret:K}b", "ab", true}, {"a{secret:K}b", "axyz", false},
		{"a{secret:K}b{secret:K}c", "a1b2c", true}, {"a{secret:K}b{secret:K}c", "a1c", false}, {"{secret:K}", "", true}, {"{secret:K", "{secret:K", true},
		{"{secret:K", "x", false}, {"x{secret:K}x", "x", false},
	} {
		if Fits(c.recorded, c.text) != c.want {
			t.Errorf("%q and %q", c.recorded, c.text)
		}
	}
}

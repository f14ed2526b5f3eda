package trace

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Mark stands for the value of a secret in a trace.
func Mark(key string) string { return markStart + key + markEnd }

const (
	markStart = "{secret:"
	markEnd   = "}"
)

// needle is one form of a secret that is searched for.
type needle struct {
	text, mark string
	percent    bool // any character of the text may be percent-encoded
	base64     bool // what follows it in a base64 word goes with it
	shared     bool // the character before it holds bits of it
}

// Needles are forms of secrets that are searched for.
type Needles []needle

// NeedlesOf are the forms a secret value is recognised in: as it is, within JSON, percent-encoded in
// any manner (as a whole or in part), as hexadecimal digits, and in base64 of either alphabet at
// each of the three places a byte can have.
func NeedlesOf(key, value string) Needles {
	mark := Mark(key)
	list := append(make(Needles, 0, 8), needle{text: value, mark: mark, percent: true})
	add := func(n needle) {
		for _, has := range list {
			if has.text == n.text {
				return
			}
		}
		n.mark = mark
		list = append(list, n)
	}
	if strings.IndexByte(value, ' ') >= 0 {
		add(needle{text: strings.ReplaceAll(value, " ", "+"), percent: true})
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' || strings.ContainsRune(`"\\<>&`, c) }) {
		for _, html := range []bool{false, true} {
			add(needle{text: inJSON(value, html), percent: true})
		}
	}
	digits := hex.EncodeToString([]byte(value))
	add(needle{text: digits})
	add(needle{text: strings.ToUpper(digits)})
	padded := append(make([]byte, 2, len(value)+2), value...)
	for before := range 3 {
		text := base64.RawStdEncoding.EncodeToString(padded[2-before:])
		// whole characters of the value only: the ones at its ends hold bits of its neighbours
		from, to := (before*8+5)/6, (before+len(value))*8/6
		if text = text[from:to]; len(text) < 5 {
			continue
		}
		add(needle{text: text, base64: true, shared: before > 0})
		if strings.ContainsAny(text, "+/") {
			add(needle{text: strings.NewReplacer("+", "-", "/", "_").Replace(text), base64: true, shared: before > 0})
		}
	}
	return list
}

// inJSON is value as it is within a JSON text.
func inJSON(value string, html bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(html)
	_ = e.Encode(value) // neither a text nor a builder fails
	return strings.TrimSuffix(b.String()[1:], "\"\n")
}

// Conceal replaces every needle in s by its mark, leftmost first, and never looks into what it put there.
func (list Needles) Conceal(s string) string {
	search := searches(s, list)
	if len(search) == 0 {
		return s
	}
	var out strings.Builder
	for at := 0; ; {
		var best *searching
		for i := range search {
			n := &search[i]
			n.advance(at)
			if n.from >= 0 && (best == nil || max(n.from, at) < best.from || max(n.from, at) == best.from && n.to > best.to) {
				best = n
				best.from = max(n.from, at)
			}
		}
		if best == nil {
			out.WriteString(s[at:])
			return out.String()
		}
		out.WriteString(s[at:best.from])
		out.WriteString(best.mark)
		at = best.to
	}
}

// maxDecoded is the length up to which a text is searched with its percent-encodings undone.
const maxDecoded = 1 << 20

// searches are the needles that are in s at all.
func searches(s string, list Needles) (found []searching) {
	plain, at := "", []int32(nil)
	if len(s) <= maxDecoded && strings.IndexByte(s, '%') >= 0 {
		plain, at = undoPercent(s)
	}
	for i := range list {
		n := &list[i]
		if len(n.text) <= len(s) && strings.Contains(s, n.text) {
			found = append(found, searching{needle: n, hay: s})
		}
		if at != nil && n.percent && strings.Contains(plain, n.text) {
			found = append(found, searching{needle: n, hay: plain, at: at})
		}
	}
	for i := range found {
		found[i].look(0)
	}
	return found
}

// searching is the search for one needle in a text, or in the text with its percent-encodings undone.
type searching struct {
	*needle
	hay      string
	at       []int32 // where each byte of hay, and its end, is in the text; nil: at the same place
	next     int     // in hay: where to look on
	from, to int     // in the text: the match; -1: there is none left
}

// advance makes the match one that ends after at; it may begin before.
func (w *searching) advance(at int) {
	for w.from >= 0 && w.to <= at {
		w.look(w.next)
	}
}

func (w *searching) look(start int) {
	i := strings.Index(w.hay[start:], w.text)
	if i < 0 {
		w.from = -1
		return
	}
	w.from = start + i
	w.to = w.from + len(w.text)
	w.next = w.to
	switch {
	case w.at != nil:
		w.from, w.to = int(w.at[w.from]), int(w.at[w.to])
	case w.base64:
		if w.shared && w.from > 0 && isBase64(w.hay[w.from-1]) {
			w.from--
		}
		for w.to < len(w.hay) && (isBase64(w.hay[w.to]) || w.hay[w.to] == '=') {
			w.to++
		}
		w.next = w.to
	}
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '-' || c == '_'
}

// undoPercent is s without percent-encodings, and where each of its bytes, and its end, is in s.
func undoPercent(s string) (string, []int32) {
	plain, at := make([]byte, 0, len(s)), make([]int32, 0, len(s)+1)
	for i := 0; i < len(s); i++ {
		at = append(at, int32(i))
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if b, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				c, i = b[0], i+2
			}
		}
		plain = append(plain, c)
	}
	return string(plain), append(at, int32(len(s)))
}

// Fits says whether text is recorded, with anything where recorded has the mark of a secret.
func Fits(recorded, text string) bool {
	head, rest, marked := cutMark(recorded)
	if !marked {
		return recorded == text
	}
	if !strings.HasPrefix(text, head) {
		return false
	}
	text = text[len(head):]
	for {
		part, next, more := cutMark(rest)
		if !more {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], next
	}
}

func cutMark(s string) (before, after string, found bool) {
	i := strings.Index(s, markStart)
	if i < 0 {
		return s, "", false
	}
	j := strings.Index(s[i:], markEnd)
	if j < 0 {
		return s, "", false
	}
	return s[:i], s[i+j+len(markEnd):], true
}

package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"greentic.dev/components/chat"
	"greentic.dev/sdk/go/greentic"
)

const (
	maxText  = 16 << 10 // bytes of a message looked at
	maxRules = 500
)

func route(ctx *greentic.Context, in routeIn) (decision, error) {
	var c config
	if err := ctx.Config(&c); err != nil {
		return decision{}, err
	}
	if in.Rules != nil {
		c.Rules = in.Rules
	}
	if len(c.Rules) == 0 {
		return decision{}, greentic.Fail("no_rules", "there is no rule: set rules in the input or the configuration")
	}
	if len(c.Rules) > maxRules {
		return decision{}, greentic.Fail("invalid_rule", "there are more than "+strconv.Itoa(maxRules)+" rules")
	}
	if len(in.Text) > maxText {
		in.Text = strings.ToValidUTF8(in.Text[:maxText], "")
	}
	d, err := c.decide(in.Text)
	if err != nil || d.By != "default" || c.LLM == nil || strings.TrimSpace(in.Text) == "" {
		return d, err
	}
	client := chat.Client{Do: ctx.HTTP().Do, Secret: ctx.Secret, Endpoints: []chat.Endpoint{*c.LLM}, Repairs: 1}
	return c.ask(client, in.Text, d), nil
}

// decide goes by the rules alone: the first whose words or pattern fit, or else the example that is most
// like the text.
func (c *config) decide(text string) (decision, error) {
	words := tokens(text)
	said := " " + strings.Join(words, " ") + " "
	best := decision{Status: c.Default, Intent: c.Default, By: "default"}
	var open []int // rules that nothing forbids
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.Keywords == nil && r.All == nil && r.Patterns == nil && r.Examples == nil && r.Description == "" {
			return best, greentic.Fail("invalid_rule", "rule "+strconv.Itoa(i)+", "+r.Intent+": it has no keywords, all, patterns, examples or description")
		}
		if _, forbidden := anyOf(said, r.None); forbidden {
			continue
		}
		open = append(open, i)
		matched, ok := anyOf(said, r.Keywords)
		if !ok && len(r.All) > 0 && allOf(said, r.All) {
			matched, ok = strings.Join(r.All, ", "), true
		}
		if ok {
			return decision{Status: r.Intent, Intent: r.Intent, By: "keyword", Score: 1, Matched: matched}, nil
		}
		d, ok, err := r.pattern(text)
		if err != nil || ok {
			return d, err
		}
	}
	mine := grams(words)
	for _, i := range open {
		for _, example := range c.Rules[i].Examples {
			if s := similar(mine, grams(tokens(example))); s > best.Score && s >= c.Threshold {
				best = decision{Status: c.Rules[i].Intent, Intent: c.Rules[i].Intent, By: "example", Score: s, Matched: example}
			}
		}
	}
	return best, nil
}

// pattern tries the patterns of a rule.
func (r *rule) pattern(text string) (decision, bool, error) {
	for _, p := range r.Patterns {
		re, err := regexp.Compile(p)
		if err != nil {
			return decision{}, false, greentic.Fail("invalid_rule", "rule "+r.Intent+": the pattern "+strconv.Quote(p)+" is none: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		m := re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		d := decision{Status: r.Intent, Intent: r.Intent, By: "pattern", Score: 1, Matched: p}
		for i, name := range re.SubexpNames() {
			if name != "" && m[i] != "" {
				if d.Entities == nil {
					d.Entities = map[string]string{}
				}
				d.Entities[name] = m[i]
			}
		}
		return d, true, nil
	}
	return decision{}, false, nil
}

// tokens are the words of a text in lower case, without punctuation.
func tokens(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) })
}

// anyOf finds the first phrase that was said. A phrase is whole words; one that ends with * begins a word.
func anyOf(said string, phrases []string) (string, bool) {
	for _, p := range phrases {
		if has(said, p) {
			return p, true
		}
	}
	return "", false
}

func allOf(said string, phrases []string) bool {
	for _, p := range phrases {
		if !has(said, p) {
			return false
		}
	}
	return true
}

func has(said, phrase string) bool {
	stem, open := strings.CutSuffix(phrase, "*")
	words := strings.Join(tokens(stem), " ")
	if words == "" {
		return false
	}
	if open {
		return strings.Contains(said, " "+words)
	}
	return strings.Contains(said, " "+words+" ")
}

// grams counts the words of a text, and threes of letters of each, so that a word in another form still
// counts for something.
func grams(words []string) map[string]float64 {
	counts := map[string]float64{}
	for _, w := range words {
		counts["="+w]++
		letters := []rune(" " + w + " ")
		for i := 0; i+3 <= len(letters); i++ {
			counts[string(letters[i:i+3])] += 0.3
		}
	}
	return counts
}

// similar is how much two texts have in common: 0 for nothing, 1 for the same words (Dice).
func similar(a, b map[string]float64) float64 {
	var both, all float64
	for g, n := range a {
		both += min(n, b[g])
		all += n
	}
	for _, n := range b {
		all += n
	}
	if all == 0 {
		return 0
	}
	return float64(int(2*both/all*1000+0.5)) / 1000
}

package runner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/backing/record"
	"greentic.dev/greentic"
)

// compare says where the turn first differs from its record; nil: nowhere.
func (t *turn) compare() *Difference {
	rec := t.replay.recorded
	d := &Difference{Turn: rec.ID, Seq: rec.Seq}
	for i := range max(len(rec.Steps), len(t.trail)) {
		d.Step = i
		switch {
		case i >= len(t.trail):
			d.Node, d.What, d.Recorded, d.Now = rec.Steps[i].Node, "step", title(rec.Steps[i]), "the turn has ended"
			return d
		case i >= len(rec.Steps):
			d.Node, d.What, d.Recorded, d.Now, d.Reason = t.trail[i].Node, "step", "the turn had ended", title(t.trail[i]), t.trail[i].Reason
			return d
		}
		d.Node, d.Reason = t.trail[i].Node, t.trail[i].Reason
		if d.given(rec.Steps[i], t.trail[i]) {
			return d
		}
		if t.replay.call != nil && t.replay.callStep == i {
			d.What, d.Call, d.Recorded, d.Now = "host_call", t.replay.call, t.replay.call.Recorded, t.replay.call.Asked
			return d
		}
		if d.differ("output", rec.Steps[i].Output, t.trail[i].Output) || d.differ("failure", rec.Steps[i].Fail, t.trail[i].Fail) {
			return d
		}
	}
	d.Step, d.Node, d.Reason = len(rec.Steps), "", record.Reason{}
	if rec.Status != t.status {
		d.What, d.Recorded, d.Now = "status", rec.Status, t.status
		return d
	}
	if d.differ("replies", encode(rec.Replies), encode(t.replies)) || d.differ("events", encode(rec.Events), encode(t.events)) {
		return d
	}
	return nil
}

// given compares what two steps are and were given, and fills in what differs.
func (d *Difference) given(was, is record.Step) bool {
	if was.Node != is.Node || was.Do != is.Do || was.Component != is.Component || was.Operation != is.Operation || was.Attempt != is.Attempt {
		d.What, d.Recorded, d.Now = "step", title(was), title(is)
		return true
	}
	return d.differ("input", was.Input, is.Input) || d.differ("config", was.Config, is.Config)
}

// title is a step in a few words.
func title(s record.Step) string {
	words := []string{s.Do, s.Node}
	if s.Component != "" {
		words = append(words, "("+strings.Trim(s.Component+" "+s.Operation, " ")+")")
	}
	if s.Attempt > 1 {
		words = append(words, fmt.Sprintf("attempt %d", s.Attempt))
	}
	return strings.Join(words, " ")
}

// differ compares two JSON values, of which a large one may be recorded as a digest.
func (d *Difference) differ(what string, was, is json.RawMessage) bool {
	if bytes.Equal(was, is) {
		return false
	}
	var a, b any
	if len(was) > 0 && json.Unmarshal(was, &a) != nil || len(is) > 0 && json.Unmarshal(is, &b) != nil {
		return false
	}
	if sum := digestIn(a); sum != "" && digestIn(b) == "" && sum == string(greentic.DigestOf(is)) {
		return false
	}
	path, old, now, found := firstDifference("", a, b)
	if !found {
		return false
	}
	d.What, d.Path, d.Recorded, d.Now = what, path, short(old), short(now)
	return true
}

// digestIn is the digest that stands for a large value, or empty.
func digestIn(v any) string {
	m, _ := v.(map[string]any)
	sum, _ := m["digest"].(string)
	if len(m) == 2 && m["bytes"] != nil {
		return sum
	}
	return ""
}

// firstDifference finds the first place, in the order of keys, where two JSON values differ.
func firstDifference(path string, a, b any) (at string, was, is any, found bool) {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			break
		}
		keys := map[string]bool{}
		for k := range x {
			keys[k] = true
		}
		for k := range y {
			keys[k] = true
		}
		for _, k := range sorted(keys) {
			if at, was, is, found := firstDifference(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), x[k], y[k]); found {
				return at, was, is, true
			}
		}
		return "", nil, nil, false
	case []any:
		y, ok := b.([]any)
		if !ok {
			break
		}
		for i := range max(len(x), len(y)) {
			var e, f any
			if i < len(x) {
				e = x[i]
			}
			if i < len(y) {
				f = y[i]
			}
			if at, was, is, found := firstDifference(path+"/"+strconv.Itoa(i), e, f); found {
				return at, was, is, true
			}
		}
		return "", nil, nil, false
	}
	return path, a, b, !reflect.DeepEqual(a, b)
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// short is a JSON value as people read it, cut when it is long.
func short(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(raw) > 400 {
		return strings.ToValidUTF8(string(raw[:400]), "") + "…"
	}
	return string(raw)
}

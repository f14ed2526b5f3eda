package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/model/trace"
)

// Difference is where a turn that was run again first went another way.
type Difference struct {
	Turn     string            `json:"turn"`
	Seq      uint64            `json:"seq"`
	Step     int               `json:"step"` // index in the record, from 0; the number of steps when the end differs
	Node     string            `json:"node,omitempty"`
	What     string            `json:"what"`           // "step", "input", "config", "output", "failure", "host_call", "status", "replies", "events" or "flow"
	Path     string            `json:"path,omitempty"` // where in it, as a JSON Pointer
	Recorded string            `json:"recorded"`
	Now      string            `json:"now"`
	Call     *trace.Divergence `json:"call,omitempty"` // with host_call
	Reason   Reason            `json:"reason"`         // why the flow is at this step now, with file and line
}

// Compare says where a turn that was run again first differs from its record; nil: nowhere. Times
// and reasons do not count. call, if it is not nil, is where the component of step callStep asked the
// host for something else.
func Compare(was, is Turn, call *trace.Divergence, callStep int) *Difference {
	d := &Difference{Turn: was.ID, Seq: was.Seq}
	for i := range max(len(was.Steps), len(is.Steps)) {
		d.Step = i
		switch {
		case i >= len(is.Steps):
			d.Node, d.What, d.Recorded, d.Now = was.Steps[i].Node, "step", title(was.Steps[i]), "the turn has ended"
			return d
		case i >= len(was.Steps):
			d.Node, d.What, d.Recorded, d.Now, d.Reason = is.Steps[i].Node, "step", "the turn had ended", title(is.Steps[i]), is.Steps[i].Reason
			return d
		}
		d.Node, d.Reason = is.Steps[i].Node, is.Steps[i].Reason
		if d.given(was.Steps[i], is.Steps[i]) {
			return d
		}
		if call != nil && callStep == i {
			d.What, d.Call, d.Recorded, d.Now = "host_call", call, call.Recorded, call.Asked
			return d
		}
		if d.differ("output", was.Steps[i].Output, is.Steps[i].Output) || d.differ("failure", was.Steps[i].Fail, is.Steps[i].Fail) {
			return d
		}
	}
	d.Step, d.Node, d.Reason = len(was.Steps), "", Reason{}
	if was.Status != is.Status {
		d.What, d.Recorded, d.Now = "status", was.Status, is.Status
		return d
	}
	if d.differ("replies", encode(was.Replies), encode(is.Replies)) || d.differ("events", encode(was.Events), encode(is.Events)) {
		return d
	}
	return nil
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil // what came out of JSON goes into it
	}
	return raw
}

// given compares what two steps are and were given, and fills in what differs.
func (d *Difference) given(was, is Step) bool {
	if was.Node != is.Node || was.Do != is.Do || was.Flow != is.Flow || was.Branch != is.Branch || was.Component != is.Component || was.Operation != is.Operation || was.Attempt != is.Attempt {
		d.What, d.Recorded, d.Now = "step", title(was), title(is)
		return true
	}
	return d.differ("input", was.Input, is.Input) || d.differ("config", was.Config, is.Config)
}

// title is a step in a few words.
func title(s Step) string {
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

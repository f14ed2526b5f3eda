package oracle

import (
	"regexp"
	"slices"
	"strings"
)

// deviation is one way in which a peer is known to leave the specification (CanonicalABI.md).
// It explains a difference only when both saw the same up to the trap that one of them has.
type deviation struct {
	peer, name, section string
	missed              string // in our trap; the peer goes on
	extra               string // in the trap of the peer; we go on
	spoiled             bool   // only where the memory of the guest was
	between             bool   // only where guests call each other
	drops               bool   // the peer may destroy what it should not before it traps
}

// deviations is the table. Where Wasmtime runs beside jco it has to agree with us in the same
// cases, so that no entry can hide a fault of ours.
func deviations() []deviation {
	return []deviation{
		{peer: "jco", name: "traps on a bool other than 0 and 1", section: "convert_int_to_bool: any other is true",
			extra: "invalid variant discriminant for bool", spoiled: true},
		{peer: "jco", name: "traps on undefined flag bits", section: "unpack_flags_from_int: they are ignored",
			extra: "flags have extraneous bits set", spoiled: true},
		{peer: "jco", name: "traps on integers wider than their type", section: "lift_flat_unsigned, lift_flat_signed: the low bits count",
			extra: "must be between"},
		{peer: "jco", name: "does not check alignment", section: "load_list_from_range, load_string_from_range, lift_flat_values: trap_if(ptr != align_to(ptr, …))",
			missed: "is not aligned to"},
		{peer: "jco", name: "checks bounds of what it reads only", section: "lift_flat_values, load_list_from_range: trap_if(ptr + … > len(memory))",
			missed: "are outside the memory"},
		{peer: "jco", name: "has no longest list or string", section: "load_list_from_range, load_string_from_range: trap_if(… > MAX_…_BYTE_LENGTH)",
			missed: "is longer than"},
		{peer: "jco", name: "replaces what is no UTF-8", section: "load_string_from_range: decode errors trap",
			missed: "is not valid UTF-8"},
		{peer: "jco", name: "replaces what is no UTF-16", section: "load_string_from_range: decode errors trap",
			missed: "is not valid UTF-16"},
		{peer: "jco", name: "lifts handles that do not exist", section: "lift_own, lift_borrow: trap_if(not isinstance(h, ResourceHandle))",
			missed: "does not exist"},
		{peer: "jco", name: "gives away what is borrowed", section: "lift_own: trap_if(not h.own)",
			missed: "is borrowed and cannot be given away"},
		{peer: "jco", name: "gives away what is lent", section: "lift_own: trap_if(h.num_lends != 0)",
			missed: "is lent to a call that has not returned"},
		{peer: "jco", name: "forgets borrows that were not dropped", section: "Task.return_: trap_if(self.num_borrows > 0)",
			missed: "were not dropped before the call returned"},
		{peer: "jco", name: "lets post-return call out", section: "canon_lift: inst.may_leave = False",
			missed: "cannot leave the component instance"},
		{peer: "jco", name: "lets an enum of n cases be n between guests", section: "load_variant: trap_if(case_index >= len(cases))",
			missed: "is out of range, there are", between: true},
		{peer: "jco", name: "loses a borrow on its way between guests", section: "lower_borrow: a handle in the table of the callee",
			extra: "Invalid handle", drops: true, between: true},
		{peer: "wasmtime", name: "fails where a host function borrows two owned handles", section: "lift_borrow: h.num_lends += 1",
			extra: "BUG: deferred host scope has no call context"},
	}
}

// KnownDeviation names the deviation from the specification that explains why a peer saw
// theirs where we saw ours; "" when none does.
func KnownDeviation(peer string, w *World, c *Case, ours, theirs *Outcome) string {
	for _, d := range deviations() {
		if d.peer == peer && d.explains(w, c, ours, theirs) {
			return d.name
		}
	}
	switch {
	case peer != "jco":
	case Same(ours.rewritten("\"\ufeff", "\""), theirs):
		return "drops a byte order mark that begins a string" // load_string_from_range keeps it
	case len(c.Mutation) > 0 && Same(ours.abridged(aFloat), theirs.abridged(aFloat)):
		return "rounds a f32 in the low half of an i64 with bits above it" // CoerceValueIter: wrap_i64_to_i32
	case w.wideEnum() && (theirs.Trap && strings.Contains(theirs.Reason, "unreachable") && begins(ours, theirs) ||
		Same(ours.abridged(anEnum), theirs.abridged(anEnum))):
		return "takes two bytes for an enum of 256 cases between guests" // discriminant_type: one
	}
	return ""
}

func (d deviation) explains(w *World, c *Case, ours, theirs *Outcome) bool {
	if d.spoiled && len(c.Mutation) == 0 || d.between && len(w.Encodings) == 1 {
		return false
	}
	if d.drops {
		theirs = theirs.withoutDrops()
	}
	if d.peer == "jco" {
		ours, theirs = ours.rewritten("\"\ufeff", "\""), theirs.rewritten("\"\ufeff", "\"")
		if w.wideEnum() {
			ours, theirs = ours.abridged(anEnum), theirs.abridged(anEnum)
		}
	}
	if d.missed != "" {
		return ours.Trap && strings.Contains(ours.Reason, d.missed) && theirs.Fault == "" && begins(theirs, ours)
	}
	return theirs.Trap && strings.Contains(theirs.Reason, d.extra) && ours.Fault == "" && begins(ours, theirs)
}

// begins reports whether a begins with the host calls of b.
func begins(a, b *Outcome) bool {
	n := len(b.Calls)
	return len(a.Calls) >= n && Same(&Outcome{Calls: a.Calls[:n]}, &Outcome{Calls: b.Calls})
}

// rewritten is o with a text of its JSON form replaced.
func (o *Outcome) rewritten(from, to string) *Outcome {
	var out Outcome
	if err := decode([]byte(strings.ReplaceAll(jsonOf(o), from, to)), &out); err != nil {
		return o
	}
	return &out
}

const (
	aFloat = `"[0-9a-f]{8}"`
	anEnum = `"(the-)?kind[0-9]+"`
)

// abridged is o with the texts of its JSON form that match pattern made equal.
func (o *Outcome) abridged(pattern string) *Outcome {
	var out Outcome
	if err := decode(regexp.MustCompile(pattern).ReplaceAll([]byte(jsonOf(o)), []byte(`"any"`)), &out); err != nil {
		return o
	}
	return &out
}

func (o *Outcome) withoutDrops() *Outcome {
	out := *o
	out.Calls = nil
	for _, c := range o.Calls {
		if !strings.HasPrefix(c.Name, "[drop]") {
			out.Calls = append(out.Calls, c)
		}
	}
	return &out
}

// wideEnum reports whether guests of w hand each other an enum of 256 cases.
func (w *World) wideEnum() bool {
	found := func(t *Type) bool { return t.Kind == "enum" && len(t.Names) == 256 }
	in := func(f *Func) bool {
		return slices.ContainsFunc(append([]*Type{f.Result}, f.Params...), func(t *Type) bool { return t.has(found) })
	}
	return len(w.Encodings) > 1 && (slices.ContainsFunc(w.Imports, func(i Import) bool { return in(i.Type) }) ||
		slices.ContainsFunc(w.Cases, func(c *Case) bool { return in(c.Type) }))
}

// KnownRefusal names what a peer is known not to implement; "" for any other reason.
func KnownRefusal(peer, reason string) string {
	if peer != "jco" {
		return ""
	}
	for text, name := range map[string]string{
		"matches!(self.encoding, StringEncoding::UTF8 | StringEncoding::UTF16)": "latin1+utf16 between guest and host",
		"not implemented: utf16 copier":                                         "UTF-16 between guests",
		"not implemented: utf8 copier":                                          "UTF-8 between guests",
		"transcoder":                                                            "transcoding between guests",
	} {
		if strings.Contains(reason, "panicked at crates/js-component-bindgen/") && strings.Contains(reason, text) {
			return name
		}
	}
	return ""
}

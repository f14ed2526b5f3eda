package trace

import (
	"fmt"
	"slices"
	"strings"
)

// The kinds of a Divergence.
const (
	Changed     = "changed"      // another call, or other arguments, than recorded at this place
	Extra       = "extra"        // a call after the last that is recorded
	Missing     = "missing"      // the guest ended before it made the call
	NotRecorded = "not_recorded" // what the call answered is not in the trace: a digest only, or cut off
)

// Divergence is the first difference between a trace and its replay.
type Divergence struct {
	Kind     string `json:"kind"`
	Index    int    `json:"index"`              // in Trace.Calls
	Field    string `json:"field,omitempty"`    // of a changed call: "import", "method", "url", "header X", "body", …
	Recorded string `json:"recorded,omitempty"` // what the trace says, shortened
	Asked    string `json:"asked,omitempty"`    // what the guest did, shortened
}

// String is one line for a person.
func (d *Divergence) String() string {
	switch d.Kind {
	case Extra:
		return fmt.Sprintf("call %d is not in the record: %s", d.Index, d.Asked)
	case Missing:
		return fmt.Sprintf("call %d was not made: %s", d.Index, d.Recorded)
	case NotRecorded:
		return fmt.Sprintf("the answer to call %d is not in the record: %s", d.Index, d.Asked)
	}
	return fmt.Sprintf("call %d: %s was %q and is %q", d.Index, d.Field, d.Recorded, d.Asked)
}

// Title is a call in a few words.
func (e *Exchange) Title() string {
	return strings.Join(slices.DeleteFunc([]string{e.Import, e.Asked.Method, e.Asked.URL, e.Asked.Key}, func(s string) bool { return s == "" }), " ")
}

// Compare gives the first difference of the arguments but for the body; nil: there is none. Its kind
// and index are the caller's to fill in.
func (e *Exchange) Compare(asked *Exchange) *Divergence {
	r, a := &e.Asked, &asked.Asked
	for _, f := range [][3]string{
		{"import", e.Import, asked.Import}, {"key", r.Key, a.Key}, {"method", r.Method, a.Method}, {"url", r.URL, a.URL},
		{"timeout", fmt.Sprint(r.TimeoutMS), fmt.Sprint(a.TimeoutMS)}, {"allow-insecure", fmt.Sprint(r.Insecure), fmt.Sprint(a.Insecure)},
		{"follow-redirects", fmt.Sprint(!r.NoRedirects), fmt.Sprint(!a.NoRedirects)}, {"tenant", whose(r.Foreign), whose(a.Foreign)},
	} {
		if d := differ(f[0], f[1], f[2]); d != nil {
			return d
		}
	}
	for i := range max(len(r.Header), len(a.Header)) {
		switch {
		case i >= len(a.Header):
			return &Divergence{Field: "header " + r.Header[i][0], Recorded: excerpt(r.Header[i][1], 0)}
		case i >= len(r.Header):
			return &Divergence{Field: "header " + a.Header[i][0], Asked: excerpt(a.Header[i][1], 0)}
		}
		if d := differ("header", r.Header[i][0], a.Header[i][0]); d != nil {
			return d
		}
		if d := differ("header "+r.Header[i][0], r.Header[i][1], a.Header[i][1]); d != nil {
			return d
		}
	}
	return nil
}

func whose(foreign bool) string {
	if foreign {
		return "another"
	}
	return "its own"
}

// Compare compares what was sent or written with bytes themselves or their digest; secrets are
// those to be replaced before bytes are compared with a digest.
func (b Body) Compare(asked Body, secrets Needles) *Divergence {
	if b.Digest != "" && asked.Digest == "" {
		asked = DigestOf(secrets.Conceal(asked.Text))
	}
	return differ("body", b.String(), asked.String())
}

func differ(field, recorded, asked string) *Divergence {
	if Fits(recorded, asked) || Fits(recorded, strings.ToValidUTF8(asked, "\uFFFD")) {
		return nil
	}
	from := 0
	for from < min(len(recorded), len(asked)) && recorded[from] == asked[from] {
		from++
	}
	return &Divergence{Field: field, Recorded: excerpt(recorded, from), Asked: excerpt(asked, from)}
}

// excerpt is a part of s around a place.
func excerpt(s string, at int) string {
	const before, after = 60, 200
	from, to := max(at-before, 0), min(at+after, len(s))
	cut := strings.ToValidUTF8(s[from:to], "")
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(s) {
		cut += "…"
	}
	return cut
}

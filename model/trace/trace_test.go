package trace

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestABodyHasFourForms(t *testing.T) {
	for form, b := range map[string]Body{
		`"text"`: {Text: "text"}, `{"base64":"/w=="}`: {Text: "\xff"}, `{"secret":"K"}`: {Secret: "K"},
		`{"digest":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","bytes":1}`: DigestOf("x"),
	} {
		got, err := json.Marshal(b)
		var back Body
		if err != nil || string(got) != form || json.Unmarshal(got, &back) != nil || back != b {
			t.Errorf("%+v is %s, %v and comes back as %+v", b, got, err, back)
		}
	}
	if err := json.Unmarshal([]byte(`[1]`), &Body{}); err == nil {
		t.Error("a list is a body")
	}
}

func TestAnEmptyTraceIsShort(t *testing.T) {
	b, err := json.Marshal(Trace{Began: time.Unix(0, 0).UTC(), Origin: Origin{Seed: []byte{1}}, Calls: []Exchange{{Call: Call{Import: "i", Outcome: "ok"}, Asked: Asked{Key: "k"}}}})
	want := `{"began":"1970-01-01T00:00:00Z","origin":{"seed":"AQ==","time":0},"calls":[{"import":"i","outcome":"ok","duration_ns":0,"asked":{"key":"k"}}]}`
	if err != nil || string(b) != want {
		t.Errorf("%s %v", b, err)
	}
}

func TestReadingsComeBackAndGoOn(t *testing.T) {
	var kept Readings
	values := []uint64{5, 5, 3, 1 << 60, 0, math.MaxUint64, 7}
	for _, v := range values {
		kept.Add(v)
	}
	again := Readings{Bytes: kept.Bytes}
	for i, want := range append(values, 1007, 2007) {
		if got := again.Next(); got != want {
			t.Errorf("reading %d is %d, want %d", i, got, want)
		}
	}
}

func TestPollsComeBack(t *testing.T) {
	polls := AppendPoll(AppendPoll(AppendPoll(nil, []any{uint32(1), uint32(300)}), nil), []any{uint32(0)})
	for _, want := range [][]uint32{{1, 300}, {}, {0}} {
		ready, rest, ok := NextPoll(polls)
		if polls = rest; !ok || !reflect.DeepEqual(ready, want) {
			t.Errorf("%v %v, want %v", ready, ok, want)
		}
	}
	for _, bad := range [][]byte{nil, {0x80}, {200, 200, 200, 200, 200, 200}, {2, 1}} {
		if ready, _, ok := NextPoll(bad); ok {
			t.Errorf("%v is %v", bad, ready)
		}
	}
}

func TestADifferenceShowsWhereItIs(t *testing.T) {
	was, is := strings.Repeat("a", 500)+"old"+strings.Repeat("b", 500), strings.Repeat("a", 500)+"new"+strings.Repeat("b", 500)
	d := (Body{Text: was}).Compare(Body{Text: is}, nil)
	if d == nil || d.Field != "body" || !strings.Contains(d.Recorded, "aoldb") || !strings.Contains(d.Asked, "anewb") || len(d.Asked) > 300 {
		t.Errorf("%+v", d)
	}
	if d := (Body{Text: was}).Compare(Body{Text: was}, nil); d != nil {
		t.Errorf("%v", d)
	}
	if d := DigestOf("say "+Mark("K")).Compare(Body{Text: "say hunter22"}, NeedlesOf("K", "hunter22")); d != nil {
		t.Errorf("a digest with a secret: %v", d)
	}
}

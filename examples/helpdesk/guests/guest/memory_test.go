package guest

import (
	"errors"
	"testing"

	"greentic.dev/examples/helpdesk/guests/value"
)

// newArena gives blocks made-up addresses.
func newArena() *Arena {
	next := uint32(1024)
	return &Arena{blocks: map[uint32][]byte{}, addr: func(b []byte) uint32 {
		p := next
		next += uint32(len(b)+7) &^ 7
		return p
	}}
}

// envelope writes the arguments of node.invoke as a host does.
func envelope(a *Arena, op string, payload []byte) uint32 {
	w := a.Write(sizeInvoke)
	w.String(op)
	w.Tag(0, 8)
	w.off = 8
	for _, s := range []string{"demo", "", "anna", "local", "trace", "corr"} {
		if s == "" || s == "anna" {
			w.OptString(s)
			continue
		}
		w.String(s)
	}
	w.U64(1 << 40)
	w.U32(2)
	w.OptString("key")
	for _, s := range []string{"de", "flow", "step", "component"} {
		w.String(s)
	}
	w.U32(3)
	w.Bytes(payload)
	w.OptString("")
	if w.off != sizeInvoke {
		panic("the envelope has another size")
	}
	return w.Addr()
}

func echo() *Node {
	return &Node{Name: "echo", Version: "1.0.0", Ops: []Op{
		{Name: "echo", Input: Of("string"), Output: Of("string"), Run: func(c *Call) (any, error) {
			t := c.Tenant
			return []any{c.Input, t.ID, t.Team, t.User, t.Env, t.Trace, t.Correlation, t.DeadlineMS, t.IdempotencyKey, t.Locale,
				c.FlowID, c.StepID, c.ComponentID, uint64(c.Attempt)}, nil
		}},
		{Name: "busy", Run: func(*Call) (any, error) {
			return nil, &Fail{Code: "unavailable", Message: "later", Retryable: true, BackoffMS: 7}
		}},
		{Name: "broken", Run: func(*Call) (any, error) { return nil, errors.New("oops") }},
	}}
}

func TestACallArrivesWithEverythingTheHostSaid(t *testing.T) {
	a := newArena()
	r := a.Read(echo().invoke(a, envelope(a, "echo", []byte{0x62, 'h', 'i'})), sizeInvoked)
	if r.Tag(8) != 0 || r.take(1, 1)[0] != 1 {
		t.Fatal("the call failed")
	}
	got, err := value.FromCBOR(r.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := value.ToJSON(got)
	want := `["hi","demo","","anna","local","trace","corr",1099511627776,"key","de","flow","step","component",3]`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestFailuresKeepTheirCode(t *testing.T) {
	for op, want := range map[string]string{"busy": "unavailable", "broken": "internal", "none": "not_found", "echo": "invalid_input"} {
		a := newArena()
		payload := []byte{0xf6}
		if op == "echo" {
			payload[0] = 0xff
		}
		r := a.Read(echo().invoke(a, envelope(a, op, payload)), sizeInvoked)
		if r.Tag(8) != 1 {
			t.Fatalf("%s succeeded", op)
		}
		code, message := r.String(), r.String()
		retry, some, backoff := r.take(1, 1)[0], r.Tag(8), r.U64()
		if code != want || message == "" || (op == "busy") != (retry == 1 && some == 1 && backoff == 7) {
			t.Errorf("%s: %s %q, retryable %d, backoff %d %d", op, code, message, retry, some, backoff)
		}
	}
}

func TestADescriptionListsTheOperations(t *testing.T) {
	a := newArena()
	r := a.Read(echo().describe(a), sizeDescriptor)
	name, version, summary := r.String(), r.String(), r.OptString()
	capabilities, ops, count := r.Bytes(), r.U32(), r.U32()
	if name != "echo" || version != "1.0.0" || summary != "" || len(capabilities) != 0 || count != 3 {
		t.Fatalf("%s %s %q %v %d", name, version, summary, capabilities, count)
	}
	if first := a.Read(ops, sizeOp*count); first.String() != "echo" {
		t.Error("the first operation is another")
	}
}

func TestForgedAddressesReadAsNothing(t *testing.T) {
	a := newArena()
	p, _ := a.Alloc(8)
	if a.Bytes(p, 9) != nil || a.Bytes(p+1, 1) != nil || len(a.Bytes(p, 8)) != 8 {
		t.Error("bytes outside of a block were given")
	}
	if r := a.Read(99, sizeInvoke); r.String() != "" || r.U64() != 0 {
		t.Error("a record that is not there has content")
	}
}

func TestReallocKeepsTheContent(t *testing.T) {
	a := newArena()
	p, b := a.Alloc(3)
	copy(b, "abc")
	q := a.Grow(p, 10)
	if string(a.Bytes(q, 3)) != "abc" || a.Bytes(p, 1) != nil {
		t.Error("the content was lost or the old block kept")
	}
	a.Free()
	if a.Bytes(q, 1) != nil {
		t.Error("a freed block is still there")
	}
}

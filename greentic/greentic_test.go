package greentic_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestIdentifiersFollowTheEcosystemsRule(t *testing.T) {
	for id, ok := range map[string]bool{
		"a": true, "A-b_c.9": true, strings.Repeat("x", 256): true,
		"": false, "a/b": false, "a b": false, "ä": false, "a\x00": false, "..": true, strings.Repeat("x", 257): false,
	} {
		err := greentic.CheckID("thing", id)
		if ok && err != nil || !ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%.20q: %v", id, err)
		}
	}
}

func TestATenantNeedsEnvironmentAndName(t *testing.T) {
	if err := greentic.DefaultTenant().Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []greentic.TenantCtx{{}, {Env: "e"}, {Tenant: "t"}, {Env: "e", Tenant: "t", Team: "a/b"}, {Env: "e", Tenant: "t", User: "a b"}} {
		if err := bad.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestDigestsAreParsedExactly(t *testing.T) {
	d := greentic.DigestOf([]byte("x"))
	if got, err := greentic.ParseDigest(string(d)); err != nil || got != d || len(d.Hex()) != 64 || len(d.Short()) != 12 {
		t.Fatalf("%v %v", got, err)
	}
	for _, bad := range []string{"", d.Hex(), "sha256:" + strings.ToUpper(d.Hex()), "sha256:" + d.Hex()[1:], "sha512:" + d.Hex(), string(d) + "0"} {
		if _, err := greentic.ParseDigest(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// The inbox stores triggers as JSON: what goes in must come out.
func TestATriggerSurvivesStorage(t *testing.T) {
	in := greentic.Trigger{ID: "1", Kind: greentic.KindMessage, Route: "webchat", Key: "k", Body: []byte{0, 1, 0xff}, Header: map[string]string{"a": "b"},
		Tenant: greentic.TenantCtx{Env: "e", Tenant: "t", User: "u", Locale: "de", Deadline: time.Unix(1, 2).UTC(), Attempt: 3}}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out greentic.Trigger
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(out)
	if err != nil || string(again) != string(raw) || string(out.Body) != string(in.Body) {
		t.Fatalf("%s\n%s", raw, again)
	}
}

func TestAReplyPrintsEveryFieldOfItsContract(t *testing.T) {
	raw, err := json.Marshal(greentic.Reply{Kind: "message", Text: "hi", Node: "n", Flow: "f", Turn: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != `{"kind":"message","text":"hi","card":null,"node":"n","flow":"f","turn":"t"}` {
		t.Fatalf("%s", raw)
	}
}

package messaging

import (
	"encoding/json"
	"reflect"
	"testing"

	"greentic.dev/greentic"
)

func TestUnknownFieldsSurviveARoundTrip(t *testing.T) {
	const text = `{"type":"message","from":{"id":"a"},"text":"hi","entities":[{"type":"mention"}],"textFormat":"plain","x":null}`
	var a Activity
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if json.Unmarshal([]byte(text), &want) != nil || json.Unmarshal(raw, &got) != nil || !reflect.DeepEqual(want, got) {
		t.Errorf("%s", raw)
	}
	d := open(t)
	s := d.begin(t)
	d.post(t, s, text)
	var p page
	d.call(t, "GET", activitiesPath(s), s.Token, "", &p)
	if string(p.Activities[0].Rest["entities"]) != `[{"type":"mention"}]` {
		t.Errorf("%+v", p.Activities[0])
	}
}

func TestAKnownFieldInOtherLettersCannotReplaceIt(t *testing.T) {
	d := open(t)
	s := d.begin(t)
	d.post(t, s, `{"type":"message","from":{"id":"ada"},"ID":"forged","time\u017ftamp":"forged","FROM":{"id":"bob"}}`)
	var p page
	d.call(t, "GET", activitiesPath(s), s.Token, "", &p)
	if a := p.Activities[0]; a.ID == "forged" || a.Timestamp == "forged" || len(a.Rest) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestTheDataOfASubmitActionIsMetadata(t *testing.T) {
	a := Activity{Type: "message", From: &Account{ID: "u"}, Locale: "de", Value: json.RawMessage(`{"action":"go","n":3,"big":12345678,"yes":true,"none":null,"list":[1]}`)}
	m := toMessage(&a, "c")
	want := map[string]string{"locale": "de", "action": "go", "n": "3", "big": "12345678", "yes": "true", "none": "", "list": "[1]"}
	if !reflect.DeepEqual(m.Metadata, want) {
		t.Errorf("%v", m.Metadata)
	}
}

func TestOnlyMessagesAndStartsReachTheFlow(t *testing.T) {
	for body, want := range map[string]int{
		`{"type":"message","from":{"id":"a"},"text":"x"}`:                   1,
		`{"type":"event","name":"startConversation","from":{"id":"a"}}`:     1,
		`{"type":"event","name":"webchat/fetch-speech","from":{"id":"a"}}`:  0,
		`{"type":"typing","from":{"id":"a"}}`:                               0,
		`{"type":"conversationUpdate","from":{"id":"a"},"membersAdded":[]}`: 0,
	} {
		d := open(t)
		d.post(t, d.begin(t), body)
		if got := len(d.inbox.taken()); got != want {
			t.Errorf("%s: %d triggers", body, got)
		}
	}
}

func TestACardIsAnAttachment(t *testing.T) {
	a := fromReply(greentic.Reply{Card: json.RawMessage(`{"type":"AdaptiveCard"}`)}, "en")
	if len(a.Attachments) != 1 || a.Attachments[0].ContentType != CardType || string(a.Attachments[0].Content) != `{"type":"AdaptiveCard"}` {
		t.Errorf("%+v", a)
	}
}

func FuzzActivity(f *testing.F) {
	for _, seed := range []string{
		message("hi"), `{"type":"message","from":{"id":"a"},"value":{"a":[1]},"channelData":{"clientActivityID":"x"}}`,
		`{"Type":"message","FROM":{"id":"a"},"x":1}`, `null`, `[]`, `{"type":1}`, `{"from":null,"attachments":[null]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var a Activity
		if json.Unmarshal(body, &a) != nil || checkActivity(&a) != nil {
			return
		}
		raw, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var again Activity
		if err := json.Unmarshal(raw, &again); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		second, err := json.Marshal(again)
		if err != nil || string(raw) != string(second) {
			t.Errorf("%s became %s %v", raw, second, err)
		}
		if m := toMessage(&a, "c"); m.From.ID != a.From.ID || m.Metadata == nil {
			t.Errorf("%+v", m)
		}
	})
}

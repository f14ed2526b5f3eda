package schema_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/schema"
)

func decode(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return unknown(v)
}

// unknown puts Unknown in place of "?".
func unknown(v any) any {
	switch v := v.(type) {
	case string:
		if v == "?" {
			return schema.Unknown{}
		}
	case map[string]any:
		for key, one := range v {
			v[key] = unknown(one)
		}
	case []any:
		for i, one := range v {
			v[i] = unknown(one)
		}
	}
	return v
}

func TestWhatFitsAndWhatDoesNot(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{`true`, `1`, ""},
		{`false`, `1`, " false"},
		{`{"type":"string"}`, `"a"`, ""},
		{`{"type":"string"}`, `1`, " type"},
		{`{"type":["string","null"]}`, `null`, ""},
		{`{"type":"integer"}`, `1.0`, ""},
		{`{"type":"integer"}`, `1.5`, " type"},
		{`{"type":"number"}`, `1`, ""},
		{`{"type":"boolean"}`, `"?"`, ""},
		{`{"enum":["a",1]}`, `1`, ""},
		{`{"enum":["a",1]}`, `"b"`, " enum"},
		{`{"const":{"a":[1]}}`, `{"a":[1]}`, ""},
		{`{"const":{"a":[1]}}`, `{"a":[2]}`, " const"},
		{`{"properties":{"a":{"type":"string"}}}`, `{"a":1,"b":2}`, "/a type"},
		{`{"properties":{"a":true},"additionalProperties":false}`, `{"a":1,"b":2}`, "/b additionalProperties"},
		{`{"additionalProperties":{"type":"string"}}`, `{"b":2}`, "/b type"},
		{`{"patternProperties":{"^x-":{"type":"string"}},"additionalProperties":false}`, `{"x-a":1}`, "/x-a type"},
		{`{"required":["a","b"]}`, `{"a":1}`, " required"},
		{`{"propertyNames":{"pattern":"^[a-z]+$"}}`, `{"A":1}`, "/A propertyNames"},
		{`{"minProperties":2,"maxProperties":3}`, `{"a":1}`, " minProperties"},
		{`{"items":{"type":"string"}}`, `["a",1]`, "/1 type"},
		{`{"prefixItems":[{"type":"string"}],"items":false}`, `["a",1]`, "/1 false"},
		{`{"items":[{"type":"string"}],"additionalItems":false}`, `["a",1]`, "/1 false"},
		{`{"minItems":1}`, `[]`, " minItems"},
		{`{"maxItems":1}`, `[1,2]`, " maxItems"},
		{`{"uniqueItems":true}`, `[1,2,1]`, "/2 uniqueItems"},
		{`{"uniqueItems":true}`, `["?",1]`, ""},
		{`{"minLength":2}`, `"é"`, " minLength"},
		{`{"maxLength":1}`, `"é"`, ""},
		{`{"pattern":"^a"}`, `"b"`, " pattern"},
		{`{"minimum":2,"exclusiveMaximum":5}`, `5`, " exclusiveMaximum"},
		{`{"maximum":2,"multipleOf":0.5}`, `2.25`, " maximum, multipleOf"},
		{`{"allOf":[{"minimum":2},{"maximum":1}]}`, `3`, " maximum"},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `3`, " anyOf"},
		{`{"oneOf":[{"minimum":1},{"minimum":2}]}`, `3`, " oneOf"},
		{`{"oneOf":[{"required":["a"]},{"required":["b"]}]}`, `{"a":"?","b":"?"}`, ""},
		{`{"not":{"type":"string"}}`, `"a"`, " not"},
		{`{"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}}`, `{"a":1}`, " required"},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}`, `1`, " type"},
		{`{"$ref":"#/$defs/none"}`, `1`, ""},
		{`{"$ref":"https://example.com/a.json"}`, `1`, ""},
		{`{"$ref":"#"}`, `1`, ""},
		{`{"properties":{"a":{"properties":{"b":{"type":"string"}}}}}`, `{"a":{"b":[]}}`, "/a/b type"},
		{`{"properties":{"a/b":{"type":"string"}}}`, `{"a/b":[]}`, "/a~1b type"},
		{`{"format":"email","unheard-of":1}`, `"a"`, ""},
	} {
		s, err := schema.Compile(decode(t, c.schema))
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		var found []string
		at := ""
		for _, p := range s.Check(decode(t, c.value)) {
			found, at = append(found, p.Rule), p.Pointer
			if p.Message == "" {
				t.Errorf("%s of %s: no message", p.Rule, c.schema)
			}
		}
		got := ""
		if len(found) > 0 {
			got = at + " " + strings.Join(found, ", ")
		}
		if got != c.want {
			t.Errorf("%s with %s: %q, want %q", c.schema, c.value, got, c.want)
		}
	}
}

func TestAProblemSaysWhatWasMeant(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{`{"properties":{"summary":true},"additionalProperties":false}`, `{"sumary":1}`, "did you mean summary?"},
		{`{"enum":["high","normal","low"]}`, `"hihg"`, "did you mean high?"},
		{`{"type":"integer"}`, `"12"`, "remove the quotes"},
		{`{"type":"string"}`, `true`, "put it in quotes"},
		{`{"required":["text"]}`, `{}`, "add text"},
	} {
		s, err := schema.Compile(decode(t, c.schema))
		if err != nil {
			t.Fatal(err)
		}
		if found := s.Check(decode(t, c.value)); len(found) != 1 || found[0].Fix != c.want {
			t.Errorf("%s with %s: %+v", c.schema, c.value, found)
		}
	}
}

func TestWhatIsNoSchemaIsRefused(t *testing.T) {
	deep := strings.Repeat(`{"items":`, 100) + `1` + strings.Repeat(`}`, 100)
	for _, src := range []string{`{"pattern":"("}`, `{"patternProperties":{"(":1}}`, deep} {
		if _, err := schema.Compile(decode(t, src)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.40s: %v", src, err)
		}
	}
}

// A schema that grows by itself costs no more than its limit.
func TestASchemaThatBranchesWithoutEndIsBounded(t *testing.T) {
	s, err := schema.Compile(decode(t, `{"anyOf":[{"$ref":"#"},{"$ref":"#"},{"$ref":"#"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if found := s.Check(decode(t, `{"a":1}`)); len(found) > 1 {
		t.Errorf("%+v", found)
	}
	list := make([]any, 200)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	s, err = schema.Compile(decode(t, `{"items":{"type":"integer"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Check(list)); n != 50 {
		t.Errorf("%d problems", n)
	}
}

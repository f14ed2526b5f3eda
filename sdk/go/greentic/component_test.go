package greentic

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

type greetIn struct {
	Name  string   `json:"name" min:"1" max:"5"`
	Mood  string   `enum:"good,bad" default:"good"`
	Times *int     `json:"times"`
	Tags  []string `json:"tags,omitempty"`
}

type greetOut struct {
	Text   string
	Left   any `json:"left,omitempty"`
	UserID string
}

func greeter() *Registered {
	return Component(Info{ID: "acme.hello", Version: "0.1.0"},
		Op("greet", func(_ *Context, in greetIn) (greetOut, error) {
			return greetOut{Text: in.Name + " " + in.Mood, UserID: "u"}, nil
		}),
		Op("panic", func(*Context, struct{}) (any, error) { var list []int; return list[3], nil }),
		Op("chan", func(*Context, struct{}) (any, error) { return map[string]any{"c": make(chan int)}, nil }),
		Op("busy", func(*Context, any) (any, error) { return nil, Retry("rate_limited", "later", 1500) }),
		Op("plain", func(*Context, any) (any, error) { return nil, errors.New("oops") }),
	)
}

func TestAnOperationGetsACheckedInputAndItsDefaults(t *testing.T) {
	out, err := greeter().Call(nil, "greet", map[string]any{"name": "Ada", "other": 1})
	if want := map[string]any{"text": "Ada good", "user_id": "u"}; err != nil || !reflect.DeepEqual(out, want) {
		t.Errorf("%v, %v", out, err)
	}
}

func TestInputsThatDoNotFitAreRefusedByPath(t *testing.T) {
	for text, in := range map[string]any{
		"$: want an object, got the text \"x\"":            "x",
		"$.name: it is required":                           nil,
		"$.name: want a text, got 3":                       map[string]any{"name": 3},
		"$.name: want at most 5 characters, got 7":         map[string]any{"name": "Johanna"},
		"$.mood: want one of good, bad, got \"odd\"":       map[string]any{"name": "Ada", "mood": "odd"},
		"$.times: want a whole number of 64 bits, got 1.5": map[string]any{"name": "Ada", "times": 1.5},
		"$.tags[1]: want a text, got true":                 map[string]any{"name": "Ada", "tags": []any{"a", true}},
		"$.tags: want a list, got an object":               map[string]any{"name": "Ada", "tags": map[string]any{}},
	} {
		_, err := greeter().Call(nil, "greet", in)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeInvalidInput || e.Message != text {
			t.Errorf("%v: %v, want %s", in, err, text)
		}
	}
}

func TestFailuresHaveACode(t *testing.T) {
	for op, want := range map[string]Error{
		"panic": {Code: CodePanic, Message: "component_test.go:"},
		"chan":  {Code: CodeInvalidOutput, Message: "$.c: chan int has no value form"},
		"busy":  {Code: "rate_limited", Message: "later", Retryable: true, BackoffMS: 1500},
		"plain": {Code: CodeInternal, Message: "oops"},
		"none":  {Code: CodeNoOperation, Message: "only greet, panic, chan, busy, plain"},
	} {
		_, err := greeter().Call(nil, op, nil)
		var e *Error
		if !errors.As(err, &e) || e.Code != want.Code || !strings.Contains(e.Message, want.Message) || e.Retryable != want.Retryable || e.BackoffMS != want.BackoffMS {
			t.Errorf("%s: %+v", op, err)
		}
	}
}

func TestAComponentPutTogetherWronglySaysWhy(t *testing.T) {
	ok := func(*Context, any) (any, error) { return nil, nil }
	for want, r := range map[string]*Registered{
		"Info.ID":                        Component(Info{ID: "Acme", Version: "1.0.0"}, Op("a", ok)),
		"Info.Version":                   Component(Info{ID: "acme"}, Op("a", ok)),
		"no operation":                   Component(Info{ID: "acme", Version: "1.0.0"}),
		"is there twice":                 Component(Info{ID: "acme", Version: "1.0.0"}, Op("a", ok), Op("a", ok)),
		"lower-case":                     Component(Info{ID: "acme", Version: "1.0.0"}, Op("A", ok)),
		"field c: chan int has no value": Component(Info{ID: "acme", Version: "1.0.0"}, Op("a", func(*Context, struct{ C chan int }) (any, error) { return nil, nil })),
		"the default of n": Component(Info{ID: "acme", Version: "1.0.0"}, Op("a", func(*Context, struct {
			N int `default:"x"`
		}) (any, error) {
			return nil, nil
		})),
		"want a struct": Component(Info{ID: "acme", Version: "1.0.0", Config: 3}, Op("a", ok)),
	} {
		if _, err := r.Call(nil, "a", nil); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), CodeBroken) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAValueMayNestAsDeepGoingOutAsComingIn(t *testing.T) {
	var deep any = "x"
	for range 60 {
		deep = []any{deep}
	}
	r := Component(Info{ID: "acme.mirror", Version: "0.1.0"}, Op("mirror", func(_ *Context, in any) (any, error) { return in, nil }))
	if out, err := r.Call(nil, "mirror", deep); err != nil || !reflect.DeepEqual(out, deep) {
		t.Error(err)
	}
}

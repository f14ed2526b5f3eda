package dev

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/operate"
)

const flowFile, texts = "flows/main.ygtc", "assets/i18n/en.json"

func TestASaveReachesTheOpenConversation(t *testing.T) {
	d := sits(t, nil, nil)
	if got := d.says("hi"); got != "What is your name?" {
		t.Fatalf("it says %q", got)
	}
	first := d.sees(Ready, "")
	d.replaces(texts, "Nice to meet you", "Great to see you")
	if s := d.sees(Ready, texts); s.Release == first.Release || s.Pack != "greeter" || len(s.Problems) > 0 || s.Fixed {
		t.Errorf("state %+v", s)
	}
	e := d.hears("where the conversation goes on", func(e Event) bool { return e.Follow != nil })
	if e.Follow.Became != operate.Went || e.Follow.Key != "c" || e.Follow.Node != "greet" {
		t.Errorf("it %+v", e.Follow)
	}
	if got := d.says("Ann"); got != "Great to see you, Ann" {
		t.Errorf("it says %q", got)
	}
}

func TestAConversationWhoseNodeIsGoneBeginsAnew(t *testing.T) {
	d := sits(t, nil, nil)
	d.says("hi")
	d.replaces(flowFile, "greet", "welcome")
	e := d.hears("that it begins anew", func(e Event) bool { return e.Follow != nil })
	if e.Follow.Became != operate.Ended || e.Follow.Node != "greet" || !strings.Contains(e.Follow.Why, "no node greet in flow main") {
		t.Errorf("it %+v", e.Follow)
	}
	if got := d.says("Ann"); got != "What is your name?" {
		t.Errorf("it says %q", got)
	}
}

func TestABrokenSaveIsShownAndTheLastGoodVersionStays(t *testing.T) {
	d := sits(t, nil, nil)
	first := d.sees(Ready, "")
	d.says("hi")
	d.replaces(flowFile, "to: greet", "to: gret")
	s := d.sees(Broken, flowFile)
	want := Problem{Severity: "error", Code: "MissingNode", Message: "node listen points to gret, which does not exist", File: flowFile, Line: 16, Col: 21,
		Excerpt: "    routing: [{ to: gret }]", Fix: "did you mean greet?"}
	if s.Release != first.Release || len(s.Problems) != 1 || s.Problems[0] != want {
		t.Errorf("state %+v", s)
	}
	if got := d.says("Ann"); got != "Nice to meet you, Ann" {
		t.Errorf("it says %q", got)
	}
	d.replaces("pack.yaml", "publisher:", "publsher:") // a second mistake
	d.sees(Broken, "pack.yaml")
	d.replaces(flowFile, "to: gret", "to: greet")
	s = d.sees(Broken, flowFile)
	if len(s.Problems) != 1 || s.Problems[0].File != "pack.yaml" || s.Problems[0].Line == 0 || s.Problems[0].Fix != "did you mean publisher?" {
		t.Errorf("state %+v", s)
	}
	d.replaces("pack.yaml", "publsher:", "publisher:")
	if s = d.sees(Ready, "pack.yaml"); !s.Fixed || len(s.Problems) > 0 {
		t.Errorf("state %+v", s)
	}
}

func TestAFolderThatIsBrokenFromTheBeginningIsServedOnceItIsMended(t *testing.T) {
	d := sits(t, nil, map[string]string{texts: "{"})
	if s := d.sees(Broken, ""); s.Pack != "" || len(s.Problems) != 1 || s.Problems[0].File != texts || s.Problems[0].Line != 1 {
		t.Errorf("state %+v", s)
	}
	d.save(texts, `{"ask": "Who?", "greet": "Hi"}`)
	d.sees(Ready, texts)
	if got := d.says("x"); got != "Who?" {
		t.Errorf("it says %q", got)
	}
}

// Only the component whose source was saved is built; one that does not build is told with its place
// until it does.
func TestOnlyTheComponentThatChangedIsBuilt(t *testing.T) {
	var mu sync.Mutex
	var built []string
	broken := map[string]bool{}
	build := func(_ context.Context, project string) error {
		mu.Lock()
		defer mu.Unlock()
		name := filepath.Base(project)
		built = append(built, name)
		if broken[name] {
			return fault.New(fault.Invalid, "build", "undefined: x").At(fault.Position{File: filepath.Join(project, "main.go"), Line: 3, Col: 2, Excerpt: "\tx()"})
		}
		return nil
	}
	take := func(breaks bool) []string {
		mu.Lock()
		defer mu.Unlock()
		list := built
		built, broken["a"] = nil, breaks
		return list
	}
	d := sits(t, build, map[string]string{"components/a/go.mod": "module a", "components/a/main.go": "1", "components/b/go.mod": "module b", "components/b/inner/x.go": "1"})
	s := d.sees(Ready, "components/a/go.mod")
	if got := take(true); !slices.Equal(got, []string{"a", "b"}) || !slices.Equal(s.Rebuilt, []string{"components/a", "components/b"}) {
		t.Errorf("at first %v were built, told %v", got, s.Rebuilt)
	}
	d.save("components/a/main.go", "2")
	s = d.sees(Broken, "components/a/main.go")
	if got := take(false); !slices.Equal(got, []string{"a"}) || len(s.Problems) != 1 || s.Problems[0].File != "components/a/main.go" || s.Problems[0].Message != "undefined: x" {
		t.Errorf("built %v, %+v", got, s.Problems)
	}
	d.replaces(texts, "What", "Now what") // an unrelated save builds nothing, and does not hide that a is broken
	if s = d.sees(Broken, texts); len(take(false)) > 0 {
		t.Errorf("a text built something: %+v", s)
	}
	d.save("components/a/main.go", "3")
	if s = d.sees(Ready, "components/a/main.go"); !s.Fixed {
		t.Errorf("%+v", s)
	}
	take(false)
	d.save("components/b/component.wasm", "written by a build")
	d.sees(Ready, "components/b/component.wasm")
	if got := take(false); len(got) > 0 {
		t.Errorf("what a build writes built %v", got)
	}
	if got := d.says("hi"); got != "Now what is your name?" {
		t.Errorf("it says %q", got)
	}
}

func TestTheStreamIsForWhoeverHasTheToken(t *testing.T) {
	d := sits(t, nil, nil)
	d.system.Mount(d.loop.Routes()...)
	handler, err := d.system.Handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	ask := func(token string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/v1/dev/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	refused := ask("other")
	_ = refused.Body.Close()
	if refused.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the token: %d", refused.StatusCode)
	}
	stream := ask("token")
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	until := func(what string) {
		t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), what) {
				return
			}
		}
		t.Fatalf("the stream ended before %s", what)
	}
	until(`"phase":"ready"`)
	d.says("hi")
	until(`"session":"c"`)
	d.replaces(flowFile, "to: greet", "to: gret")
	until(`"excerpt":"    routing: [{ to: gret }]"`)
	d.loop.close() // as Run does at its end
	for lines.Scan() {
	}
	if lines.Err() != nil {
		t.Error(lines.Err())
	}
}

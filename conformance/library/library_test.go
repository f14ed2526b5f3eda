package library

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic"
	"greentic.dev/model/component"
	"greentic.dev/runtime/host"
	"greentic.dev/wasm"
)

const root = "../../components"

// names are the components there are.
var names = []string{"adaptive-card", "http", "llm", "qa", "router", "templates", "transform"}

// shared is the engine of all tests here: compiling the components is most of what they cost.
var (
	shared *wasm.Engine
	cache  string // where it keeps compiled code
)

func TestMain(m *testing.M) {
	var err error
	if cache, err = os.MkdirTemp("", "greentic-library-"); err != nil {
		panic(err)
	}
	if shared, err = wasm.New(context.Background(), wasm.Options{CacheDir: cache}); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := shared.Close(context.Background()); err != nil {
			panic(err)
		}
		_ = os.RemoveAll(cache) // a folder of tests
		os.Exit(code)
	}))
}

type object = map[string]any

// read is a component as it is checked in.
func read(t testing.TB, name string) ([]byte, *component.Manifest) {
	t.Helper()
	if testing.Short() {
		t.Skip("the components take minutes to compile under the race detector")
	}
	file := filepath.Join(root, name, "component.manifest.json")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := component.Parse(file, src)
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(root, name, m.Artifacts.ComponentWasm))
	if err != nil {
		t.Fatal(err)
	}
	return code, m
}

// subject is a loaded component, with what its manifest asks for granted.
type subject struct {
	*host.Component
	t      testing.TB
	store  *memory.Store
	grants host.Grants
	state  host.State
}

var tenant = greentic.TenantCtx{Env: "test", Tenant: "acme", User: "ada", Locale: "en", IdempotencyKey: "turn-1"}

func load(t testing.TB, name string, limits wasm.Limits) *subject {
	t.Helper()
	code, m := read(t, name)
	client := egress.New(egress.Options{Timeout: 5 * time.Second})
	t.Cleanup(func() { client.Close() })
	s := &subject{t: t, store: memory.New()}
	for _, secret := range m.Secrets {
		s.grants.Secrets = append(s.grants.Secrets, secret.Key)
	}
	h := host.New(host.Deps{Engine: shared, HTTP: client, Secrets: s.store}, host.Options{Limits: limits})
	var err error
	if s.Component, err = h.Load(t.Context(), m.ID, code); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *subject) put(key, value string) {
	s.t.Helper()
	if err := s.store.Put(s.t.Context(), tenant, secrets.Name{Key: key}, []byte(value)); err != nil {
		s.t.Fatal(err)
	}
}

// allow lets the component reach an address.
func (s *subject) allow(url string) {
	s.t.Helper()
	_, address, _ := strings.Cut(url, "://")
	g, err := egress.ParseGrant(address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.grants.Hosts = append(s.grants.Hosts, g)
}

func (s *subject) call(op string, in object) (host.Response, error) {
	s.t.Helper()
	return s.Invoke(s.t.Context(), tenant, host.Request{Flow: "f", Node: "n", Operation: op, Input: in, Grants: s.grants, State: s.state})
}

// output is the answer of a call that goes well.
func (s *subject) output(op string, in object) object {
	s.t.Helper()
	got, err := s.call(op, in)
	if err != nil || !got.OK {
		s.t.Fatalf("%s %s: %v %+v", s.Name(), op, err, got.Fail)
	}
	return got.Output.(object)
}

func TestEveryComponentIsThere(t *testing.T) {
	found, err := filepath.Glob(filepath.Join(root, "*", "component.manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range found {
		list = append(list, filepath.Base(filepath.Dir(f)))
	}
	if !slices.Equal(list, names) {
		t.Errorf("there are %v, tested are %v", list, names)
	}
}

func TestAComponentIsWhatItsManifestSays(t *testing.T) {
	total := 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			code, m := read(t, name)
			total += len(code)
			if err := m.CheckWasm(code); err != nil {
				t.Error(err)
			}
			if m.ID != "greentic."+name {
				t.Errorf("its id is %s", m.ID)
			}
			const most = 8 << 20
			if len(code) > most {
				t.Errorf("it has %d bytes, more than %d", len(code), most)
			}
			s := load(t, name, wasm.Limits{})
			d, err := s.Describe(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var told, written []string
			for _, o := range d.Operations {
				told = append(told, o.Name)
			}
			for _, o := range m.Operations {
				written = append(written, o.Name)
			}
			if !slices.Equal(told, written) || d.Version != m.Version {
				t.Errorf("it says %v in version %s, its manifest %v in %s", told, d.Version, written, m.Version)
			}
		})
	}
	t.Logf("%d bytes in all", total)
}

// What a component may reach is what it is made for, and no more.
func TestComponentsAskForNoMoreThanTheyNeed(t *testing.T) {
	want := map[string][]string{"adaptive-card": {}, "templates": {}, "transform": {}, "http": {"host:http", "host:secrets"},
		"llm": {"host:http", "host:secrets", "host:telemetry"}, "router": {"host:http", "host:secrets"}, "qa": {"host:state"}}
	for _, name := range names {
		s := load(t, name, wasm.Limits{})
		got := slices.DeleteFunc(host.Capabilities(s.Imports()), func(c string) bool { return !strings.HasPrefix(c, "host:") })
		if !reflect.DeepEqual(got, want[name]) {
			t.Errorf("%s asks for %v, want %v", name, got, want[name])
		}
	}
}

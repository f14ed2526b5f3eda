package wasihttp

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
	"greentic.dev/wasm/wit"
)

// declared is WASI 0.2 as testdata here and beside package wasi writes it.
func declared(t testing.TB) *wit.Set {
	t.Helper()
	all := fstest.MapFS{}
	for _, name := range []string{"../wasi/testdata/io.wit", "../wasi/testdata/clocks.wit", "testdata/http.wit"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name[strings.LastIndexByte(name, '/')+1:]] = &fstest.MapFile{Data: text}
	}
	set, err := wit.ParseFS(all)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestEveryInterfaceIsWholeAndNothingIsInvented(t *testing.T) {
	ours := map[string]*link.Interface{}
	for _, i := range Interfaces() {
		ours[i.Name] = i
	}
	for _, p := range declared(t).Packages {
		if p.Name != "http" {
			continue
		}
		if len(p.Interfaces) != len(ours) {
			t.Errorf("%d interfaces of %d", len(ours), len(p.Interfaces))
		}
		for _, want := range p.Interfaces {
			have := ours[want.FullName()]
			if have == nil {
				t.Errorf("%s is missing", want.FullName())
				continue
			}
			for _, f := range want.Funcs {
				if have.Funcs[f.Name] == nil {
					t.Errorf("%s %s is missing", want.FullName(), f.Name)
				}
			}
			for name := range have.Funcs {
				if want.Func(name) == nil {
					t.Errorf("%s %s is not in WASI", want.FullName(), name)
				}
			}
			for _, d := range want.Types {
				if _, ok := have.Resources[d.Name]; d.Resource != nil && d.From == nil && !ok {
					t.Errorf("%s resource %s is missing", want.FullName(), d.Name)
				}
			}
		}
	}
}

func TestEveryResultFitsItsType(t *testing.T) {
	set := declared(t)
	for _, i := range Interfaces() {
		for name, f := range i.Funcs {
			ft := set.Interface(i.Name).Func(name)
			for _, denied := range []bool{false, true} {
				w := newWorld(t, wasi.Config{HTTP: answering(200, "hello")})
				var args []any
				for _, p := range ft.Params {
					args = append(args, w.sample(p.Type))
				}
				if denied {
					w.state.Config().HTTP = nil
				}
				result, err := f(t.Context(), &link.Call{System: w.state, Type: ft}, args)
				switch {
				case strings.Contains(name, "incoming-request") || strings.Contains(name, "response-outparam"):
					if !fault.Is(err, fault.Denied) {
						t.Errorf("%s: %v", name, err)
					}
				case err != nil:
					t.Errorf("%s: %v", name, err)
				default:
					if err := lower(ft, result); err != nil {
						t.Errorf("%s gives %#v: %v", name, result, err)
					}
				}
			}
		}
	}
}

func TestEveryErrorCodeFitsItsType(t *testing.T) {
	set := declared(t)
	ft := set.Interface("wasi:http/types@0.2.9").Func("http-error-code")
	for _, e := range []*httpError{codeFor(fault.New(fault.Exhausted, "", "")), internalError("x\xff"), sized("HTTP-request-body-size", uint64(1)),
		sized("HTTP-request-header-section-size", uint32(1)), sized("HTTP-response-header-section-size", uint32(1)),
		sized("HTTP-request-trailer-section-size", uint32(1)), sized("HTTP-response-trailer-section-size", uint32(1))} {
		if err := lower(ft, canon.Some(e.code)); err != nil {
			t.Errorf("%v: %v", e.code, err)
		}
	}
	for name, err := range failures() {
		if err := lower(ft, canon.Some(codeFor(err).code)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryErrorCodeCanBeToldAgain: by its name alone.
func TestEveryErrorCodeCanBeToldAgain(t *testing.T) {
	ft := declared(t).Interface("wasi:http/types@0.2.9").Func("http-error-code")
	for _, c := range ft.Result.Elem.Cases {
		err := Failure(c.Name, "why")
		if e := lower(ft, canon.Some(codeFor(err).code)); e != nil || ErrorCode(err) != c.Name {
			t.Errorf("%s is told as %s: %v", c.Name, ErrorCode(err), e)
		}
	}
	if got := ErrorCode(Failure("no-such-code", "x")); got != "internal-error" {
		t.Errorf("an unknown code is told as %s", got)
	}
}

// sample is a value of a type, handles to what the functions accept.
func (w *world) sample(t *binary.Type) any {
	switch t.Kind {
	case binary.U16:
		return uint16(404)
	case binary.U64:
		return uint64(1)
	case binary.String:
		return "accept"
	case binary.List:
		if t.Elem.Kind == binary.U8 {
			return []byte("x")
		}
		return []any{w.sample(t.Elem)}
	case binary.Tuple:
		list := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			list[i] = w.sample(f.Type)
		}
		return list
	case binary.Variant:
		return enum(t.Cases[0].Name)
	case binary.Option:
		return canon.Option{}
	case binary.Result:
		return canon.OK(nil)
	case binary.Own, binary.Borrow:
		return w.specimen(t.Resource.Name)
	}
	return nil
}

// specimen is a handle as functions give it.
func (w *world) specimen(resource string) canon.Handle {
	switch resource {
	case "error":
		return own(&wasi.Failure{Err: httpFault("DNS-timeout")})
	case "fields":
		return w.fields("a", "b")
	case "outgoing-request":
		return w.request("http://host/")
	case "outgoing-response":
		return w.call(h+"[constructor]outgoing-response", w.fields()).(canon.Handle)
	case "request-options":
		return own(&requestOptions{})
	case "outgoing-body":
		return ok[canon.Handle](w.t, w.call(h+"[method]outgoing-request.body", w.request("http://host/")))
	case "incoming-request", "response-outparam":
		return own(nil)
	}
	future := ok[canon.Handle](w.t, w.send(w.request("http://host/")))
	if resource == "future-incoming-response" {
		return future
	}
	response := w.answer(future)
	if resource == "incoming-response" {
		return response
	}
	body := ok[canon.Handle](w.t, w.call(h+"[method]incoming-response.consume", response))
	if resource == "incoming-body" {
		return body
	}
	return w.call(h+"[static]incoming-body.finish", body).(canon.Handle)
}

// lower writes a result into a guest's memory as a call would.
func lower(ft *binary.Func, result any) error {
	const size = 1 << 16
	mem, next := make([]byte, size), uint32(1024)
	realloc := func(_ context.Context, _, _, align, n uint32) (uint32, error) {
		p := (next + align - 1) &^ (align - 1)
		if next = p + n; next > size {
			return 0, fault.New(fault.Exhausted, "realloc", "memory")
		}
		return p, nil
	}
	env := &canon.Env{Ctx: context.Background(), Handles: canon.NewTable(100),
		Opt: &canon.Options{Memory: func() []byte { return mem }, Realloc: realloc}}
	return canon.Compile(ft).LowerResult(env, result, make([]uint64, 20))
}

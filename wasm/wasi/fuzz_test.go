package wasi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
	"greentic.dev/wasm/wasihttp"
	"greentic.dev/wasm/wit"
)

// offered is a function that guests import, with its type.
type offered struct {
	name string
	call link.Func
	typ  *binary.Func
	sig  *canon.Signature
}

// everything is all of WASI in a fixed order, but for what always traps.
func everything(t testing.TB) []offered {
	t.Helper()
	all := fstest.MapFS{}
	for _, name := range []string{"io", "clocks", "random", "cli", "filesystem", "sockets", "http"} {
		text, err := os.ReadFile(map[bool]string{true: "../wasihttp/testdata/", false: "testdata/"}[name == "http"] + name + ".wit")
		if err != nil {
			t.Fatal(err)
		}
		all[name+".wit"] = &fstest.MapFile{Data: text}
	}
	set, err := wit.ParseFS(all)
	if err != nil {
		t.Fatal(err)
	}
	var list []offered
	for _, i := range slices.Concat(wasi.Interfaces(), wasihttp.Interfaces()) {
		for name, f := range i.Funcs {
			if ft := set.Interface(i.Name).Func(name); !strings.HasPrefix(i.Name, "wasi:cli/exit") && !strings.HasPrefix(i.Name, "wasi:sockets") {
				list = append(list, offered{i.Name + "#" + name, f, ft, canon.Compile(ft)})
			}
		}
	}
	slices.SortFunc(list, func(a, b offered) int { return strings.Compare(a.name, b.name) })
	return list
}

// script is what is left of the input of the fuzzer; at its end it says 0.
type script struct{ rest []byte }

func (s *script) next() int {
	if len(s.rest) == 0 {
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return int(b)
}

func pick[T any](s *script, from ...T) T { return from[s.next()%len(from)] }

// net is a transport without a network, of every temper. It counts what is under way.
type net struct {
	tempers []byte
	at      atomic.Int32
	flying  atomic.Int32
	most    atomic.Int32
}

func (n *net) RoundTrip(r *http.Request) (*http.Response, error) {
	now := n.flying.Add(1)
	for most := n.most.Load(); now > most && !n.most.CompareAndSwap(most, now); most = n.most.Load() {
	}
	end := func() { n.flying.Add(-1) }
	temper := byte(0)
	if len(n.tempers) > 0 {
		temper = n.tempers[int(n.at.Add(1))%len(n.tempers)]
	}
	if r.Body != nil && temper%2 == 0 {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	body := io.Reader(strings.NewReader("an answer"))
	header := http.Header{"X-A": {"b"}}
	switch temper / 2 % 8 {
	case 1:
		end()
		return nil, errors.New("refused")
	case 2:
		<-r.Context().Done()
		end()
		return nil, r.Context().Err()
	case 3:
		body = io.MultiReader(body, forever{})
	case 4:
		body = io.MultiReader(body, broken{})
	case 5:
		body = io.MultiReader(body, stuck{r.Context()})
	case 6:
		header["X-B"] = []string{strings.Repeat("y", 100_000)}
	case 7:
		end()
		panic("a transport with a defect")
	}
	return &http.Response{StatusCode: 200, Header: header, Body: &ending{body, end}, Trailer: http.Header{"X-T": {"u"}}}, nil
}

type forever struct{}

func (forever) Read(b []byte) (int, error) { return len(b), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }

type ending struct {
	io.Reader
	end func()
}

func (e *ending) Close() error { e.end(); return nil }

// guest is a guest without sense: it calls what its script says.
type guest struct {
	t       *testing.T
	script  *script
	state   *wasi.State
	handles map[string][]canon.Handle // by resource
	memory  []byte
	trapped bool
}

// value is a value of a type; ok is false when there is no handle for it.
func (g *guest) value(t *binary.Type) (v any, ok bool) {
	s := g.script
	switch t.Kind {
	case binary.Bool:
		return s.next()%2 == 0, true
	case binary.U8:
		return uint8(s.next()), true
	case binary.U16:
		return uint16(s.next() * 7), true
	case binary.U32:
		return uint32(pick(s, 0, 1, 999_999_999, 1<<32-1)), true
	case binary.U64:
		return pick(s, uint64(0), 1, 5, 100, 4096, 70_000, 1<<20, 1<<40, 1<<62, 1<<63, 1<<64-1), true
	case binary.String:
		text := pick(s, "a", "b", "c", "a/b", "..", "../a", "/", "", "a/", ".", "b/../a", "host", "host:80", "/p?q=r", "content-length", "5", "x-a", "te xt", "x\r\ny", "*")
		if s.next()%16 == 0 {
			text = strings.Repeat("n", s.next()*40)
		}
		if !utf8.ValidString(text) {
			text = "?"
		}
		return text, true
	case binary.List:
		if t.Elem.Kind == binary.U8 {
			return bytes.Repeat([]byte("5"), pick(s, 0, 1, 5, 100, 4096, 4097, 65_536, 65_537)), true
		}
		list := make([]any, s.next()%4)
		for i := range list {
			if list[i], ok = g.value(t.Elem); !ok {
				return nil, false
			}
		}
		return list, true
	case binary.Enum:
		return canon.Variant{Case: t.Names[s.next()%len(t.Names)]}, true
	case binary.Variant:
		c := t.Cases[s.next()%len(t.Cases)]
		v, ok := g.optional(c.Type)
		return canon.Variant{Case: c.Name, Value: v}, ok
	case binary.Option:
		if s.next()%2 == 0 {
			return canon.Option{}, true
		}
		v, ok := g.value(t.Elem)
		return canon.Some(v), ok
	case binary.Result:
		v, ok := g.optional(t.Elem)
		return canon.OK(v), ok
	case binary.Flags:
		set := canon.Flags(nil)
		for _, name := range t.Names {
			if s.next()%3 == 0 {
				set = append(set, name)
			}
		}
		return set, true
	}
	return g.compound(t)
}

func (g *guest) optional(t *binary.Type) (any, bool) {
	if t == nil {
		return nil, true
	}
	return g.value(t)
}

func (g *guest) compound(t *binary.Type) (v any, ok bool) {
	switch t.Kind {
	case binary.Record:
		rec := make(canon.Record, len(t.Fields))
		for i, f := range t.Fields {
			rec[i].Name = f.Name
			if rec[i].Value, ok = g.value(f.Type); !ok {
				return nil, false
			}
		}
		return rec, true
	case binary.Tuple:
		list := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			if list[i], ok = g.value(f.Type); !ok {
				return nil, false
			}
		}
		return list, true
	case binary.Own, binary.Borrow:
		return g.handle(t)
	}
	g.t.Fatalf("a type of kind %v", t.Kind)
	return nil, false
}

// handle is a handle the guest has; one that it gives away it has no longer.
func (g *guest) handle(t *binary.Type) (any, bool) {
	name := t.Resource.Name
	have := g.handles[name]
	if len(have) == 0 {
		return nil, false
	}
	i := g.script.next() % len(have)
	one := have[i]
	if t.Kind == binary.Own {
		g.handles[name] = slices.Delete(slices.Clone(have), i, i+1)
	}
	return one, true
}

// receive keeps the handles in a result.
func (g *guest) receive(t *binary.Type, v any) {
	if t == nil || v == nil {
		return
	}
	switch v := v.(type) {
	case canon.Handle:
		g.handles[t.Resource.Name] = append(g.handles[t.Resource.Name], v)
	case canon.Option:
		g.receive(t.Elem, v.Value)
	case canon.Result:
		if v.IsErr {
			g.receive(t.Err, v.Value)
		} else {
			g.receive(t.Elem, v.Value)
		}
	case canon.Variant:
		for _, c := range t.Cases {
			if c.Name == v.Case {
				g.receive(c.Type, v.Value)
			}
		}
	case []any:
		for i, one := range v {
			if t.Kind == binary.Tuple {
				g.receive(t.Fields[i].Type, one)
			} else {
				g.receive(t.Elem, one)
			}
		}
	}
}

// call calls f with what the script says; a handle that is missing ends the attempt.
func (g *guest) call(ctx context.Context, f offered) {
	var args []any
	had := maps.Clone(g.handles)
	for _, p := range f.typ.Params {
		v, ok := g.value(p.Type)
		if !ok {
			g.handles = had
			return
		}
		args = append(args, v)
	}
	result, err := f.call(ctx, &link.Call{System: g.state, Type: f.typ}, args)
	if err != nil {
		g.trapped = true
		if fault.Is(err, fault.Internal) {
			g.t.Errorf("%s %v: %v", f.name, args, err)
		}
		return
	}
	if f.typ.Result == nil {
		return
	}
	next := uint32(8)
	env := &canon.Env{Ctx: ctx, Handles: canon.NewTable(0), Opt: &canon.Options{Memory: func() []byte { return g.memory },
		Realloc: func(_ context.Context, _, _, align, n uint32) (uint32, error) {
			p := (next + align - 1) &^ (align - 1)
			next = p + n
			return p, nil
		}}}
	if err := f.sig.LowerResult(env, result, make([]uint64, 20)); err != nil {
		g.t.Errorf("%s %v gives %#v: %v", f.name, args, result, err)
	}
	g.receive(f.typ.Result, result)
}

// prepare makes a request that can be sent, and gets the directories.
func (g *guest) prepare(ctx context.Context, all []offered) {
	call := func(name string, args ...any) any {
		i := slices.IndexFunc(all, func(f offered) bool { return strings.HasSuffix(f.name, "#"+name) })
		v, err := all[i].call(ctx, &link.Call{System: g.state, Type: all[i].typ}, args)
		if g.trapped = g.trapped || err != nil; g.trapped {
			return canon.Handle{}
		}
		return v
	}
	if g.script.next()%2 == 0 {
		for _, d := range asList(call("get-directories")) {
			g.handles["descriptor"] = append(g.handles["descriptor"], d.([]any)[0].(canon.Handle))
		}
		return
	}
	f, _ := call("[constructor]fields").(canon.Handle)
	r, _ := call("[constructor]outgoing-request", f).(canon.Handle)
	call("[method]outgoing-request.set-method", r, pick(g.script, canon.Variant{Case: "get"}, canon.Variant{Case: "post"}))
	call("[method]outgoing-request.set-authority", r, canon.Some("host"))
	if !g.trapped {
		g.handles["outgoing-request"] = append(g.handles["outgoing-request"], r)
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// drop drops the handle the script names.
func (g *guest) drop() {
	var names []string
	for name, have := range g.handles {
		if len(have) > 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	slices.Sort(names)
	h, _ := g.handle(&binary.Type{Kind: binary.Own, Resource: &binary.Resource{Name: pick(g.script, names...)}})
	if d, ok := h.(canon.Handle).Rep.(link.Dropper); ok && d.Dropped() != nil {
		g.trapped = true
	}
}

// dropAll drops everything, children before parents.
func (g *guest) dropAll() {
	for left := true; left; {
		left = false
		for name, have := range g.handles {
			g.handles[name] = slices.DeleteFunc(have, func(h canon.Handle) bool {
				d, ok := h.Rep.(link.Dropper)
				dropped := !ok || d.Dropped() == nil
				left = left || dropped
				return dropped
			})
		}
	}
}

// most is how many requests of one invocation are under way at once.
const most = 64

func FuzzWASI(f *testing.F) {
	all := everything(f)
	if len(all) > 256 {
		f.Fatalf("%d functions: one byte does not name them all", len(all))
	}
	for i := range 8 {
		seed := make([]byte, 400)
		for j := range seed {
			seed[j] = byte(j*(31+2*i) + i*j*j)
		}
		f.Add(seed, []byte{byte(2 * i), byte(2*i + 1)})
	}
	memory := make([]byte, 1<<21)
	f.Fuzz(func(t *testing.T, input, tempers []byte) {
		const patience = 5 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		wire := &net{tempers: tempers}
		state := wasi.NewState(wasi.Config{
			Args: []string{"a"}, Files: fstest.MapFS{"a": {Data: []byte("text")}, "b/c": {Data: []byte("more")}},
			Scratch: wasi.Scratch{Bytes: 100_000, Entries: 20, Open: 20}, HTTP: wire, Stdin: strings.NewReader("some input"),
		})
		g := &guest{t: t, script: &script{input}, state: state, handles: map[string][]canon.Handle{}, memory: memory}
		start := time.Now()
		for len(g.script.rest) > 0 && !g.trapped {
			switch g.script.next() % 12 {
			case 0:
				g.drop()
			case 1:
				g.prepare(ctx, all)
			default:
				g.call(ctx, all[g.script.next()%len(all)])
			}
			if err := state.Check(); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took > patience+2*time.Second {
			t.Errorf("it went on for %v", took)
		}
		sound := !g.trapped
		g.dropAll()
		start = time.Now()
		state.Close()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("closing took %v", took)
		}
		if n := wire.flying.Load(); n != 0 || wire.most.Load() > most {
			t.Errorf("%d requests under way after the end, %d at most", n, wire.most.Load())
		}
		if sound {
			left := state.Left()
			if held, ahead, flying := state.Counted("held"), state.Counted("ahead"), state.Counted("flying"); held != 0 || ahead != 0 || flying != 0 || left != "listed 0, open 0" {
				t.Errorf("held %d, ahead %d, flying %d, %s", held, ahead, flying, left)
			}
		}
	})
}

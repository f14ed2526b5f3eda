package wasi

import (
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
)

// desk is a world with files and a scratch directory.
type desk struct {
	*world
	root canon.Handle
}

func newDesk(t *testing.T, limit Scratch) *desk {
	t.Helper()
	w := newWorld(t, Config{Files: tree(), Scratch: limit, Clock: func() time.Time { return time.Unix(1_800_000_000, 5) }})
	return &desk{w, preopen(w, "/scratch")}
}

func preopen(w *world, name string) canon.Handle {
	for _, d := range w.call("filesystem/preopens get-directories").([]any) {
		if pair := d.([]any); pair[1] == name {
			return pair[0].(canon.Handle)
		}
	}
	w.t.Fatalf("there is no directory %s", name)
	return canon.Handle{}
}

// openAt opens name; how is flags of both sorts.
func (k *desk) openAt(base canon.Handle, name string, how ...string) any {
	k.t.Helper()
	var open, flags canon.Flags
	for _, f := range how {
		if slices.Contains([]string{"create", "directory", "exclusive", "truncate"}, f) {
			open = append(open, f)
		} else {
			flags = append(flags, f)
		}
	}
	return k.call(d+"open-at", base, canon.Flags{"symlink-follow"}, name, open, flags)
}

func (k *desk) create(name, text string) canon.Handle {
	k.t.Helper()
	f := ok[canon.Handle](k.t, k.openAt(k.root, name, "create", "read", "write"))
	if n := ok[uint64](k.t, k.call(d+"write", f, []byte(text), uint64(0))); n != uint64(len(text)) {
		k.t.Fatalf("wrote %d", n)
	}
	return f
}

func (k *desk) content(f canon.Handle) string {
	k.t.Helper()
	return string(ok[[]any](k.t, k.call(d+"read", f, uint64(maxRead), uint64(0)))[0].([]byte))
}

func (k *desk) names(dir canon.Handle) []string {
	k.t.Helper()
	list := ok[canon.Handle](k.t, k.call(d+"read-directory", dir))
	names := []string{}
	for {
		o := ok[canon.Option](k.t, k.call("filesystem/types [method]directory-entry-stream.read-directory-entry", list))
		if !o.Some {
			if err := k.drop(list); err != nil {
				k.t.Fatal(err)
			}
			return names
		}
		names = append(names, o.Value.(canon.Record).Get("name").(string))
	}
}

// done is the error case of a result, or "".
func (k *desk) done(name string, args ...any) string {
	k.t.Helper()
	r := k.call(d+name, args...).(canon.Result)
	if r.IsErr {
		return failure(k.t, r)
	}
	return ""
}

func TestAScratchFileIsWrittenAndRead(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 1 << 20})
	f := k.create("a", "hello")
	if _, err := k.try(d+"write", f, []byte("J"), uint64(0)); err != nil {
		t.Fatal(err)
	}
	at := ok[canon.Handle](t, k.call(d+"write-via-stream", f, uint64(7)))
	end := ok[canon.Handle](t, k.call(d+"append-via-stream", f))
	for _, c := range []struct {
		to   canon.Handle
		text string
	}{{at, "wor"}, {at, "ld"}, {end, "!"}, {end, "!"}} {
		if r := k.call(outBlock, c.to, []byte(c.text)); r != any(canon.OK(nil)) {
			t.Fatalf("%v", r)
		}
	}
	if got := k.content(f); got != "Jello\x00\x00world!!" {
		t.Errorf("%q", got)
	}
	in := ok[canon.Handle](t, k.call(d+"read-via-stream", f, uint64(7)))
	if got := ok[[]byte](t, k.call(inBlock, in, uint64(5))); string(got) != "world" {
		t.Errorf("streamed %q", got)
	}
	for _, c := range []struct {
		size uint64
		want string
	}{{2, "Je"}, {4, "Je\x00\x00"}, {0, ""}} {
		if code := k.done("set-size", f, c.size); code != "" || k.content(f) != c.want {
			t.Errorf("size %d: %s, %q", c.size, code, k.content(f))
		}
	}
	if code := k.done("write", ok[canon.Handle](t, k.openAt(k.root, "a", "read")), []byte("x"), uint64(0)); code != "bad-descriptor" {
		t.Errorf("writing what was opened to be read: %q", code)
	}
	if r := k.call(d+"read", ok[canon.Handle](t, k.openAt(k.root, "a", "write")), uint64(1), uint64(0)); failure(t, r) != "bad-descriptor" {
		t.Errorf("reading what was opened to be written: %v", r)
	}
	if f := ok[canon.Flags](t, k.call(d+"get-flags", f)); !reflect.DeepEqual(f, canon.Flags{"read", "write"}) {
		t.Errorf("flags %v", f)
	}
}

func TestOpeningInTheScratchDirectory(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 1 << 20})
	k.create("file", "text")
	k.call(d+"create-directory-at", k.root, "dir")
	k.call(d+"symlink-at", k.root, "file", "link")
	k.call(d+"symlink-at", k.root, "loop", "loop")
	k.call(d+"symlink-at", k.root, "../outside", "out")
	k.call(d+"symlink-at", k.root, "made", "dangling")
	for _, c := range []struct {
		name string
		how  []string
		want string
	}{
		{"none", nil, "no-entry"}, {"file", nil, ""}, {"file", []string{"create"}, ""}, {"file", []string{"create", "exclusive"}, "exist"},
		{"link", nil, ""}, {"link", []string{"create", "exclusive"}, "exist"}, {"loop", nil, "loop"}, {"out", nil, "not-permitted"},
		{"dangling", nil, "no-entry"}, {"dangling", []string{"create"}, ""}, {"made", nil, ""},
		{"file", []string{"directory"}, "not-directory"}, {"dir", []string{"directory"}, ""}, {"dir", []string{"write"}, "is-directory"},
		{"dir", []string{"truncate"}, "is-directory"}, {"new", []string{"create", "directory"}, "invalid"}, {"new/", []string{"create"}, "is-directory"},
		{"file/x", nil, "not-directory"}, {"file/", nil, "not-directory"}, {"dir/", nil, ""}, {"none/x", []string{"create"}, "no-entry"},
		{"../file", nil, "not-permitted"}, {"dir/../../file", nil, "not-permitted"}, {"/file", nil, "not-permitted"}, {"dir/../file", nil, ""},
		{"", nil, "no-entry"}, {"a\x00", nil, "invalid"}, {"a\xff", nil, "invalid"}, {strings.Repeat("n", 256), []string{"create"}, "name-too-long"},
		{strings.Repeat("n/", 2100), nil, "name-too-long"}, {".", nil, ""}, {".", []string{"create", "exclusive"}, "exist"},
	} {
		r := k.openAt(k.root, c.name, c.how...).(canon.Result)
		got := ""
		if r.IsErr {
			got = failure(t, r)
		}
		if got != c.want {
			t.Errorf("%q %v: %q, want %q", c.name, c.how, got, c.want)
		}
	}
	if got := failure(t, k.call(d+"open-at", k.root, canon.Flags{}, "link", canon.Flags{}, canon.Flags{"read"})); got != "loop" {
		t.Errorf("a link that is not followed: %s", got)
	}
	f := ok[canon.Handle](t, k.openAt(k.root, "file", "read"))
	ok[canon.Handle](t, k.openAt(k.root, "file", "truncate", "write"))
	if got := k.content(f); got != "" {
		t.Errorf("truncated to %q", got)
	}
}

func TestNamesAreMadeMovedAndRemoved(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 1 << 20})
	k.create("f", "f")
	k.create("g", "g")
	none := canon.Flags{}
	root := k.root
	for _, c := range []struct {
		name string
		args []any
		want string
	}{
		{"create-directory-at", []any{root, "a"}, ""}, {"create-directory-at", []any{root, "a"}, "exist"}, {"create-directory-at", []any{root, "a/b"}, ""},
		{"create-directory-at", []any{root, "no/b"}, "no-entry"}, {"create-directory-at", []any{root, "."}, "exist"}, {"create-directory-at", []any{root, "e"}, ""},
		{"remove-directory-at", []any{root, "a"}, "not-empty"}, {"remove-directory-at", []any{root, "f"}, "not-directory"},
		{"remove-directory-at", []any{root, "no"}, "no-entry"}, {"remove-directory-at", []any{root, "."}, "invalid"},
		{"unlink-file-at", []any{root, "a"}, "is-directory"}, {"unlink-file-at", []any{root, "no"}, "no-entry"}, {"unlink-file-at", []any{root, "f/"}, "not-directory"},
		{"rename-at", []any{root, "a", root, "a/b/c"}, "invalid"}, {"rename-at", []any{root, "a", root, "f"}, "not-directory"},
		{"rename-at", []any{root, "f", root, "a"}, "is-directory"}, {"rename-at", []any{root, "e", root, "a"}, "not-empty"},
		{"rename-at", []any{root, "no", root, "x"}, "no-entry"}, {"rename-at", []any{root, ".", root, "x"}, "busy"}, {"rename-at", []any{root, "f", root, "x/"}, "not-directory"},
		{"rename-at", []any{root, "f", root, "f"}, ""}, {"rename-at", []any{root, "f", root, "g"}, ""}, {"rename-at", []any{root, "e", root, "a/b"}, ""},
		{"link-at", []any{root, none, "g", root, "h"}, ""}, {"link-at", []any{root, none, "g", root, "h"}, "exist"}, {"link-at", []any{root, none, "a", root, "i"}, "not-permitted"},
		{"link-at", []any{root, none, "no", root, "i"}, "no-entry"}, {"symlink-at", []any{root, "g", "s"}, ""}, {"symlink-at", []any{root, "/g", "t"}, "not-permitted"},
		{"symlink-at", []any{root, "g", "s"}, "exist"}, {"symlink-at", []any{root, "", "t"}, "no-entry"},
		{"unlink-file-at", []any{root, "s"}, ""}, {"unlink-file-at", []any{root, "g"}, ""},
	} {
		if got := k.done(c.name, c.args...); got != c.want {
			t.Errorf("%s %v: %q, want %q", c.name, c.args[1:], got, c.want)
		}
	}
	if got := k.names(root); !reflect.DeepEqual(got, []string{"a", "h"}) {
		t.Errorf("left: %v", got)
	}
	if got := k.content(ok[canon.Handle](t, k.openAt(root, "h", "read"))); got != "f" {
		t.Errorf("the other name of the file: %q", got)
	}
	k.call(d+"symlink-at", root, "h", "s")
	if got := ok[string](t, k.call(d+"readlink-at", root, "s")); got != "h" {
		t.Errorf("readlink: %q", got)
	}
	if got := k.done("readlink-at", root, "h"); got != "invalid" {
		t.Errorf("readlink of a file: %q", got)
	}
}

func TestTheAssetTreeStaysReadOnlyBesideAScratch(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 1 << 20})
	k.create("f", "x")
	assets := preopen(k.world, "/")
	for name, args := range map[string][]any{
		"create-directory-at": {assets, "n"}, "unlink-file-at": {assets, "a.txt"}, "symlink-at": {assets, "a.txt", "b"},
		"rename-at": {k.root, "f", assets, "b"}, "link-at": {k.root, canon.Flags{}, "f", assets, "b"},
	} {
		if got := k.done(name, args...); got != "read-only" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := k.done("rename-at", assets, "a.txt", k.root, "b"); got != "read-only" {
		t.Errorf("moving an asset: %q", got)
	}
}

func TestWithoutFilesTheScratchDirectoryIsThere(t *testing.T) {
	w := newWorld(t, Config{Scratch: Scratch{Bytes: 1}})
	if got := w.call("cli/environment initial-cwd"); got != any(canon.Some("/scratch")) {
		t.Errorf("cwd %v", got)
	}
	preopen(w, "/scratch")
	if _, err := newWorld(t, Config{}).try("filesystem/preopens get-directories"); err != nil {
		t.Fatal(err)
	}
	if got := failure(t, newWorld(t, Config{}).call(d+"stat", own(scratchRoot{}))); got != "bad-descriptor" {
		t.Errorf("a scratch of another world: %s", got)
	}
}

func TestTheQuotaOfAScratchIsKept(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 10, Entries: 4, Open: 6})
	f := k.create("f", "12345678")
	s := k.state.scratch
	for name, args := range map[string][]any{
		"write": {f, []byte("xyz"), uint64(8)}, "set-size": {f, uint64(11)}, "symlink-at": {k.root, "longer", "l"},
	} {
		if got := k.done(name, args...); got != "insufficient-space" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := k.done("write", f, []byte("x"), uint64(1<<62)); got != "insufficient-space" {
		t.Errorf("far away: %q", got)
	}
	if got := k.done("write", f, []byte("x"), uint64(1<<63)); got != "overflow" {
		t.Errorf("past all numbers: %q", got)
	}
	end := ok[canon.Handle](t, k.call(d+"append-via-stream", f))
	r := k.call(outBlock, end, []byte("xyz")).(canon.Result)
	code := k.call("filesystem/types filesystem-error-code", r.Value.(canon.Variant).Value).(canon.Option)
	if !code.Some || code.Value != any(enum("insufficient-space")) {
		t.Errorf("appending: %v", code)
	}
	for i := range 3 {
		if got := k.done("create-directory-at", k.root, fmt.Sprint(i)); got != "" {
			t.Errorf("directory %d: %q", i, got)
		}
	}
	if got := k.done("create-directory-at", k.root, "one more"); got != "insufficient-space" {
		t.Errorf("too many entries: %q", got)
	}
	if got := failure(t, k.openAt(k.root, "one more", "create", "write")); got != "insufficient-space" || s.open != 2 {
		t.Errorf("too many entries: %q, %d open", got, s.open)
	}
	var held []canon.Handle
	for range 4 {
		held = append(held, ok[canon.Handle](t, k.openAt(k.root, "f", "read")))
	}
	for name, v := range map[string]any{"open": k.openAt(k.root, "f"), "stream": k.call(d+"read-via-stream", f, uint64(0)),
		"listing": k.call(d+"read-directory", k.root)} {
		if got := failure(t, v); got != "insufficient-memory" {
			t.Errorf("too much open, %s: %s", name, got)
		}
	}
	if got := k.done("unlink-file-at", k.root, "f"); got != "" || s.bytes != 8 {
		t.Errorf("%q, %d bytes of a file that is open", got, s.bytes)
	}
	for _, h := range append(held, f, end) {
		if err := k.drop(h); err != nil {
			t.Fatal(err)
		}
	}
	if s.bytes != 0 || s.open != 0 || s.entries != 3 {
		t.Errorf("%d bytes, %d open, %d entries at the end", s.bytes, s.open, s.entries)
	}
}

func TestARemovedDirectoryTakesNothingNew(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 100})
	k.call(d+"create-directory-at", k.root, "a")
	k.create("f", "")
	a := ok[canon.Handle](t, k.openAt(k.root, "a", "directory"))
	k.call(d+"remove-directory-at", k.root, "a")
	for name, args := range map[string][]any{"create-directory-at": {a, "b"}, "rename-at": {k.root, "f", a, "f"}, "link-at": {k.root, canon.Flags{}, "f", a, "f"}} {
		if got := k.done(name, args...); got != "no-entry" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := k.names(a); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func TestTimesAreKeptAndSet(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 100})
	f := k.create("f", "x")
	at := func(s canon.Record, name string) any {
		return s.Get(name).(canon.Option).Value.(canon.Record).Get("seconds")
	}
	stat := func() canon.Record { return ok[canon.Record](t, k.call(d+"stat", f)) }
	if s := stat(); at(s, "data-modification-timestamp") != uint64(1_800_000_000) || s.Get("size") != uint64(1) || s.Get("link-count") != uint64(1) {
		t.Errorf("%v", s)
	}
	stamp := canon.Variant{Case: "timestamp", Value: canon.Record{{Name: "seconds", Value: uint64(7)}, {Name: "nanoseconds", Value: uint32(0)}}}
	if got := k.done("set-times", f, stamp, enum("no-change")); got != "" {
		t.Error(got)
	}
	if got := k.done("set-times-at", k.root, canon.Flags{}, "f", enum("no-change"), stamp); got != "" {
		t.Error(got)
	}
	if s := stat(); at(s, "data-access-timestamp") != uint64(7) || at(s, "data-modification-timestamp") != uint64(7) {
		t.Errorf("%v", s)
	}
	bad := canon.Variant{Case: "timestamp", Value: canon.Record{{Name: "seconds", Value: uint64(1 << 63)}, {Name: "nanoseconds", Value: uint32(0)}}}
	if got := k.done("set-times", f, bad, enum("now")); got != "invalid" {
		t.Errorf("a time past all times: %q", got)
	}
}

func TestObjectsOfAScratchAreToldApart(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 100})
	f, g := k.create("f", "x"), k.create("g", "x")
	k.call(d+"link-at", k.root, canon.Flags{}, "f", k.root, "h")
	again := ok[canon.Handle](t, k.openAt(k.root, "h", "read"))
	hash := func(h canon.Handle) any { return ok[canon.Record](t, k.call(d+"metadata-hash", h)) }
	if k.call(d+"is-same-object", f, again) != true || !reflect.DeepEqual(hash(f), hash(again)) {
		t.Error("a file is not itself under another name")
	}
	if k.call(d+"is-same-object", f, g) != false || reflect.DeepEqual(hash(f), hash(g)) {
		t.Error("two files are one")
	}
	if k.call(d+"is-same-object", k.root, preopen(k.world, "/scratch")) != true || k.call(d+"is-same-object", k.root, preopen(k.world, "/")) != false {
		t.Error("the scratch directory is not itself alone")
	}
}

func TestNothingOfAScratchIsFixedButItsName(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 100})
	f := k.create("f", "x")
	if !Fixed(k.root.Rep) {
		t.Error("the directory's name cannot be part of an image")
	}
	for _, h := range []any{f.Rep, ok[canon.Handle](t, k.call(d+"read-via-stream", f, uint64(0))).Rep, ok[canon.Handle](t, k.call(d+"append-via-stream", f)).Rep} {
		if Fixed(h) {
			t.Errorf("%T can be part of an image", h)
		}
	}
	other := newDesk(t, Scratch{Bytes: 100})
	if got := other.names(k.root); len(got) != 0 {
		t.Errorf("another invocation sees %v", got)
	}
	if got := other.done("stat", f); got != "bad-descriptor" {
		t.Errorf("a file of another invocation: %q", got)
	}
}

func TestHostileSplicesIntoAFileKeepTheQuota(t *testing.T) {
	w := newWorld(t, Config{Stdin: zeroes{}, Scratch: Scratch{Bytes: 100_000}})
	k := &desk{w, preopen(w, "/scratch")}
	f := k.create("f", "")
	out := ok[canon.Handle](t, k.call(d+"append-via-stream", f))
	var last canon.Result
	for range 10 {
		if last = k.call("io/streams [method]output-stream.blocking-splice", out, k.call("cli/stdin get-stdin"), uint64(1<<40)).(canon.Result); last.IsErr {
			break
		}
	}
	if failure(t, last) != "last-operation-failed" || k.state.scratch.bytes > 100_000 {
		t.Errorf("%v, %d bytes", last, k.state.scratch.bytes)
	}
}

func TestHostileListingsAreBounded(t *testing.T) {
	files := many(20_000)
	w := newWorld(t, Config{Files: files})
	root := w.root()
	var got []canon.Handle
	for range 5 {
		got = append(got, ok[canon.Handle](t, w.call(d+"read-directory", root)))
	}
	if code := failure(t, w.call(d+"read-directory", root)); code != "insufficient-memory" {
		t.Errorf("%s", code)
	}
	if err := w.drop(got[0]); err != nil {
		t.Fatal(err)
	}
	ok[canon.Handle](t, w.call(d+"read-directory", root))
}

func TestABirthIsSpoiltByTheScratchDirectory(t *testing.T) {
	w, spoilt := born(t, Config{Scratch: Scratch{Bytes: 100}})
	root := preopen(w, "/scratch")
	w.call(d+"get-type", root)
	w.call(d+"get-flags", root)
	if spoilt() != "" {
		t.Errorf("spoilt by a name: %s", spoilt())
	}
	w.call(d+"read-directory", root)
	if spoilt() == "" {
		t.Error("not spoilt by a look")
	}
	if Birth(Config{}).Key == Birth(Config{Scratch: Scratch{Bytes: 1}}).Key {
		t.Error("one image with and without a scratch directory")
	}
}

func TestWrongHandlesForDescriptorsTrap(t *testing.T) {
	k := newDesk(t, Scratch{Bytes: 100})
	for _, name := range []string{"sync", "get-type", "get-flags", "stat"} {
		if _, err := k.try(d+name, own(stdin)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// many is a directory of so many empty files.
type many int

func (m many) Open(name string) (fs.File, error) { return tree().Open(name) }

func (m many) ReadDir(string) ([]fs.DirEntry, error) {
	one, err := fs.ReadDir(tree(), ".")
	list := make([]fs.DirEntry, m)
	for i := range list {
		list[i] = one[0]
	}
	return list, err
}

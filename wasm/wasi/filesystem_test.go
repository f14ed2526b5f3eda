package wasi

import (
	"errors"
	"io/fs"
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"greentic.dev/wasm/canon"
)

func tree() fs.FS {
	return fstest.MapFS{
		"a.txt":        {Data: []byte("hello world"), ModTime: time.Unix(1_700_000_000, 0)},
		"cards/b.json": {Data: []byte("{}")},
		"cards/c.json": {Data: []byte("[]")},
	}
}

const d = "filesystem/types [method]descriptor."

func (w *world) root() canon.Handle {
	return w.call("filesystem/preopens get-directories").([]any)[0].([]any)[0].(canon.Handle)
}

func (w *world) open(name string, flags ...string) any {
	return w.call(d+"open-at", w.root(), canon.Flags{"symlink-follow"}, name, canon.Flags(flags), canon.Flags{"read"})
}

func TestFilesAreReadWholeAndInParts(t *testing.T) {
	for name, files := range map[string]fs.FS{"reader at": tree(), "plain reader": plain{tree()}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Config{Files: files})
			f := ok[canon.Handle](t, w.open("a.txt"))
			for _, c := range []struct {
				n, off uint64
				want   string
				end    bool
			}{
				{5, 0, "hello", false}, {math.MaxUint64, 6, "world", true}, {3, 11, "", true}, {3, 500, "", true}, {0, 0, "", false},
			} {
				got := ok[[]any](t, w.call(d+"read", f, c.n, c.off))
				if string(got[0].([]byte)) != c.want || got[1] != c.end {
					t.Errorf("read %d at %d: %q %v", c.n, c.off, got[0], got[1])
				}
			}
			s := ok[canon.Handle](t, w.call(d+"read-via-stream", f, uint64(4)))
			text := ""
			for {
				r := w.call("io/streams [method]input-stream.blocking-read", s, uint64(3)).(canon.Result)
				if r.IsErr {
					if got := failure(t, r); got != "closed" {
						t.Errorf("the stream ends with %s", got)
					}
					break
				}
				text += string(r.Value.([]byte))
			}
			if text != "o world" {
				t.Errorf("streamed %q", text)
			}
		})
	}
}

// plain hides ReaderAt and Seeker, as compressed archives do.
type plain struct{ fs.FS }

func (p plain) Open(name string) (fs.File, error) {
	f, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return struct{ fs.File }{f}, nil
}

func TestPathsCannotEscapeTheTree(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	cards := ok[canon.Handle](t, w.open("cards", "directory"))
	for _, c := range []struct {
		base canon.Handle
		name string
		want string
	}{
		{w.root(), "../a.txt", "not-permitted"},
		{w.root(), "cards/../../a.txt", "not-permitted"},
		{w.root(), "/a.txt", "not-permitted"},
		{cards, "../a.txt", "not-permitted"},
		{cards, "./.././a.txt", "not-permitted"},
		{w.root(), "", "no-entry"},
		{w.root(), "no", "no-entry"},
		{w.root(), "a.txt/", "not-directory"},
		{w.root(), "a.txt/.", "not-directory"},
		{w.root(), "a\x00b", "invalid"},
		{w.root(), "a\xffb", "invalid"},
		{w.root(), strings.Repeat("x/", 3000), "name-too-long"},
	} {
		for _, f := range []string{"stat-at", "metadata-hash-at"} {
			if got := failure(t, w.call(d+f, c.base, canon.Flags{}, c.name)); got != c.want {
				t.Errorf("%s %q: %s, want %s", f, c.name, got, c.want)
			}
		}
		if got := failure(t, w.call(d+"open-at", c.base, canon.Flags{}, c.name, canon.Flags{}, canon.Flags{"read"})); got != c.want {
			t.Errorf("open-at %q: %s, want %s", c.name, got, c.want)
		}
	}
	for _, name := range []string{"cards/../a.txt", "./a.txt", "cards//../a.txt"} {
		ok[canon.Handle](t, w.open(name))
	}
}

func TestTheTreeIsReadOnly(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	root, none := w.root(), canon.Flags{}
	file := ok[canon.Handle](t, w.open("a.txt"))
	for name, args := range map[string][]any{
		"write-via-stream": {file, uint64(0)}, "append-via-stream": {file}, "set-size": {file, uint64(0)},
		"write": {file, []byte("x"), uint64(0)}, "create-directory-at": {root, "n"}, "unlink-file-at": {root, "a.txt"},
		"remove-directory-at": {root, "cards"}, "rename-at": {root, "a.txt", root, "b"}, "symlink-at": {root, "a.txt", "b"},
		"link-at": {root, none, "a.txt", root, "b"}, "set-times": {file, enum("now"), enum("now")},
		"set-times-at": {root, none, "a.txt", enum("now"), enum("now")},
	} {
		if got := failure(t, w.call(d+name, args...)); got != "read-only" {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, c := range []struct{ open, flags canon.Flags }{
		{none, canon.Flags{"write"}}, {none, canon.Flags{"read", "write"}}, {canon.Flags{"truncate"}, none}, {none, canon.Flags{"mutate-directory"}},
	} {
		if got := failure(t, w.call(d+"open-at", root, none, "a.txt", c.open, c.flags)); got != "read-only" {
			t.Errorf("open-at %v %v: %s", c.open, c.flags, got)
		}
	}
	for name, want := range map[string]string{"new.txt": "read-only", "a.txt": "exist"} {
		if got := failure(t, w.open(name, "create", "exclusive")); got != want {
			t.Errorf("creating %s: %s", name, got)
		}
	}
	if got := failure(t, w.open("a.txt", "directory")); got != "not-directory" {
		t.Errorf("a file opened as a directory: %s", got)
	}
	if got := failure(t, w.call(d+"readlink-at", root, "a.txt")); got != "invalid" {
		t.Errorf("readlink-at: %s", got)
	}
}

func TestStatTellsKindSizeAndTime(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	file := ok[canon.Handle](t, w.open("a.txt"))
	s := ok[canon.Record](t, w.call(d+"stat", file))
	if s.Get("type") != any(enum("regular-file")) || s.Get("size") != any(uint64(11)) {
		t.Errorf("stat of the file: %v", s)
	}
	if m := s.Get("data-modification-timestamp").(canon.Option); !m.Some || m.Value.(canon.Record).Get("seconds") != any(uint64(1_700_000_000)) {
		t.Errorf("time: %v", m)
	}
	s = ok[canon.Record](t, w.call(d+"stat-at", w.root(), canon.Flags{}, "cards"))
	if s.Get("type") != any(enum("directory")) || s.Get("data-modification-timestamp") != any(canon.Option{}) {
		t.Errorf("stat of the directory: %v", s)
	}
	if k := ok[canon.Variant](t, w.call(d+"get-type", w.root())); k.Case != "directory" {
		t.Errorf("the root is a %s", k.Case)
	}
	if f := ok[canon.Flags](t, w.call(d+"get-flags", file)); !reflect.DeepEqual(f, canon.Flags{"read"}) {
		t.Errorf("flags %v", f)
	}
	for _, f := range []string{"sync", "sync-data"} {
		if r := w.call(d+f, file); r != any(canon.OK(nil)) {
			t.Errorf("%s: %v", f, r)
		}
	}
	if r := w.call(d+"advise", file, uint64(0), uint64(1), enum("normal")); r != any(canon.OK(nil)) {
		t.Errorf("advise: %v", r)
	}
}

func TestMetadataHashTellsObjectsApart(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	hash := func(name string) canon.Record {
		return ok[canon.Record](t, w.call(d+"metadata-hash-at", w.root(), canon.Flags{}, name))
	}
	direct := ok[canon.Record](t, w.call(d+"metadata-hash", ok[canon.Handle](t, w.open("cards/b.json"))))
	if !reflect.DeepEqual(hash("cards/b.json"), direct) || reflect.DeepEqual(hash("cards/b.json"), hash("cards/c.json")) {
		t.Error("hashes do not follow objects")
	}
	if w.call(d+"is-same-object", w.root(), w.root()) != true {
		t.Error("the root is not itself")
	}
	if w.call(d+"is-same-object", w.root(), ok[canon.Handle](t, w.open("cards"))) != false {
		t.Error("the root is its child")
	}
}

func TestADirectoryListsItsEntriesInOrder(t *testing.T) {
	w := newWorld(t, Config{Files: tree()})
	list := ok[canon.Handle](t, w.call(d+"read-directory", ok[canon.Handle](t, w.open("cards"))))
	var names []string
	for {
		o := ok[canon.Option](t, w.call("filesystem/types [method]directory-entry-stream.read-directory-entry", list))
		if !o.Some {
			break
		}
		names = append(names, o.Value.(canon.Record).Get("name").(string))
	}
	if !reflect.DeepEqual(names, []string{"b.json", "c.json"}) {
		t.Errorf("listed %v", names)
	}
	if got := failure(t, w.call(d+"read-directory", ok[canon.Handle](t, w.open("a.txt")))); got != "not-directory" {
		t.Errorf("listing a file: %s", got)
	}
	if got := failure(t, w.call(d+"read", w.root(), uint64(1), uint64(0))); got != "is-directory" {
		t.Errorf("reading a directory: %s", got)
	}
	if got := failure(t, w.call(d+"read-via-stream", ok[canon.Handle](t, w.open("a.txt")), uint64(math.MaxUint64))); got != "overflow" {
		t.Errorf("a huge offset: %s", got)
	}
}

func TestAFailingFileKeepsItsCodeInTheStreamError(t *testing.T) {
	files := tree().(fstest.MapFS)
	w := newWorld(t, Config{Files: files})
	s := ok[canon.Handle](t, w.call(d+"read-via-stream", ok[canon.Handle](t, w.open("a.txt")), uint64(0)))
	delete(files, "a.txt")
	r := w.call("io/streams [method]input-stream.read", s, uint64(3)).(canon.Result)
	code := w.call("filesystem/types filesystem-error-code", r.Value.(canon.Variant).Value)
	if code != any(canon.Some(enum("no-entry"))) {
		t.Errorf("code %v", code)
	}
}

func TestAHandleFromAnotherWorldFindsNoFiles(t *testing.T) {
	root := newWorld(t, Config{Files: tree()}).root()
	w := newWorld(t, Config{})
	if got := failure(t, w.call(d+"stat", root)); got != "bad-descriptor" {
		t.Errorf("stat: %s", got)
	}
}

func TestErrorsOfTheTreeHaveTheirCodes(t *testing.T) {
	for err, want := range map[error]fsError{
		fs.ErrNotExist: errNoEntry, fs.ErrPermission: errAccess, fs.ErrInvalid: errInvalid, errors.New("disk on fire"): errIO,
	} {
		if got := codeOf(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}

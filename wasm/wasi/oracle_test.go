package wasi

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"runtime"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"greentic.dev/wasm/canon"
)

// TestAScratchBehavesAsTheFilesystemOfThisMachine does the same to a scratch directory and to a
// folder and wants the same to succeed and the same to be there afterwards.
func TestAScratchBehavesAsTheFilesystemOfThisMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the details are those of Linux")
	}
	rapid.Check(t, func(rt *rapid.T) {
		k := newDesk(t, Scratch{Bytes: 1 << 20, Open: 10_000})
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			rt.Fatal(err)
		}
		defer root.Close()
		part := rapid.SampledFrom([]string{"a", "b", "c", "..", "."})
		where := rapid.Custom(func(t *rapid.T) string {
			return path.Join(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "first"), rapid.SampledFrom([]string{"", "a", "b", "b/c"}).Draw(t, "rest"))
		})
		deep := rapid.Custom(func(t *rapid.T) string { // not cleaned: with "." and ".."
			p := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "first")
			for range rapid.IntRange(0, 3).Draw(t, "more") {
				p += "/" + part.Draw(t, "part")
			}
			return p
		})
		for i := range rapid.IntRange(1, 25).Draw(rt, "steps") {
			op := rapid.SampledFrom([]string{"write", "read", "mkdir", "remove", "rename", "symlink", "link", "stat"}).Draw(rt, "op")
			one, two := deep.Draw(rt, "one"), where.Draw(rt, "two")
			theirs, ours := both(k, root, op, one, two, fmt.Sprint(i))
			if (theirs == nil) != (ours == "") {
				rt.Fatalf("%s %s %s: %v here, %q in the scratch", op, one, two, theirs, ours)
			}
		}
		want := map[string]string{}
		_ = fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
			want[p] = kindOf(d.Type())
			switch target, _ := os.Readlink(path.Join(dir, p)); {
			case d.Type().IsRegular():
				text, _ := os.ReadFile(path.Join(dir, p))
				want[p] += " " + string(text)
			case target != "":
				want[p] += " " + target
			}
			return nil
		})
		got := map[string]string{}
		k.state.scratch.root.describe(".", got)
		if !reflect.DeepEqual(got, want) {
			rt.Fatalf("here %v\nin the scratch %v", want, got)
		}
		if err := k.state.Check(); err != nil {
			rt.Fatal(err)
		}
	})
}

func (n *node) describe(at string, all map[string]string) {
	all[at] = n.kind
	if n.kind == aFile {
		all[at] += " " + string(n.data.at(0, int(n.data.size)))
	}
	if n.kind == aLink {
		all[at] += " " + n.target
	}
	for name, child := range n.entries {
		child.describe(path.Join(at, name), all)
	}
}

// rename is Root.Rename, but a directory may replace an empty one.
func rename(root *os.Root, from, to string) error {
	if _, err := root.Lstat(from); err != nil {
		return err
	}
	if _, err := root.Stat(path.Dir(to)); err != nil {
		return err
	}
	return syscall.Rename(root.Name()+"/"+from, root.Name()+"/"+to)
}

// both does one thing to both and gives the error here and the code of the scratch.
func both(k *desk, root *os.Root, op, one, two, text string) (theirs error, ours string) {
	none := canon.Flags{}
	switch op {
	case "write":
		theirs = root.WriteFile(one, []byte(text), 0o644)
		r := k.openAt(k.root, one, "create", "truncate", "write").(canon.Result)
		if r.IsErr {
			return theirs, failure(k.t, r)
		}
		return theirs, k.done("write", r.Value.(canon.Handle), []byte(text), uint64(0))
	case "read":
		b, err := root.ReadFile(one)
		r := k.openAt(k.root, one, "read").(canon.Result)
		if r.IsErr {
			return err, failure(k.t, r)
		}
		if read := k.call(d+"read", r.Value, uint64(100), uint64(0)).(canon.Result); read.IsErr {
			return err, failure(k.t, read)
		} else if got := string(read.Value.([]any)[0].([]byte)); got != string(b) {
			return err, got + " instead of " + string(b)
		}
		return err, ""
	case "mkdir":
		return root.Mkdir(one, 0o755), k.done("create-directory-at", k.root, one)
	case "remove":
		theirs = root.Remove(two)
		if ours = k.done("unlink-file-at", k.root, two); ours == "is-directory" {
			ours = k.done("remove-directory-at", k.root, two)
		}
		return theirs, ours
	case "rename":
		return rename(root, one, two), k.done("rename-at", k.root, one, k.root, two)
	case "symlink":
		return root.Symlink(one, two), k.done("symlink-at", k.root, one, two)
	case "link":
		return root.Link(two, one), k.done("link-at", k.root, none, two, k.root, one)
	}
	_, theirs = root.Stat(one)
	return theirs, k.done("stat-at", k.root, canon.Flags{"symlink-follow"}, one)
}

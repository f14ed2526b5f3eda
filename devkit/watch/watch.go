package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// MaxFiles bounds a folder.
const MaxFiles = 20_000

// least is how often a folder is looked at when that takes no time.
const least = 25 * time.Millisecond

// Folder is a watched folder. It is not safe for concurrent use.
type Folder struct {
	dir    string
	files  map[string]stamp
	looked time.Time     // at the beginning of the last look
	took   time.Duration // the last look
}

// stamp is what is known of a file. Names are slash-separated below the folder.
type stamp struct {
	size    int64
	changed time.Time
	digest  greentic.Digest
}

// Open looks at dir for the first time. Errors: fault.NotFound, and fault.Exhausted for a folder of
// more than MaxFiles files.
func Open(ctx context.Context, dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Newf(fault.NotFound, "watch "+dir, "there is no such folder")
	case err != nil:
		return nil, fault.As(fault.Unavailable, "watch "+dir, err)
	case !info.IsDir():
		return nil, fault.Newf(fault.Invalid, "watch "+dir, "it is not a folder")
	}
	f := &Folder{dir: dir}
	f.files, err = f.look(ctx)
	return f, err
}

// Files lists what is watched, sorted.
func (f *Folder) Files() []string {
	var names []string
	for name := range f.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Next waits until files have changed since the last call and two looks in a row find the same. It
// returns the names of those that are new, gone or have other contents, sorted. Errors: the
// context's, and those of Open.
func (f *Folder) Next(ctx context.Context) ([]string, error) {
	before := f.files
	for unsettled := false; ; {
		// A folder that takes long to look at is looked at less often: a tenth of a processor at most.
		timer := time.NewTimer(max(least, 10*f.took))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fault.Wrap("watch "+f.dir, ctx.Err())
		}
		now, err := f.look(ctx)
		if err != nil {
			return nil, err
		}
		moving := len(differing(f.files, now)) > 0
		if f.files = now; moving {
			unsettled = true
			continue
		}
		if !unsettled {
			continue
		}
		unsettled = false
		if names := differing(before, now); len(names) > 0 {
			return names, nil
		}
	}
}

// look reads the state of the folder. A file is read again when its size or time differ, or when it
// was written so shortly before the last look that a second write may have left both alike.
func (f *Folder) look(ctx context.Context) (map[string]stamp, error) {
	began := time.Now()
	found := map[string]stamp{}
	err := filepath.WalkDir(f.dir, func(file string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && file == f.dir:
			return err
		case err != nil: // gone since it was listed
			return nil
		case file == f.dir:
			return nil
		}
		rel, err := filepath.Rel(f.dir, file)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case e.IsDir() && ignoredFolder(name):
			return fs.SkipDir
		case e.IsDir() || !e.Type().IsRegular() || ignored(path.Base(name)):
			return nil
		case len(found) >= MaxFiles:
			return fault.Newf(fault.Exhausted, "watch "+f.dir, "it has more than %d files", MaxFiles).WithFix("name the folder of one pack")
		}
		s, ok := f.read(file, e, f.files[name])
		if ok {
			found[name] = s
		}
		return nil
	})
	f.looked, f.took = began, time.Since(began)
	return found, fault.Wrap("watch", err)
}

// read is the stamp of one file; false when it has gone.
func (f *Folder) read(file string, e fs.DirEntry, had stamp) (stamp, bool) {
	info, err := e.Info()
	if err != nil {
		return stamp{}, false
	}
	s := stamp{size: info.Size(), changed: info.ModTime(), digest: had.digest}
	if had.digest != "" && s.size == had.size && s.changed.Equal(had.changed) && s.changed.Before(f.looked.Add(-time.Second)) {
		return s, true
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return stamp{}, false
	}
	s.digest = greentic.DigestOf(content)
	return s, true
}

// differing lists the names under which two states have different contents.
func differing(a, b map[string]stamp) (names []string) {
	for name, s := range b {
		if a[name].digest != s.digest {
			names = append(names, name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ignoredFolder says that nobody writes into a folder by hand. Packs are built into dist at the root.
func ignoredFolder(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, ".") || base == "node_modules" || base == "__pycache__" || name == "dist"
}

// ignored says that a file is an editor's own, a built pack, or hidden.
func ignored(base string) bool {
	return strings.HasPrefix(base, ".") && !strings.HasPrefix(base, ".secret") || strings.HasSuffix(base, "~") || strings.HasPrefix(base, "#") ||
		slices.Contains([]string{".swp", ".swx", ".tmp", ".bak", ".orig", ".gtpack"}, path.Ext(base)) || base == "4913" // what vim tries a folder with
}

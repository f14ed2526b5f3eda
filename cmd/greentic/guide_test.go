package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// block is a fenced block of a page: what it is, and what the page says about it.
type block struct {
	line       int
	kind, note string
	text       string
}

func blocksOf(t *testing.T, page string) (all []block) {
	t.Helper()
	src, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	for i, line := range strings.Split(string(src), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && open == nil:
			kind, note, _ := strings.Cut(fence, " ")
			open = &block{line: i + 1, kind: kind, note: note}
		case isFence:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	return all
}

// output is what a command writes while somebody else reads it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// shown says whether an output has a line of a page, in which … stands for anything.
func shown(text, line string) bool {
	parts := strings.Split(strings.TrimSpace(line), "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(strings.Join(parts, `[^\n]*`)).MatchString(text)
}

// reader follows a page: what stands in it to be run is run, what to be saved is saved, what to be seen
// must be seen.
type reader struct {
	*testing.T
	dir, bin string
	env      []string
	last     string // what the last command wrote
	dev      *output
}

func (r *reader) shell(ctx context.Context, dir, text string) *exec.Cmd {
	c := exec.CommandContext(ctx, "sh", "-euc", text)
	c.Dir, c.Env = dir, r.env
	return c
}

func (r *reader) follow(b block) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	defer cancel()
	switch {
	case b.kind == "sh" && b.note == "background":
		r.background(b)
	case b.kind == "sh":
		dir := r.dir
		if b.note == "repository" {
			dir = "../.."
		}
		out, err := r.shell(ctx, dir, b.text).CombinedOutput()
		if r.last = string(out); err != nil {
			r.Fatalf("line %d: %v\n%s", b.line, err, out)
		}
	case b.kind == "text":
		for line := range strings.Lines(strings.TrimSpace(b.text)) {
			r.sees(ctx, b, line)
		}
	case b.note != "": // a file
		if err := os.WriteFile(filepath.Join(r.dir, filepath.FromSlash(b.note)), []byte(b.text), 0o644); err != nil {
			r.Fatal(err)
		}
	default:
		r.Fatalf("line %d: a block of %s that nobody runs", b.line, b.kind)
	}
}

// background starts a command that runs until the test ends.
func (r *reader) background(b block) {
	r.Helper()
	r.dev = &output{}
	text := strings.TrimSpace(b.text) + " --listen 127.0.0.1:0" // the usual port may be taken here
	c := r.shell(context.WithoutCancel(r.Context()), r.dir, "exec "+text)
	c.Stdout, c.Stderr = r.dev, r.dev
	if err := c.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		_ = c.Process.Signal(os.Interrupt)
		if err := c.Wait(); err != nil {
			r.Errorf("%s ended with %v\n%s", text, err, r.dev)
		}
	})
}

// sees demands a line of the last command, or with the note dev waits until the command in the
// background says it.
func (r *reader) sees(ctx context.Context, b block, line string) {
	r.Helper()
	if b.note != "dev" {
		if !shown(r.last, line) {
			r.Fatalf("line %d: the command does not say %q but\n%s", b.line, line, r.last)
		}
		return
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !shown(r.dev.String(), line) {
		select {
		case <-again.C:
		case <-ctx.Done():
			r.Fatalf("line %d: nothing says %q; dev says\n%s", b.line, line, r.dev)
		}
	}
}

// A reader of the tutorial types what it says and sees what it shows.
func TestTheTutorialDoesWhatItSays(t *testing.T) {
	if testing.Short() {
		t.Skip("the tutorial builds the program and a component, which is not short")
	}
	r := &reader{T: t, dir: t.TempDir(), bin: t.TempDir()}
	r.env = append(os.Environ(), "GOBIN="+r.bin, "PATH="+r.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "GREENTIC_KEYS="+filepath.Join(r.dir, ".keys"))
	blocks := blocksOf(t, "../../docs/guide/tutorial.md")
	if len(blocks) < 10 {
		t.Fatalf("only %d blocks", len(blocks))
	}
	for _, b := range blocks {
		began := time.Now()
		r.follow(b)
		t.Logf("line %d: %s %s, %v", b.line, b.kind, b.note, time.Since(began).Round(time.Millisecond))
	}
}

var link = regexp.MustCompile(`\]\(([^)#][^)]*)\)|` + "`((?:\\.\\./|docs/|cmd/|examples/|bench/)[A-Za-z0-9_./-]+)`")

// What the pages point to is there: links, and paths from the root or the page.
func TestThePagesPointToWhatIsThere(t *testing.T) {
	root := "../.."
	var pages []string
	for _, pattern := range []string{"*.md", "docs/guide/*.md", "docs/reference/*.md", "docs/decisions/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) < 20 {
		t.Fatalf("only %v", pages)
	}
	for _, page := range pages {
		src, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(src), -1) {
			target := m[1] + m[2]
			target, _, _ = strings.Cut(target, "#")
			if target == "" || strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") || strings.Contains(target, " ") {
				continue
			}
			_, here := os.Stat(filepath.Join(filepath.Dir(page), target))
			_, fromRoot := os.Stat(filepath.Join(root, target))
			if here != nil && (fromRoot != nil || m[1] != "") {
				t.Errorf("%s points to %s, which is not there", page, target)
			}
		}
	}
}

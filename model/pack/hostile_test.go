package pack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/cbor"
	"greentic.dev/model/component"
)

// sample is a small source: one flow that answers, one component, one card, two languages.
func sample() Source {
	code := []byte("\x00asm code of the greeter")
	return Source{
		Manifest: Manifest{
			ID: "desk", Version: "1.0.0", Kind: "application", Publisher: "tests",
			Components: []component.Compiled{{ID: "desk.greeter", Version: "1.2.3", World: "greentic:component/component@0.6.0"}},
			Flows: []FlowEntry{{ID: "main", Kind: "messaging", Tags: []string{"default"}, Entrypoints: []string{"default"}, Doc: map[string]any{
				"schema_version": "flow-v1", "id": "main", "kind": "messaging",
				"entrypoints": map[string]any{"default": "hello"},
				"metadata":    map[string]any{"tags": []any{}, "extra": map[string]any{}},
				"nodes": []any{
					node("hello", "desk.greeter", map[string]any{"Branch": map[string]any{
						"on_status": map[string]any{"ok": "bye"}, "default": nil}}),
					node("bye", "emit.response", "End"),
				},
			}}},
			Extensions: map[string]any{
				"x.unknown.v9": map[string]any{"kind": "x.unknown.v9", "version": "9", "inline": []any{int64(1), nil}, "odd": true},
				ExtEgress: map[string]any{"kind": ExtEgress, "version": "1", "inline": map[string]any{
					"hosts": []any{map[string]any{"host": "API.example.com", "ports": []any{int64(8443)}, "methods": []any{"get"}}}}},
			},
			Extra: map[string]any{"x_future": "kept"},
		},
		Lock: []LockEntry{{ComponentID: "desk.greeter", ABIVersion: "0.6.0", Digest: string(digestOf(code)), DescribeHash: digestOf(code).Hex()}},
		Files: []File{
			{"components/desk.greeter.wasm", code},
			{"assets/cards/hello.json", []byte(`{"type":"AdaptiveCard"}`)},
			{"assets/i18n/en.json", []byte(`{"hi":"Hello","menu":{"back":"Back"}}`)},
			{"assets/i18n/de.json", []byte(`{"hi":"Hallo"}`)},
			{"assets/i18n/_manifest.json", []byte(`["en","de"]`)},
			{"flows/main.ygtc", []byte("id: main\n")},
		},
	}
}

func node(id, comp string, routing any) map[string]any {
	return map[string]any{
		"id": id, "component": map[string]any{"id": comp, "pack_alias": nil, "operation": nil},
		"input": map[string]any{"mapping": map[string]any{}}, "output": map[string]any{"mapping": map[string]any{}},
		"routing": routing, "telemetry": map[string]any{"attributes": map[string]any{}},
	}
}

func build(t testing.TB, src Source) []byte {
	t.Helper()
	b, err := Build(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// zipped packs entries with the standard library, deflated; mode and raw allow odd ones.
type odd struct {
	name    string
	content string
	tweak   func(*zip.FileHeader)
}

func zipped(t testing.TB, list ...odd) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	manifest, err := (&Manifest{ID: "desk", Version: "1.0.0"}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range append([]odd{{name: "manifest.cbor", content: string(manifest)}}, list...) {
		h := &zip.FileHeader{Name: o.name, Method: zip.Deflate}
		if o.tweak != nil {
			o.tweak(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, o.content); err != nil && !strings.HasSuffix(o.name, "/") {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// patch overwrites bytes at the n-th occurrence of a record magic.
func patch(b []byte, magic uint32, n, at int, value ...byte) []byte {
	b = bytes.Clone(b)
	m := binary.LittleEndian.AppendUint32(nil, magic)
	from := 0
	for ; n >= 0; n-- {
		from += bytes.Index(b[from:], m) + 1
	}
	copy(b[from-1+at:], value)
	return b
}

func TestHostilePacksAreRefusedByName(t *testing.T) {
	good := build(t, sample())
	deflated := zipped(t, odd{name: "assets/a.txt", content: strings.Repeat("a", 5000)})
	manifestOf := func(doc any) []byte {
		b, err := cbor.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		z, err := writeZip([]File{{manifestPath, b}})
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	symbols := map[string]any{"pack_ids": []any{"a"}}
	mode := func(m uint32) func(*zip.FileHeader) {
		return func(h *zip.FileHeader) { h.CreatorVersion = 3 << 8; h.ExternalAttrs = m << 16 }
	}
	for _, c := range []struct {
		name string
		b    []byte
		code string
		kind fault.Kind
	}{
		{"empty", nil, "PACK_ZIP_TRUNCATED", fault.Invalid},
		{"no archive", []byte(strings.Repeat("not a zip ", 20)), "PACK_ZIP_TRUNCATED", fault.Invalid},
		{"truncated", good[:len(good)-30], "PACK_ZIP_TRUNCATED", fault.Invalid},
		{"truncated in the middle", good[:len(good)/2], "PACK_ZIP_TRUNCATED", fault.Invalid},
		{"beginning cut off", good[10:], "PACK_ZIP_OVERLAP", fault.Invalid},
		{"trailing garbage", append(bytes.Clone(good), "garbage"...), "PACK_ZIP_TRAILING", fault.Invalid},
		{"archive comment", append(patch(good, endMagic, 0, 20, 3), "abc"...), "PACK_ZIP_TRAILING", fault.Invalid},
		{"second archive appended", append(bytes.Clone(good), deflated...), "PACK_ZIP_OVERLAP", fault.Invalid},
		{"bytes before the first entry", shifted(good, 7), "PACK_ZIP_HIDDEN", fault.Invalid},
		{"count too high", patch(patch(good, endMagic, 0, 8, 99), endMagic, 0, 10, 99), "PACK_ZIP_MISMATCH", fault.Invalid},
		{"several volumes", patch(good, endMagic, 0, 4, 1), "PACK_ZIP_UNSUPPORTED", fault.Unsupported},
		{"zip64", patch(good, endMagic, 0, 16, 255, 255, 255, 255), "PACK_ZIP_UNSUPPORTED", fault.Unsupported},
		{"two entries on one place", patch(good, centralMagic, 1, 42, 0, 0, 0, 0), "PACK_ZIP_OVERLAP", fault.Invalid},
		{"local name differs", patch(good, localMagic, 1, localSize, 'A'), "PACK_ZIP_MISMATCH", fault.Invalid},
		{"local size differs", patch(good, localMagic, 1, 22, 1), "PACK_ZIP_MISMATCH", fault.Invalid},
		{"local method differs", patch(good, localMagic, 1, 8, 8), "PACK_ZIP_MISMATCH", fault.Invalid},
		{"encrypted", patch(good, centralMagic, 1, 8, 1), "PACK_ZIP_UNSUPPORTED", fault.Unsupported},
		{"unknown method", patch(good, centralMagic, 1, 10, 12), "PACK_ZIP_UNSUPPORTED", fault.Unsupported},
		{"duplicate name", zipped(t, odd{name: "a"}, odd{name: "a"}), "PACK_ZIP_DUPLICATE", fault.Invalid},
		{"duplicate but for case", zipped(t, odd{name: "assets/A"}, odd{name: "assets/a"}), "PACK_ZIP_DUPLICATE", fault.Invalid},
		{"file below a file", zipped(t, odd{name: "a"}, odd{name: "a/b"}), "PACK_ZIP_DUPLICATE", fault.Invalid},
		{"file that is a folder", zipped(t, odd{name: "a/b"}, odd{name: "a"}), "PACK_ZIP_DUPLICATE", fault.Invalid},
		{"path escapes", zipped(t, odd{name: "assets/../../etc/passwd"}), "PACK_ZIP_NAME", fault.Invalid},
		{"absolute path", zipped(t, odd{name: "/etc/passwd"}), "PACK_ZIP_NAME", fault.Invalid},
		{"drive letter", zipped(t, odd{name: "c:/windows"}), "PACK_ZIP_NAME", fault.Invalid},
		{"backslash", zipped(t, odd{name: `..\evil`}), "PACK_ZIP_NAME", fault.Invalid},
		{"empty segment", zipped(t, odd{name: "assets//a"}), "PACK_ZIP_NAME", fault.Invalid},
		{"dot segment", zipped(t, odd{name: "./a"}), "PACK_ZIP_NAME", fault.Invalid},
		{"control character", zipped(t, odd{name: "a\x1b[31m"}), "PACK_ZIP_NAME", fault.Invalid},
		{"not UTF-8", zipped(t, odd{name: "a\xff", tweak: func(h *zip.FileHeader) { h.NonUTF8 = true }}), "PACK_ZIP_NAME", fault.Invalid},
		{"name too long", zipped(t, odd{name: strings.Repeat("a", 2000)}), "PACK_ZIP_NAME", fault.Invalid},
		{"directory", zipped(t, odd{name: "assets/"}), "PACK_ZIP_ENTRY_KIND", fault.Invalid},
		{"directory without slash", zipped(t, odd{name: "assets", tweak: mode(0o040755)}), "PACK_ZIP_ENTRY_KIND", fault.Invalid},
		{"symlink", zipped(t, odd{name: "assets/link", content: "/etc/passwd", tweak: mode(0o120777)}), "PACK_ZIP_ENTRY_KIND", fault.Invalid},
		{"device", zipped(t, odd{name: "assets/dev", tweak: mode(0o020666)}), "PACK_ZIP_ENTRY_KIND", fault.Invalid},
		{"file too large", zipped(t, odd{name: "big", content: strings.Repeat("\x00", 3000)}), "PACK_TOO_LARGE", fault.Invalid},
		{"files too large together", zipped(t, odd{name: "1", content: strings.Repeat("x", 1900)}, odd{name: "2", content: strings.Repeat("x", 1900)}, odd{name: "3", content: strings.Repeat("x", 1900)},
			odd{name: "4", content: strings.Repeat("x", 1900)}, odd{name: "5", content: strings.Repeat("x", 1900)}), "PACK_TOO_LARGE", fault.Invalid},
		{"no manifest", shiftless(t, File{"assets/a", nil}), "PACK_MISSING_MANIFEST_CBOR", fault.Invalid},
		{"manifest is no CBOR", shiftless(t, File{manifestPath, []byte("{}")}), "PACK_MANIFEST_INVALID", fault.Invalid},
		{"manifest is a list", manifestOf([]any{}), "PACK_MANIFEST_INVALID", fault.Invalid},
		{"manifest with a wrong type", manifestOf(map[string]any{"schema_version": "pack-v1", "version": 1}), "PACK_MANIFEST_INVALID", fault.Invalid},
		{"symbol index out of range", manifestOf(map[string]any{"schema_version": "pack-v1", "pack_id": 1, "symbols": symbols}), "PACK_MANIFEST_INVALID", fault.Invalid},
		{"negative symbol index", manifestOf(map[string]any{"schema_version": "pack-v1", "pack_id": -1, "symbols": symbols}), "PACK_MANIFEST_INVALID", fault.Invalid},
		{"unknown schema that cannot be read", manifestOf(map[string]any{"schema_version": "pack-v7", "version": 1}), "PACK_MANIFEST_UNSUPPORTED", fault.Unsupported},
		{"legacy manifest", manifestOf(map[string]any{"meta": map[string]any{}, "flows": []any{}}), "PACK_MANIFEST_UNSUPPORTED", fault.Unsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits := Options{MaxFile: 2000, MaxTotal: 8000}
			_, err := Open(c.b, limits)
			if _, _, code := fault.Detail(err); code != c.code || !fault.Is(err, c.kind) {
				t.Fatalf("got %q %v: %v; want %s", code, fault.KindOf(err), err, c.code)
			}
			if strings.ContainsAny(err.Error(), "\x1b\x00\xff") {
				t.Errorf("the message carries raw bytes of the name: %q", err)
			}
		})
	}
}

// shifted puts n bytes before the archive and corrects all offsets, as self-extractors do.
func shifted(b []byte, n int) []byte {
	out := append(bytes.Repeat([]byte{'x'}, n), b...)
	end := len(out) - endSize
	start := int(u32(out, end+16)) + n
	binary.LittleEndian.PutUint32(out[end+16:], uint32(start))
	for at := start; at < end; {
		binary.LittleEndian.PutUint32(out[at+42:], u32(out, at+42)+uint32(n))
		at += centralSize + int(u16(out, at+28)) + int(u16(out, at+30)) + int(u16(out, at+32))
	}
	return out
}

func shiftless(t *testing.T, files ...File) []byte {
	t.Helper()
	b, err := writeZip(files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDamagedContentIsRefusedWhenRead(t *testing.T) {
	bomb := zipped(t, odd{name: "assets/bomb", content: strings.Repeat("\x00", 4<<20)})
	// The bomb claims 100 bytes everywhere: in the central directory and in its descriptor.
	small := []byte{100, 0, 0, 0}
	lying := patch(patch(bomb, centralMagic, 1, 24, small...), describerMagic, 1, 12, small...)
	hidden := deflatedWith(t, []byte("hello"), "tail")

	for _, c := range []struct {
		name, file, code string
		b                []byte
	}{
		{"bomb that declares little", "assets/bomb", "PACK_ZIP_BOMB", lying},
		{"content with another checksum", "assets/cards/hello.json", "PACK_ZIP_CHECKSUM", bytes.Replace(build(t, sample()), []byte(`AdaptiveCard"}`), []byte(`AdaptiveCafe"}`), 1)},
		{"bytes after the compressed data", "assets/a", "PACK_ZIP_HIDDEN", hidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Open(c.b, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.File(c.file)
			if _, _, code := fault.Detail(err); code != c.code {
				t.Fatalf("got %q: %v", code, err)
			}
			if f := a.Integrity(); !has(f, Error, "") {
				t.Errorf("integrity found nothing: %v", f)
			}
		})
	}
}

// deflatedWith packs one deflated file with bytes behind the end of its stream.
func deflatedWith(t *testing.T, content []byte, tail string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	manifest, err := (&Manifest{ID: "desk"}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	raw := append(squeeze(t, content), tail...)
	for _, f := range []struct {
		h   zip.FileHeader
		raw []byte
	}{
		{zip.FileHeader{Name: manifestPath, CRC32: crc(manifest), CompressedSize64: uint64(len(manifest)), UncompressedSize64: uint64(len(manifest))}, manifest},
		{zip.FileHeader{Name: "assets/a", Method: zip.Deflate, CRC32: crc(content), CompressedSize64: uint64(len(raw)), UncompressedSize64: uint64(len(content))}, raw},
	} {
		part, err := w.CreateRaw(&f.h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(f.raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func has(list []Finding, s Severity, code string) bool {
	for _, f := range list {
		if f.Severity == s && (code == "" || f.Code == code) {
			return true
		}
	}
	return false
}

func TestBrokenBillsOfMaterialsAreFound(t *testing.T) {
	files := func(t *testing.T) []File {
		a, err := Open(build(t, sample()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var out []File
		for _, f := range a.Files() {
			b, err := a.File(f.Path)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, File{f.Path, bytes.Clone(b)})
		}
		return out
	}
	replace := func(name string, content []byte) func([]File) []File {
		return func(list []File) []File {
			for i := range list {
				if list[i].Path == name {
					list[i].Content = content
				}
			}
			return list
		}
	}
	remove := func(name string) func([]File) []File {
		return func(list []File) (out []File) {
			for _, f := range list {
				if f.Path != name {
					out = append(out, f)
				}
			}
			return out
		}
	}
	for _, c := range []struct {
		name, code string
		change     func([]File) []File
	}{
		{"changed file", "PACK_SBOM_HASH_MISMATCH", replace("assets/cards/hello.json", []byte("{}"))},
		{"changed code", "PACK_LOCK_COMPONENT_DIGEST_MISMATCH", replace("components/desk.greeter.wasm", []byte("\x00asm evil"))},
		{"unlisted file", "PACK_SBOM_UNLISTED", func(l []File) []File { return append(l, File{"assets/extra", nil}) }},
		{"missing file", "PACK_SBOM_DANGLING_PATH", remove("assets/cards/hello.json")},
		{"no bill of materials", "PACK_SBOM_MISSING", remove(sbomPath)},
		{"unreadable bill of materials", "PACK_SBOM_INVALID", replace(sbomPath, []byte("no cbor"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Open(shiftless(t, c.change(files(t))...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if f := a.Integrity(); !has(f, Error, c.code) {
				t.Errorf("want %s in %v", c.code, f)
			}
		})
	}
}

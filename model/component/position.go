package component

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
)

const maxJSONDepth = 64

// document is a JSON document that remembers where its keys and values stand.
type document struct {
	file string
	src  []byte
	at   map[string]int // JSON pointer -> offset of the key (of the value inside lists)
}

// readJSON checks syntax, duplicate keys and depth, and notes positions.
func readJSON(file string, src []byte) (*document, error) {
	d := &document{file: file, src: src, at: map[string]int{"": 0}}
	dec := json.NewDecoder(bytes.NewReader(src))
	dec.UseNumber()
	if err := d.value(dec, "", 0); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, d.fail(int(dec.InputOffset()), "more than one JSON value")
	}
	return d, nil
}

func (d *document) value(dec *json.Decoder, ptr string, depth int) error {
	if depth > maxJSONDepth {
		return d.fail(int(dec.InputOffset()), "nested deeper than %d levels", maxJSONDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return d.syntax(dec, err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	for i := 0; dec.More(); i++ {
		at := d.skipSpace(int(dec.InputOffset()))
		next := fmt.Sprintf("%s/%d", ptr, i)
		if delim == '{' {
			key, err := dec.Token()
			if err != nil {
				return d.syntax(dec, err)
			}
			next = ptr + "/" + escapePointer(key.(string))
			if _, twice := d.at[next]; twice {
				return d.fail(at, "key %q stands twice", key)
			}
		}
		d.at[next] = at
		if err := d.value(dec, next, depth+1); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing delimiter
		return d.syntax(dec, err)
	}
	return nil
}

func (d *document) skipSpace(at int) int {
	for at < len(d.src) && strings.IndexByte(" \t\r\n,", d.src[at]) >= 0 {
		at++
	}
	return at
}

func (d *document) syntax(dec *json.Decoder, err error) error {
	at := int(dec.InputOffset())
	if s, ok := err.(*json.SyntaxError); ok {
		at = int(s.Offset) - 1
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return d.fail(len(d.src), "the document ends too early")
	}
	return d.fail(at, "%v", err)
}

// into decodes the document, refusing keys that target has no field for.
func (d *document) into(target any) error {
	var tree any
	if err := json.Unmarshal(d.src, &tree); err != nil {
		return d.fail(0, "%v", err)
	}
	if err := d.known(tree, reflect.TypeOf(target).Elem(), ""); err != nil {
		return err
	}
	err := json.Unmarshal(d.src, target)
	if t, ok := err.(*json.UnmarshalTypeError); ok {
		return d.fail(int(t.Offset)-1, "%s must be %s, not %s", t.Field, jsonWord(t.Type), t.Value)
	}
	if err != nil {
		return d.fail(0, "%v", err)
	}
	return nil
}

// known walks the tree beside the type; values of type any or map hold anything.
func (d *document) known(v any, t reflect.Type, ptr string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		fields := map[string]reflect.Type{}
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			fields[name] = t.Field(i).Type
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			item := v[key]
			next := ptr + "/" + escapePointer(key)
			ft, ok := fields[key]
			if !ok {
				return d.unknown(next, key, fields)
			}
			if err := d.known(item, ft, next); err != nil {
				return err
			}
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for i, item := range v {
			if err := d.known(item, t.Elem(), fmt.Sprintf("%s/%d", ptr, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *document) unknown(ptr, key string, fields map[string]reflect.Type) error {
	err := d.failAt(ptr, "unknown key %q", key)
	best := ""
	for name := range fields {
		if strings.EqualFold(name, key) || strings.HasPrefix(name, key) || strings.HasPrefix(key, name) || strings.TrimSuffix(name, "s") == strings.TrimSuffix(key, "s") {
			if best == "" || name < best {
				best = name
			}
		}
	}
	if best != "" {
		return err.WithFix(fmt.Sprintf("did you mean %q?", best))
	}
	return err.WithFix("remove it: component manifests hold no unknown keys")
}

func (d *document) failAt(ptr, format string, args ...any) *fault.Error {
	for {
		if at, ok := d.at[ptr]; ok {
			return d.fail(at, format, args...)
		}
		ptr = ptr[:strings.LastIndexByte(ptr, '/')]
	}
}

func (d *document) fail(at int, format string, args ...any) *fault.Error {
	at = max(0, min(at, len(d.src)))
	line := bytes.Count(d.src[:at], []byte("\n")) + 1
	start := bytes.LastIndexByte(d.src[:at], '\n') + 1
	end := len(d.src)
	if i := bytes.IndexByte(d.src[start:], '\n'); i >= 0 {
		end = start + i
	}
	return fault.Newf(fault.Invalid, "component manifest", format, args...).At(fault.Position{
		File: d.file, Line: line, Col: at - start + 1, Excerpt: strings.TrimRight(string(d.src[start:end]), "\r"),
	})
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}

func jsonWord(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Pointer:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}

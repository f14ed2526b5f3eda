package wasihttp

import (
	"net/http"
	"slices"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/canon"
	"greentic.dev/wasm/link"
	"greentic.dev/wasm/wasi"
)

const (
	maxFields     = 1000     // values in one fields resource
	fieldOverhead = 32       // bytes a value counts beside its text
	maxHeld       = 4 << 20  // bytes of fields, URLs and the like that a guest holds at once
	maxSection    = 64 << 10 // bytes of a header or trailer section that is sent or received
	maxURI        = 8 << 10  // bytes of a path with its query, and of an authority
)

// fields is the resource of that name: names in lower case with values, in the order they were
// put in.
type fields struct {
	session *session
	list    []field
	frozen  bool
	parent  *family // of the request or response it belongs to; nil: its own master
}

type field struct {
	name  string
	value []byte
}

// family counts the children of a resource that must not be dropped before them.
type family struct{ children int }

// bereave traps a guest that drops a parent before its children.
func (f *family) bereave(what string) error {
	if f.children > 0 {
		return fault.Newf(fault.Invalid, "wasi http", "%s is dropped before what was got from it", what)
	}
	return nil
}

func sizeOf(name string, value []byte) int { return len(name) + len(value) + fieldOverhead }

func (f *fields) size() int {
	n := 0
	for _, one := range f.list {
		n += sizeOf(one.name, one.value)
	}
	return n
}

// Dropped gives back what the fields held.
func (f *fields) Dropped() error {
	f.free()
	return nil
}

func (f *fields) free() {
	if f.parent != nil {
		f.parent.children--
		f.parent = nil
		return // the list is the parent's
	}
	f.session.held -= f.size()
	f.list = nil
}

// child is an immutable handle to the fields of a request or response.
func (f *fields) child(parent *family) any {
	parent.children++
	return own(&fields{session: f.session, list: f.list, frozen: true, parent: parent})
}

// adopt makes fields that a guest gave away those of a request, response or body.
func adopt(c *wasi.Call, f *fields) *fields {
	if f.parent == nil {
		return f
	}
	mine := &fields{session: f.session, list: f.list}
	f.session.hold(c, mine.size())
	f.free()
	return mine
}

// headerError is a case of header-error.
type headerError string

// checkName gives the lower-case form of a field name.
func checkName(name string) (string, headerError) {
	if !isToken(name) || len(name) > maxURI {
		return "", "invalid-syntax"
	}
	return strings.ToLower(name), ""
}

func isToken(s string) bool {
	return s != "" && strings.Trim(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// forbidden says whether a field is the business of the transport alone.
func forbidden(name string) bool {
	switch name {
	case "connection", "expect", "host", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization",
		"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade":
		return true
	}
	return false
}

// check says why a guest may not put a field in.
func check(name string, values ...[]byte) (string, headerError) {
	name, bad := checkName(name)
	if bad != "" {
		return "", bad
	}
	for _, v := range values {
		if slices.ContainsFunc(v, func(b byte) bool { return b < ' ' && b != '\t' || b == 0x7f }) {
			return "", "invalid-syntax"
		}
	}
	if forbidden(name) {
		return "", "forbidden"
	}
	return name, ""
}

// put adds a checked field; it traps when there are too many.
func (f *fields) put(c *wasi.Call, name string, value []byte) {
	if len(f.list) >= maxFields {
		c.Trapf(fault.Exhausted, "http", "more than %d fields", maxFields)
		return
	}
	if f.session.hold(c, sizeOf(name, value)); !c.Trapped() {
		f.list = append(f.list, field{name, value})
	} else {
		f.session.held -= sizeOf(name, value)
	}
}

func (f *fields) delete(c *wasi.Call, name string) {
	f.list = slices.DeleteFunc(f.list, func(one field) bool {
		if one.name != name {
			return false
		}
		f.session.hold(c, -sizeOf(one.name, one.value))
		return true
	})
}

func (f *fields) values(name string) [][]byte {
	var list [][]byte
	for _, one := range f.list {
		if one.name == name {
			list = append(list, one.value)
		}
	}
	return list
}

func fieldFuncs() map[string]link.Func {
	return map[string]link.Func{
		"[constructor]fields":      wasi.Func(func(c *wasi.Call) any { return own(&fields{session: sessionOf(c)}) }),
		"[static]fields.from-list": wasi.Func(fieldsFromList),
		"[method]fields.get":       wasi.Func(getField),
		"[method]fields.has": wasi.Func(func(c *wasi.Call) any {
			f, name := wasi.Self[*fields](c, 0), strings.ToLower(wasi.Arg[string](c, 1))
			return !c.Trapped() && len(f.values(name)) > 0
		}),
		"[method]fields.set": wasi.Func(func(c *wasi.Call) any {
			f, name, values := wasi.Self[*fields](c, 0), wasi.Arg[string](c, 1), fieldValues(c, wasi.Arg[[]any](c, 2))
			return changeFields(c, f, name, values, true)
		}),
		"[method]fields.append": wasi.Func(func(c *wasi.Call) any {
			f, name, value := wasi.Self[*fields](c, 0), wasi.Arg[string](c, 1), wasi.Arg[[]byte](c, 2)
			return changeFields(c, f, name, [][]byte{value}, false)
		}),
		"[method]fields.delete": wasi.Func(func(c *wasi.Call) any {
			f, name := wasi.Self[*fields](c, 0), wasi.Arg[string](c, 1)
			return changeFields(c, f, name, nil, true)
		}),
		"[method]fields.entries": wasi.Func(fieldEntries),
		"[method]fields.clone":   wasi.Func(cloneFields),
	}
}

func fieldValues(c *wasi.Call, list []any) [][]byte {
	values := make([][]byte, len(list))
	for i, v := range list {
		b, ok := v.([]byte)
		if !ok {
			c.Trapf(fault.Invalid, "http", "a field value is %T", v)
		}
		values[i] = b
	}
	return values
}

// changeFields puts values in, instead of what is there when replace is set.
func changeFields(c *wasi.Call, f *fields, name string, values [][]byte, replace bool) any {
	if c.Trapped() {
		return nil
	}
	if f.frozen {
		return canon.Err(enum("immutable"))
	}
	name, bad := check(name, values...)
	if bad != "" {
		return canon.Err(enum(string(bad)))
	}
	if replace {
		f.delete(c, name)
	}
	for _, v := range values {
		if f.put(c, name, v); c.Trapped() {
			return nil
		}
	}
	return canon.OK(nil)
}

func fieldsFromList(c *wasi.Call) any {
	f := &fields{session: sessionOf(c)}
	for _, entry := range wasi.Arg[[]any](c, 0) {
		pair, _ := entry.([]any)
		if len(pair) != 2 {
			return c.Trapf(fault.Invalid, "http", "a field is %T", entry)
		}
		text, _ := pair[0].(string)
		value, _ := pair[1].([]byte)
		name, bad := check(text, value)
		if bad != "" {
			f.free()
			return canon.Err(enum(string(bad)))
		}
		if f.put(c, name, value); c.Trapped() {
			return nil
		}
	}
	if c.Trapped() {
		return nil
	}
	return canon.OK(own(f))
}

func getField(c *wasi.Call) any {
	f, name := wasi.Self[*fields](c, 0), strings.ToLower(wasi.Arg[string](c, 1))
	list := []any{}
	if !c.Trapped() {
		for _, v := range f.values(name) {
			list = append(list, v)
		}
	}
	return list
}

func fieldEntries(c *wasi.Call) any {
	f := wasi.Self[*fields](c, 0)
	if c.Trapped() {
		return nil
	}
	list := make([]any, len(f.list))
	for i, one := range f.list {
		list[i] = []any{one.name, one.value}
	}
	return list
}

func cloneFields(c *wasi.Call) any {
	f := wasi.Self[*fields](c, 0)
	if c.Trapped() {
		return nil
	}
	copied := &fields{session: sessionOf(c), list: slices.Clone(f.list)}
	if f.session.hold(c, copied.size()); c.Trapped() {
		copied.free()
		return nil
	}
	return own(copied)
}

// received is the fields a transport gave, in alphabetical order; ok is false when they are more
// than a section may have.
func received(c *wasi.Call, h http.Header) (f *fields, size int, ok bool) {
	f = &fields{session: sessionOf(c), frozen: true}
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range h[name] {
			f.list = append(f.list, field{strings.ToLower(name), []byte(v)})
		}
	}
	size = f.size()
	if len(f.list) > maxFields || size > maxSection {
		return nil, size, false
	}
	f.session.hold(c, size)
	return f, size, true
}

// header is what of the fields is sent.
func (f *fields) header() http.Header {
	h := make(http.Header, len(f.list))
	for _, one := range f.list {
		if !forbidden(one.name) {
			h.Add(one.name, string(one.value))
		}
	}
	return h
}

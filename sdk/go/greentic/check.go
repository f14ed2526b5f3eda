package greentic

import (
	"reflect"
	"strconv"

	"greentic.dev/sdk/go/internal/value"
)

// check says what is wrong with the component; empty when nothing is.
func (r *Registered) check() string {
	switch {
	case !isName(r.info.ID, ".-_"):
		return "Info.ID: want a dotted lower-case name such as acme.hello, got " + strconv.Quote(r.info.ID)
	case r.info.Version == "":
		return "Info.Version: want a version such as 0.1.0"
	case len(r.ops) == 0:
		return "the component has no operation"
	}
	for i := range r.ops {
		op := &r.ops[i]
		if !isName(op.name, "_.:-") {
			return "operation " + strconv.Quote(op.name) + ": a name is lower-case letters, digits and _ . : -, and begins with a letter"
		}
		if r.find(op.name) != op {
			return "operation " + op.name + " is there twice"
		}
		for side, s := range map[string]shape{"input": op.in, "output": op.out} {
			if err := checkType(s, nil); err != nil {
				return "operation " + op.name + ": " + side + " " + s.String() + ": " + err.Error()
			}
		}
		for _, e := range op.examples {
			for _, v := range []any{e.in, e.out} {
				if _, err := encode(v); err != nil {
					return "operation " + op.name + ": example " + e.title + ": " + err.Error()
				}
			}
		}
	}
	for _, s := range r.info.Secrets {
		if s.Key == "" || s.Format != "" && s.Format != "text" && s.Format != "bytes" && s.Format != "json" {
			return "secret " + strconv.Quote(s.Key) + ": want a key, and the format text, bytes or json"
		}
	}
	if r.info.Config == nil {
		return ""
	}
	t := reflect.TypeOf(r.info.Config)
	if t.Kind() != reflect.Struct {
		return "Info.Config: want a struct, got " + t.String()
	}
	if err := checkType(t, nil); err != nil {
		return "Info.Config " + t.String() + ": " + err.Error()
	}
	if _, err := encode(r.info.Config); err != nil {
		return "Info.Config: " + err.Error()
	}
	return ""
}

// isName says whether s begins with a lower-case letter and goes on with such letters, digits and some
// others.
func isName(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		letter, other := c >= 'a' && c <= 'z', isDigit(c)
		for j := range len(others) {
			other = other || c == others[j]
		}
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return s != ""
}

// checkType refuses types without a value form. above are the structs around t.
func checkType(t reflect.Type, above []reflect.Type) error {
	if isText(t) || len(above) > value.MaxDepth {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return checkType(t.Elem(), above)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return wrong(t.String() + " has no value form: its keys are no texts")
		}
		return checkType(t.Elem(), above)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return wrong(t.String() + " cannot be read; only any can")
		}
		return nil
	case reflect.Struct:
		for _, a := range above {
			if a == t {
				return nil
			}
		}
		return checkFields(t, append(above[:len(above):len(above)], t))
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return wrong(t.String() + " has no value form")
	}
	return nil
}

func checkFields(t reflect.Type, above []reflect.Type) error {
	list, err := fields(t)
	if err != nil {
		return err
	}
	for i := range list {
		f := &list[i]
		if err := checkType(f.typ, above); err != nil {
			return wrong("field " + f.name + ": " + err.Error())
		}
		for _, other := range list[:i] {
			if other.name == f.name {
				return wrong("two fields are named " + f.name)
			}
		}
		if !f.rule.hasDefault {
			continue
		}
		to := reflect.New(f.typ).Elem()
		plain, err := plainText(f.rule.fallback, f.typ)
		if err == nil {
			err = decoder{true}.into(plain, to, f.name)
		}
		if err != nil {
			return wrong("the default of " + f.name + ": " + err.Error())
		}
		if broken := f.rule.check(to); broken != "" {
			return wrong("the default of " + f.name + ": " + broken)
		}
	}
	return nil
}

package greentic

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// field is one property of a struct.
type field struct {
	name     string
	index    []int
	typ      reflect.Type
	optional bool // may be missing
	omit     bool // is left out when empty
	rule     rule
}

// rule is what tags say of a value beside its type.
type rule struct {
	doc, format, fallback string
	hasDefault            bool
	enum                  []string
	min, max              *float64
}

// planned is what was found out about a struct; the types of operations are planned before the first call, so that
// a call does not pay for it.
type planned struct {
	typ    reflect.Type
	fields []field
	err    error
}

var (
	plans  []*planned
	planMu sync.Mutex // tests call components side by side
)

// fields are the properties of a struct, embedded structs opened.
func fields(t reflect.Type) ([]field, error) {
	planMu.Lock()
	defer planMu.Unlock()
	for _, p := range plans {
		if p.typ == t {
			return p.fields, p.err
		}
	}
	all, err := readFields(t)
	plans = append(plans, &planned{t, all, err})
	return all, err
}

func readFields(t reflect.Type) ([]field, error) {
	var all []field
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" || !f.IsExported() && !f.Anonymous {
			continue
		}
		if f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && !isText(f.Type) {
			inner, err := readFields(f.Type)
			if err != nil {
				return nil, err
			}
			for _, x := range inner {
				x.index = append([]int{i}, x.index...)
				all = append(all, x)
			}
			continue
		}
		if !f.IsExported() {
			continue
		}
		if name == "" {
			name = snake(f.Name)
		}
		r, err := ruleOf(f.Tag)
		if err != nil {
			return nil, wrong(f.Name + ": " + err.Error())
		}
		omit := strings.Contains(","+options+",", ",omitempty,") || strings.Contains(","+options+",", ",omitzero,")
		all = append(all, field{name: name, index: []int{i}, typ: f.Type, omit: omit, rule: r,
			optional: omit || r.hasDefault || f.Type.Kind() == reflect.Pointer})
	}
	return all, nil
}

func ruleOf(tag reflect.StructTag) (rule, error) {
	r := rule{doc: tag.Get("doc"), format: tag.Get("format")}
	r.fallback, r.hasDefault = tag.Lookup("default")
	if list, ok := tag.Lookup("enum"); ok {
		r.enum = strings.Split(list, ",")
	}
	for _, bound := range []struct {
		name string
		to   **float64
	}{{"min", &r.min}, {"max", &r.max}} {
		text, ok := tag.Lookup(bound.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return r, wrong("the tag " + bound.name + " is no number: " + text)
		}
		*bound.to = &n
	}
	return r, nil
}

// snake is a Go name as our documents write it: UserID is user_id.
func snake(name string) string {
	var b []byte
	for i := range len(name) {
		c := name[i]
		upper := c >= 'A' && c <= 'Z'
		if upper && i > 0 && (!isUpper(name[i-1]) || i+1 < len(name) && !isUpper(name[i+1]) && !isDigit(name[i+1])) {
			b = append(b, '_')
		}
		if upper {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// check says what of the rule v, which has the right type, breaks; empty when nothing does.
func (r *rule) check(v reflect.Value) string {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	var n float64
	unit := ""
	switch k := v.Kind(); {
	case v.CanInt():
		n = float64(v.Int())
	case v.CanUint():
		n = float64(v.Uint())
	case v.CanFloat():
		n = v.Float()
	case k == reflect.String:
		n, unit = float64(len([]rune(v.String()))), " characters"
		if len(r.enum) > 0 && !contains(r.enum, v.String()) {
			return "want one of " + strings.Join(r.enum, ", ") + ", got " + strconv.Quote(v.String())
		}
	case k == reflect.Slice || k == reflect.Map:
		n, unit = float64(v.Len()), " elements"
	default:
		return ""
	}
	if r.min != nil && n < *r.min {
		return "want at least " + number(*r.min) + unit + ", got " + number(n)
	}
	if r.max != nil && n > *r.max {
		return "want at most " + number(*r.max) + unit + ", got " + number(n)
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

package greentic

import (
	"reflect"
	"strings"
)

// Modes of setup questions, in the order of the interface.
var modes = [...]string{"default", "setup", "update", "remove"}

// questions is the question spec of a mode: one question per field of Info.Config. Setting up by
// default asks only for what has no default; removing asks nothing.
func (r *Registered) questions(mode string) object {
	list := []any{}
	defaults := r.configDefaults()
	for _, f := range r.configFields() {
		fallback := defaults[f.name]
		empty := fallback == nil || fallback == "" || isZero(fallback)
		required := empty && !f.optional && f.typ.Kind() != reflect.Bool
		if mode == "remove" || mode == "default" && !required {
			continue
		}
		label := f.rule.doc
		if label == "" {
			label = strings.ReplaceAll(f.name, "_", " ")
		}
		q := object{"id": f.name, "label": phrase("config."+f.name, label), "kind": questionKind(f), "required": required}
		if !empty || f.typ.Kind() == reflect.Bool {
			q["default"] = fallback
		} else if f.rule.hasDefault {
			q["default"], _ = plainText(f.rule.fallback, f.typ)
		}
		list = append(list, q)
	}
	return object{"mode": mode, "title": phrase("name", r.name()), "questions": list, "defaults": object{}}
}

func isZero(v any) bool { return reflect.ValueOf(v).IsZero() }

func questionKind(f field) object {
	if len(f.rule.enum) > 0 {
		options := make([]any, len(f.rule.enum))
		for i, v := range f.rule.enum {
			options[i] = object{"value": v, "label": phrase("config."+f.name+"."+v, v)}
		}
		return object{"type": "choice", "options": options}
	}
	t := f.typ
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isText(t) || t.Kind() == reflect.String:
		return object{"type": "text"}
	case t.Kind() == reflect.Bool:
		return object{"type": "bool"}
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map, t.Kind() == reflect.Slice, t.Kind() == reflect.Array, t.Kind() == reflect.Interface:
		return object{"type": "inline_json", "schema": jsonSchema(t, rule{})}
	}
	return object{"type": "number"}
}

// applied is the configuration that answers make of the current one: a bare map, or {ok: false, error}
// when they do not fit.
func (r *Registered) applied(mode string, current, answers any) any {
	if mode == "remove" || r.info.Config == nil {
		return object{}
	}
	config := r.configDefaults()
	for _, layer := range []any{current, answers} {
		m, ok := layer.(object)
		if layer != nil && !ok {
			return object{"ok": false, "error": "want an object, got " + describeValue(layer)}
		}
		for k, v := range m {
			config[k] = v
		}
	}
	typed := reflect.New(reflect.TypeOf(r.info.Config))
	if err := decode(config, typed.Interface()); err != nil {
		return object{"ok": false, "error": err.Error()}
	}
	plain, err := encode(typed.Elem().Interface())
	if err != nil {
		return object{"ok": false, "error": err.Error()}
	}
	return plain
}

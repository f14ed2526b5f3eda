package greentic

import (
	"reflect"
	"slices"
)

// phrase is a text that can be translated.
func phrase(key, fallback string) object { return object{"key": key, "fallback": fallback} }

func (r *Registered) name() string {
	if r.info.Name != "" {
		return r.info.Name
	}
	return r.info.ID
}

// document is what component-descriptor.describe answers, as plain values. Its metadata carries the
// component's manifest, for the tool that builds the component.
func (r *Registered) document() object {
	if r.fail != "" {
		return object{"info": object{"id": r.info.ID, "version": r.info.Version, "role": "tool"}, "metadata": object{"broken": r.fail},
			"provided_capabilities": []any{}, "required_capabilities": []any{}, "operations": []any{}, "config_schema": r.configIR()}
	}
	ops := make([]any, len(r.ops))
	for i := range r.ops {
		op := &r.ops[i]
		in, out := schemaIR(op.in, rule{}), schemaIR(op.out, rule{})
		ops[i] = object{"id": op.name, "display_name": phrase("operation."+op.name, op.title()), "input": object{"schema": in}, "output": object{"schema": out},
			"defaults": object{}, "redactions": []any{}, "constraints": object{}}
	}
	return object{
		"info":                  object{"id": r.info.ID, "version": r.info.Version, "role": "tool", "display_name": phrase("name", r.name())},
		"provided_capabilities": texts(r.info.Capabilities), "required_capabilities": []any{},
		"metadata":   object{"manifest": r.manifest()},
		"operations": ops, "config_schema": r.configIR(),
	}
}

func (op *Operation) title() string {
	if op.summary != "" {
		return op.summary
	}
	return op.name
}

func (r *Registered) configIR() object {
	if r.info.Config == nil {
		return objectIR(object{}, nil, object{"type": "allow"})
	}
	return schemaIR(reflect.TypeOf(r.info.Config), rule{})
}

// manifest is the component.manifest.json of this component, but for what only its builder knows:
// the capabilities it uses of the host, artifacts and hashes.
func (r *Registered) manifest() object {
	ops := make([]any, len(r.ops))
	for i := range r.ops {
		ops[i] = object{"name": r.ops[i].name, "input_schema": jsonSchema(r.ops[i].in, rule{}), "output_schema": jsonSchema(r.ops[i].out, rule{})}
	}
	supports := r.info.Supports
	if len(supports) == 0 {
		supports = []string{"messaging", "event", "job"}
	}
	m := object{
		"id": r.info.ID, "name": r.name(), "version": r.info.Version, "world": "greentic:component/component@0.6.0", "describe_export": "describe",
		"config_schema": r.configSchema(), "operations": ops, "default_operation": r.ops[0].name, "supports": texts(supports),
		"profiles": object{"default": "stateless", "supported": []any{"stateless"}},
	}
	var secrets []any
	for _, s := range r.info.Secrets {
		format := s.Format
		if format == "" {
			format = "text"
		}
		one := object{"key": s.Key, "required": !s.Optional, "scope": object{"env": "<env>", "tenant": "<tenant>"}, "format": format}
		if s.Doc != "" {
			one["description"] = s.Doc
		}
		secrets = append(secrets, one)
	}
	if len(secrets) > 0 {
		m["secret_requirements"] = secrets
	}
	if r.info.MemoryMB > 0 || r.info.WallMS > 0 {
		m["limits"] = object{"memory_mb": or(r.info.MemoryMB, 256), "wall_time_ms": or(r.info.WallMS, 30_000)}
	}
	return m
}

func or(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// configSchema is the JSON Schema of the configuration, with the values of Info.Config as defaults.
func (r *Registered) configSchema() object {
	if r.info.Config == nil {
		return object{"type": "object", "properties": object{}}
	}
	s := jsonSchema(reflect.TypeOf(r.info.Config), rule{})
	properties, _ := s["properties"].(object)
	for name, v := range r.configDefaults() {
		if p, ok := properties[name].(object); ok && v != nil && v != "" {
			p["default"] = v
		}
	}
	delete(s, "required") // the defaults fill in
	return s
}

func (r *Registered) configDefaults() object {
	plain, _ := encode(r.info.Config)
	m, _ := plain.(object)
	return m
}

// textKeys are the keys of everything that can be translated, sorted.
func (r *Registered) textKeys() []string {
	keys := []string{"name"}
	for i := range r.ops {
		keys = append(keys, "operation."+r.ops[i].name)
	}
	for k := range r.info.Texts {
		keys = append(keys, k)
	}
	for _, f := range r.configFields() {
		keys = append(keys, "config."+f.name)
	}
	slices.Sort(keys)
	return keys
}

func (r *Registered) configFields() []field {
	if r.info.Config == nil || r.fail != "" {
		return nil
	}
	list, _ := fields(reflect.TypeOf(r.info.Config))
	return list
}

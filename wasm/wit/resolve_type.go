package wit

import (
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// scope is the names of an interface or world.
type scope struct {
	decls map[string]*typeDecl
	defs  map[string]*TypeDef
	state map[string]state
	taken map[string]bool // all names, folded as the Component Model compares them
	order []*TypeDef
}

func newScope() *scope {
	return &scope{decls: map[string]*typeDecl{}, defs: map[string]*TypeDef{}, state: map[string]state{}, taken: map[string]bool{}}
}

func (s *scope) claim(n name) error {
	key := binary.StrongName(n.text)
	if s.taken[key] {
		return n.at.err(fault.Invalid, "rename one of them", "%q is defined twice", n.text)
	}
	s.taken[key] = true
	return nil
}

// facts are what has to be known about a type without walking it again.
type facts struct {
	depth  int
	borrow bool // contains a borrowed handle
}

// fill brings the used and defined types into a scope.
func (r *resolver) fill(s *scope, u *unit, uses []*useDecl, types []*typeDecl) error {
	for _, use := range uses {
		from, err := r.lookupIface(u, use.from)
		if err != nil {
			return err
		}
		for _, n := range use.names {
			def := from.types.defs[n.name.text]
			if def == nil {
				return n.name.at.err(fault.Invalid, "", "interface %s has no type %q", from.model.FullName(), n.name.text)
			}
			if err := s.claim(n.as); err != nil {
				return err
			}
			s.add(&TypeDef{Name: n.as.text, Gate: use.gate, Type: def.Type, Resource: def.Resource, From: def, Use: from.model})
		}
	}
	for _, d := range types {
		if err := s.claim(d.name); err != nil {
			return err
		}
		if err := r.checkGates(u, d.header); err != nil {
			return err
		}
		s.decls[d.name.text] = d
	}
	for _, d := range types {
		def, err := r.define(s, d.name)
		if err != nil {
			return err
		}
		s.order = append(s.order, def)
	}
	return nil
}

func (s *scope) add(d *TypeDef) {
	s.defs[d.Name] = d
	s.order = append(s.order, d)
}

// define gives the meaning of a type name, making it when it is first needed.
func (r *resolver) define(s *scope, n name) (*TypeDef, error) {
	if def := s.defs[n.text]; def != nil {
		return def, nil
	}
	d := s.decls[n.text]
	switch {
	case d == nil && n.text == "error-context":
		return nil, n.at.err(fault.Unsupported, "", "error-context is not supported")
	case d == nil:
		return nil, n.at.err(fault.Invalid, "define it, or bring it in with use", "type %q is not defined", n.text)
	case s.state[n.text] == busy:
		return nil, n.at.err(fault.Invalid, "types cannot be recursive: refer to it by an index or a resource", "type %q contains itself", n.text)
	case r.depth > maxDepth:
		return nil, n.at.err(fault.Exhausted, "", "types are nested deeper than %d", maxDepth)
	}
	s.state[n.text] = busy
	r.depth++
	def, err := r.make(s, d)
	r.depth--
	if err != nil {
		return nil, err
	}
	def.Name, def.Docs, def.Gate = d.name.text, d.docs, d.gate
	if def.Type != nil {
		def.Type.Name = def.Name
	}
	s.state[n.text] = done
	s.defs[n.text] = def
	return def, nil
}

func (r *resolver) make(s *scope, d *typeDecl) (*TypeDef, error) {
	switch d.kind {
	case 0:
		return r.alias(s, d)
	case binary.Own:
		return &TypeDef{Resource: &binary.Resource{Name: d.name.text}}, nil
	}
	t := &binary.Type{Kind: d.kind}
	def := &TypeDef{Type: t}
	seen := newScope()
	for i, m := range d.members {
		if err := seen.claim(m.name); err != nil {
			return nil, err
		}
		var mt *binary.Type
		if m.typ != nil {
			var err error
			if mt, err = r.typ(s, m.typ); err != nil {
				return nil, err
			}
		}
		switch d.kind {
		case binary.Record:
			t.Fields = append(t.Fields, binary.Field{Name: m.name.text, Type: mt})
		case binary.Variant:
			t.Cases = append(t.Cases, binary.Case{Name: m.name.text, Type: mt})
		default:
			t.Names = append(t.Names, m.name.text)
		}
		if m.docs != "" {
			if def.Members == nil {
				def.Members = make([]string, len(d.members))
			}
			def.Members[i] = m.docs
		}
	}
	return def, r.learn(t, d.name.at)
}

func (r *resolver) alias(s *scope, d *typeDecl) (*TypeDef, error) {
	if d.alias.kind != 0 {
		t, err := r.typ(s, d.alias)
		return &TypeDef{Type: t}, err
	}
	from, err := r.define(s, d.alias.name)
	if err != nil {
		return nil, err
	}
	if from.Resource != nil {
		return &TypeDef{Resource: from.Resource, From: from}, nil
	}
	t := *from.Type
	r.facts[&t] = r.facts[from.Type]
	return &TypeDef{Type: &t, From: from}, nil
}

// typ gives the type an expression means; a fresh one unless it is a name.
func (r *resolver) typ(s *scope, e *typeExpr) (*binary.Type, error) {
	t := &binary.Type{Kind: e.kind}
	if e.name.text != "" {
		def, err := r.define(s, e.name)
		if err != nil {
			return nil, err
		}
		if e.kind == 0 && def.Type != nil {
			return def.Type, nil
		}
		if def.Resource == nil {
			return nil, e.at.err(fault.Invalid, "name a resource", "%q is not a resource", e.name.text)
		}
		if t.Resource, t.Name = def.Resource, def.Name; e.kind == 0 {
			t.Kind = binary.Own
		}
		return t, r.learn(t, e.at)
	}
	parts := make([]*binary.Type, len(e.args))
	for i, a := range e.args {
		if a == nil {
			continue
		}
		var err error
		if parts[i], err = r.typ(s, a); err != nil {
			return nil, err
		}
	}
	switch e.kind {
	case binary.List, binary.Option:
		t.Elem = parts[0]
	case binary.Result:
		t.Elem, t.Err = parts[0], parts[1]
	case binary.Tuple:
		for _, p := range parts {
			t.Fields = append(t.Fields, binary.Field{Type: p})
		}
	}
	return t, r.learn(t, e.at)
}

// learn records the facts of a new type from those of its parts.
func (r *resolver) learn(t *binary.Type, at place) error {
	f := facts{depth: 1, borrow: t.Kind == binary.Borrow}
	part := func(p *binary.Type) {
		if p != nil {
			f.depth = max(f.depth, r.facts[p].depth+1)
			f.borrow = f.borrow || r.facts[p].borrow
		}
	}
	part(t.Elem)
	part(t.Err)
	for _, x := range t.Fields {
		part(x.Type)
	}
	for _, x := range t.Cases {
		part(x.Type)
	}
	r.facts[t] = f
	if f.depth > maxDepth {
		return at.err(fault.Exhausted, "", "types are nested deeper than %d", maxDepth)
	}
	return nil
}

// fn gives a function its type; resource functions get their implied self or result.
func (r *resolver) fn(s *scope, resource *typeDecl, f *funcDecl) (*binary.Func, error) {
	t := &binary.Func{}
	if f.kind == "method" {
		self := &binary.Type{Kind: binary.Borrow, Resource: s.defs[resource.name.text].Resource}
		t.Params = append(t.Params, binary.Field{Name: "self", Type: self})
	}
	seen := newScope()
	for _, p := range t.Params {
		seen.taken[p.Name] = true
	}
	for _, p := range f.params {
		if err := seen.claim(p.name); err != nil {
			return nil, err
		}
		pt, err := r.typ(s, p.typ)
		if err != nil {
			return nil, err
		}
		t.Params = append(t.Params, binary.Field{Name: p.name.text, Type: pt})
	}
	if f.result != nil {
		var err error
		if t.Result, err = r.typ(s, f.result); err != nil {
			return nil, err
		}
		if r.facts[t.Result].borrow {
			return nil, f.result.at.err(fault.Invalid, "return the resource itself", "a result cannot contain a borrowed handle")
		}
	}
	if f.kind == "constructor" {
		made := s.defs[resource.name.text].Resource
		if t.Result == nil {
			t.Result = &binary.Type{Kind: binary.Own, Resource: made}
		} else if ok := t.Result.Elem; t.Result.Kind != binary.Result || ok == nil || ok.Kind != binary.Own || ok.Resource != made {
			return nil, f.result.at.err(fault.Invalid, "return nothing or result<"+resource.name.text+", …>",
				"a constructor returns its resource or a result of it")
		}
	}
	return t, nil
}

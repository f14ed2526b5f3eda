package binary

import "slices"

// Kind is the sort of a component value type (Component Model, Explainer: "Fundamental
// and specialized value types").
type Kind uint8

// The value types. Async-only types (stream, future, error-context) are refused by Decode.
const (
	Bool Kind = iota + 1
	S8
	U8
	S16
	U16
	S32
	U32
	S64
	U64
	F32
	F64
	Char
	String
	List
	Record
	Tuple
	Variant
	Enum
	Option
	Result
	Flags
	Own
	Borrow
)

// Type is a fully resolved value type: a tree without indexes. Types are immutable after
// they are made and shared between goroutines. Which fields are set follows from Kind.
type Type struct {
	Kind     Kind
	Name     string    // the exported name, when it has one; for printing only
	Elem     *Type     // List, Option: the element; Result: the ok type or nil
	Err      *Type     // Result: the error type or nil
	Fields   []Field   // Record: named; Tuple: names are empty
	Cases    []Case    // Variant
	Names    []string  // Enum, Flags
	Resource *Resource // Own, Borrow
}

// Field is one field of a record or tuple.
type Field struct {
	Name string
	Type *Type
}

// Case is one case of a variant; Type is nil for a case without payload.
type Case struct {
	Name string
	Type *Type
}

// Resource is the identity of a resource type: two resources are the same type if and only
// if they are the same pointer.
type Resource struct {
	Name string
	// Host is set when the resource is defined by the embedder: "iface/name".
	Host string
}

// Func is a function type. Result is nil when there is none.
type Func struct {
	Params []Field
	Result *Type
}

// Same says whether two types, or two missing ones, are equal: by structure and labels, not by
// their names, and with the same resources.
func (t *Type) Same(o *Type) bool {
	if t == o {
		return true
	}
	if t == nil || o == nil || t.Kind != o.Kind || t.Resource != o.Resource {
		return false
	}
	return slices.Equal(t.Names, o.Names) &&
		slices.EqualFunc(t.Fields, o.Fields, Field.same) &&
		slices.EqualFunc(t.Cases, o.Cases, func(a, b Case) bool { return Field(a).same(Field(b)) }) &&
		t.Elem.Same(o.Elem) && t.Err.Same(o.Err)
}

func (f Field) same(o Field) bool { return f.Name == o.Name && f.Type.Same(o.Type) }

// Same says whether two function types are equal, with the names of their parameters.
func (f *Func) Same(o *Func) bool {
	return f == o || slices.EqualFunc(f.Params, o.Params, Field.same) && f.Result.Same(o.Result)
}

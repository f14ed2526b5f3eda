package binary

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

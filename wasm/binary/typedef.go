package binary

// TypeDef is a type definition with indexes. Exactly one of Value, Func, Resource, IsComponent
// and IsInstance is set; Decls belongs to the last two.
type TypeDef struct {
	Value       *ValueDef
	Func        *FuncDef
	Resource    *ResourceDef
	IsComponent bool
	IsInstance  bool
	Decls       []Decl
}

// Ref is a value type in a definition: a primitive Kind, or an index when Kind is 0.
type Ref struct {
	Kind  Kind
	Index uint32
}

// ValueDef defines a value type; its fields mean what those of Type mean.
type ValueDef struct {
	Kind     Kind
	Elem     *Ref
	Err      *Ref
	Fields   []FieldRef // Record, Tuple, Variant
	Names    []string
	Resource uint32 // Own, Borrow: type index
}

// FieldRef is a record field, tuple element, variant case or parameter; Type is nil for a case
// without payload.
type FieldRef struct {
	Name string
	Type *Ref
}

// FuncDef defines a function type; Result is nil when there is none.
type FuncDef struct {
	Params []FieldRef
	Result *Ref
}

// ResourceDef defines a resource type; Dtor is a core function index or nil.
type ResourceDef struct{ Dtor *uint32 }

// Decl is one declarator of a component or instance type: exactly one pointer is set.
type Decl struct {
	Offset   int
	CoreType *CoreType
	Type     *TypeDef
	Alias    *Alias
	Import   *Import // component types only
	Export   *Import
}

// CoreType is a core type definition: exactly one pointer is set.
type CoreType struct {
	Func   *CoreFuncType
	Module *ModuleType
}

// CoreFuncType is a core function type, as binary value type codes (0x7f is i32). Outer stands
// for one of an enclosing scope; then the others are empty.
type CoreFuncType struct {
	Params, Results []byte
	Outer           *CoreOuter
}

// CoreOuter is an outer alias of a module type; Count 0 is the scope that holds the module type.
type CoreOuter struct{ Count, Index uint32 }

// ModuleType is the type of a core module: what it imports and exports, and what it takes from
// enclosing scopes, used or not.
type ModuleType struct {
	Imports []ModuleItem
	Exports []ModuleItem
	Outer   []*CoreOuter
}

// ModuleItem is an import (with Module) or export of a module type. Func is set for functions,
// Shape for the others.
type ModuleItem struct {
	Module string
	Name   string
	Sort   CoreSort
	Func   *CoreFuncType
	Shape
}

// Shape is the type of a core table, memory or global.
type Shape struct {
	Value    byte   // code of the type of a table's elements or of a global; 0 for a memory
	Mutable  bool   // a global
	Min, Max uint32 // elements of a table, pages of a memory
	Bounded  bool   // Max is given
}

package binary

// Component is one decoded component: its definitions in file order. Index spaces follow from
// that order. It is immutable after Decode and shares memory with the bytes given to it.
type Component struct {
	Offset int // of the preamble in the whole file
	Size   int
	Defs   []Def
	Custom []Custom
}

// Custom is a custom section, such as "component-name", "producers" or "package-docs:…".
type Custom struct {
	Name string
	Data []byte
}

// Def is one definition: exactly one of the pointers is set.
type Def struct {
	Offset       int // in the whole file
	CoreModule   *CoreModule
	CoreInstance *CoreInstance
	CoreType     *CoreType
	Component    *Component
	Instance     *Instance
	Alias        *Alias
	Type         *TypeDef
	Canon        *Canon
	Import       *Import
	Export       *Export
}

// CoreModule is an embedded core module.
type CoreModule struct{ Code []byte }

// CoreSort is the sort of a core item.
type CoreSort uint8

// The core sorts with their binary codes.
const (
	CoreFunc       CoreSort = 0x00
	CoreTable      CoreSort = 0x01
	CoreMemory     CoreSort = 0x02
	CoreGlobal     CoreSort = 0x03
	CoreTag        CoreSort = 0x04
	CoreTypeSort   CoreSort = 0x10
	CoreModuleSort CoreSort = 0x11
	CoreInstSort   CoreSort = 0x12
)

// Sort is the sort of a component item. SortCoreModule stands for "core module", the only
// core sort that components pass to each other.
type Sort uint8

// The sorts. SortCore items carry a CoreSort beside them.
const (
	SortCore      Sort = 0x00
	SortFunc      Sort = 0x01
	SortType      Sort = 0x03
	SortComponent Sort = 0x04
	SortInstance  Sort = 0x05
)

// String names the sort as the text format does.
func (s Sort) String() string {
	switch s {
	case SortCore:
		return "core module"
	case SortFunc:
		return "func"
	case SortType:
		return "type"
	case SortComponent:
		return "component"
	case SortInstance:
		return "instance"
	}
	return "unknown sort"
}

// String names the sort as the text format does.
func (s CoreSort) String() string {
	switch s {
	case CoreFunc:
		return "core func"
	case CoreTable:
		return "core table"
	case CoreMemory:
		return "core memory"
	case CoreGlobal:
		return "core global"
	case CoreTag:
		return "core tag"
	case CoreTypeSort:
		return "core type"
	case CoreModuleSort:
		return "core module"
	case CoreInstSort:
		return "core instance"
	}
	return "unknown core sort"
}

// CoreInstance instantiates a module with instances as arguments, or, when Inline, is just a
// bag of exports.
type CoreInstance struct {
	Inline  bool
	Module  uint32
	Args    []CoreArg
	Exports []CoreItem
}

// CoreArg passes a core instance under a module name.
type CoreArg struct {
	Name     string
	Instance uint32
}

// CoreItem is a named reference into a core index space.
type CoreItem struct {
	Name  string
	Sort  CoreSort
	Index uint32
}

// Instance instantiates a component, or, when Inline, is just a bag of exports.
type Instance struct {
	Inline    bool
	Component uint32
	Args      []Item
	Exports   []Item
}

// Item is a named reference into a component index space (for SortCore: core modules).
type Item struct {
	Name  string
	Sort  Sort
	Index uint32
}

// AliasTarget says what an alias points into.
type AliasTarget uint8

// The alias targets with their binary codes.
const (
	AliasExport     AliasTarget = 0
	AliasCoreExport AliasTarget = 1
	AliasOuter      AliasTarget = 2
)

// Alias adds an item of an instance or of an enclosing scope to an index space.
type Alias struct {
	Sort     Sort
	CoreSort CoreSort // when Sort is SortCore
	Target   AliasTarget
	Instance uint32 // AliasExport, AliasCoreExport
	Name     string // AliasExport, AliasCoreExport
	Count    uint32 // AliasOuter: scopes outward
	Index    uint32 // AliasOuter
}

// Import is an import of a component or component type. Suffix is what was cut off a version to
// make the name canonical ("a:b/c@0.2" of 0.2.3 has ".3"), Implements the interface that an
// instance with a plain name has; neither plays a part in validation.
type Import struct {
	Name       string
	Suffix     string
	Implements string
	Type       Extern
}

// Export is an export of a component. Type is the ascribed type or nil; Suffix and Implements are
// as in Import.
type Export struct {
	Item
	Suffix     string
	Implements string
	Type       *Extern
}

// Extern is the type of an import or export. For SortCore, SortFunc, SortComponent and
// SortInstance Index is the type index; for SortType it is the type it equals unless Fresh,
// which stands for (sub resource).
type Extern struct {
	Sort  Sort
	Index uint32
	Fresh bool
}

// CanonOp is a canonical definition.
type CanonOp uint8

// The supported canonical definitions with their binary codes.
const (
	CanonLift         CanonOp = 0
	CanonLower        CanonOp = 1
	CanonResourceNew  CanonOp = 2
	CanonResourceDrop CanonOp = 3
	CanonResourceRep  CanonOp = 4
)

// Encoding is a string encoding option of a canonical definition.
type Encoding uint8

// The string encodings with their binary codes.
const (
	UTF8        Encoding = 0
	UTF16       Encoding = 1
	Latin1UTF16 Encoding = 2
)

// Canon is a canonical definition. Memory, Realloc and PostReturn are nil when not given.
type Canon struct {
	Op         CanonOp
	Func       uint32 // Lift: core func; Lower: func
	Type       uint32 // Lift: function type; resource builtins: resource type
	Encoding   Encoding
	Memory     *uint32
	Realloc    *uint32
	PostReturn *uint32
}

package canon

import "greentic.dev/wasm/binary"

// Values cross the border as plain Go values:
//
//	bool                     bool
//	s8..s64, u8..u64         int8..int64, uint8..uint64
//	f32, f64                 float32, float64
//	char                     rune
//	string                   string
//	list<u8>                 []byte
//	other lists, tuples      []any
//	record                   Record
//	variant, enum            Variant (Value nil for a case without payload)
//	option                   Option
//	result                   Result
//	flags                    Flags
//	own, borrow              Handle
//
// Lowering accepts exactly these and reports any other type with the path to it.

// Record is the fields of a record, in the order of its type.
type Record []Named

// Named is one field of a record value.
type Named struct {
	Name  string
	Value any
}

// Get returns the field called name, or nil.
func (r Record) Get(name string) any {
	for i := range r {
		if r[i].Name == name {
			return r[i].Value
		}
	}
	return nil
}

// Variant is one case of a variant or enum.
type Variant struct {
	Case  string
	Value any
}

// Option is none (zero value) or some value.
type Option struct {
	Some  bool
	Value any
}

// Some is the option that holds v.
func Some(v any) Option { return Option{Some: true, Value: v} }

// Result is ok (zero value without payload) or an error.
type Result struct {
	IsErr bool
	Value any // payload of the side taken; nil when that side has none
}

// OK is the successful result with payload v (nil for none).
func OK(v any) Result { return Result{Value: v} }

// Err is the failed result with payload v (nil for none).
func Err(v any) Result { return Result{IsErr: true, Value: v} }

// Flags is the set of flags that are on, in the order of the type.
type Flags []string

// Handle is a resource at the border. For a resource of the host Rep is the Go value the
// host made it with; for one of a guest it is the guest's uint32 representation.
type Handle struct {
	Resource *binary.Resource // set on lift; on lower of a host resource it may be nil
	Rep      any
}

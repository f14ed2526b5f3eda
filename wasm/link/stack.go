package link

import (
	"reflect"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

// keepStack is the longest stack, in bytes, that a function object may keep between calls.
const keepStack = 64 << 10

// wipe clears the stack of a function object that is not running, so that nothing of a call
// rests in it. It says whether the object may be kept for another call: one whose stack has
// grown far, or cannot be seen, should be dropped instead.
func wipe(f api.Function) (keep bool) {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	stack := v.Elem().FieldByName("stack")
	if !stack.IsValid() || stack.Type() != reflect.TypeFor[[]byte]() || stack.Len() > keepStack {
		return false
	}
	clear(unsafe.Slice((*byte)(stack.UnsafePointer()), stack.Len()))
	return true
}

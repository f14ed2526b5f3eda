package core

import (
	"reflect"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

// keepStack is the longest stack, in bytes, that a function object may keep between calls.
const keepStack = 64 << 10

// WipeStack clears the stack of a function object that is not running, so that nothing of a call
// rests in it. It says whether the object may be kept for another call: one whose stack has
// grown far, or cannot be seen, should be dropped instead.
func WipeStack(f api.Function) (keep bool) {
	stack, ok := stackOf(f)
	if !ok || stack.Len() > keepStack {
		return false
	}
	clear(unsafe.Slice((*byte)(stack.UnsafePointer()), stack.Len()))
	return true
}

func stackOf(f api.Function) (stack reflect.Value, ok bool) {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return stack, false
	}
	stack = v.Elem().FieldByName("stack")
	return stack, stack.IsValid() && stack.Type() == reflect.TypeFor[[]byte]()
}

// Limits of calls of guests that wait for guests: a destructor that drops a resource, a
// component that calls another. The engine counts calls within a module only, and each entry
// costs a stack.
const (
	maxEntries = 200
	maxStacks  = 32 << 20 // bytes, of those that wait
	fewEnough  = 2        // entries whose stacks need no adding up: realloc within a call is one
)

// TooDeep says whether the functions that wait for one another leave no room for one more.
func TooDeep(waiting []api.Function) bool {
	if len(waiting) < fewEnough {
		return false
	}
	total := 0
	for _, f := range waiting {
		if stack, ok := stackOf(f); ok {
			total += stack.Len()
		}
	}
	return len(waiting) >= maxEntries || total > maxStacks
}

package core

import (
	"reflect"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
)

// keepStack is the longest stack, in bytes, that a function object may keep between calls.
const keepStack = 64 << 10

// Stack is where the stack of a function object stands, which may grow into another; nil when it
// cannot be seen.
type Stack = *[]byte

// StackOf finds the stack of a function object.
func StackOf(f api.Function) Stack {
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil
	}
	stack := v.Elem().FieldByName("stack")
	if !stack.IsValid() || stack.Type() != reflect.TypeFor[[]byte]() {
		return nil
	}
	return Stack(unsafe.Pointer(stack.UnsafeAddr()))
}

// WipeStack clears the stack of a function object that is not running, so that nothing of a call
// rests in it. It says whether the object may be kept for another call: one whose stack has
// grown far, or cannot be seen, should be dropped instead.
func WipeStack(s Stack) (keep bool) {
	if s == nil || len(*s) > keepStack {
		return false
	}
	clear(*s)
	return true
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
func TooDeep(waiting []Stack) bool {
	if len(waiting) < fewEnough {
		return false
	}
	total := 0
	for _, s := range waiting {
		if s != nil {
			total += len(*s)
		}
	}
	return len(waiting) >= maxEntries || total > maxStacks
}

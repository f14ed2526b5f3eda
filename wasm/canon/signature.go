package canon

import (
	"context"
	"fmt"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
)

// Encoding is how a guest stores strings (canonical option string-encoding).
type Encoding uint8

// The encodings. The zero value is that of a canonical definition without the option.
const (
	UTF8         Encoding = iota
	UTF16                 // little endian
	CompactUTF16          // latin1+utf16: Latin-1, or UTF-16 when the length is tagged
)

// Options are the canonical options of one lift or lower definition, bound to an instance.
type Options struct {
	Encoding Encoding
	// Memory gives the current view of the whole linear memory, valid until the next call
	// into the guest. Nil when the definition has no memory.
	Memory func() []byte
	// Realloc calls the guest's realloc. Nil when the definition has none. Its errors are
	// passed on with their kind.
	Realloc func(ctx context.Context, old, oldSize, align, size uint32) (uint32, error)
}

// Env is what one side of one call needs: the options and the tables of the instance it
// lowers to and lifts from. It serves one call at a time, on one goroutine: either LowerArgs
// then LiftResult (a call into the guest) or LiftArgs then LowerResult (a call out of it).
type Env struct {
	Ctx     context.Context // handed to Realloc
	Opt     *Options
	Handles *Table // of the component instance; may be nil when no type has handles
	// Payload is the number of bytes this invocation may still move, shared by all its calls;
	// nil is unlimited. Strings and byte lists count their length, other values what they
	// cost the host: 32 bytes for a list element, 48 for a record field or a variant.
	Payload *int
	Budget  int // what Payload began with, for messages; 0: not said

	// From is how the guest that strings to lower come from stores them; nil when they come from
	// the host, which holds them in the encoding they go to.
	From *Encoding

	scope *scope   // made by the first borrow of the call
	args  []any    // of the call out of the guest, while it lasts
	moved []Handle // owned handles that were lifted by a lift that has not ended
}

// scope is the borrow scope of one call (spec: Task.num_borrows and Subtask.lenders).
type scope struct {
	borrows int      // borrowed handles the callee has not dropped yet
	lent    []uint32 // handles of the caller that are lent for the time of the call
}

func (e *Env) borrowScope() *scope {
	if e.scope == nil {
		e.scope = &scope{}
	}
	return e.scope
}

// charge takes n bytes from the budget, before anything is allocated for them.
func (e *Env) charge(n uint64) error {
	if e.Payload == nil {
		return nil
	}
	if left := *e.Payload; left < 0 || n > uint64(left) {
		msg := "payload budget exceeded"
		if e.Budget > 0 {
			msg += fmt.Sprintf(", %d KiB", e.Budget>>10)
		}
		return &failure{kind: fault.Exhausted, msg: msg}
	}
	*e.Payload -= int(n)
	return nil
}

// Limits of flat calls (spec: MAX_FLAT_PARAMS, MAX_FLAT_RESULTS).
const (
	maxFlatParams  = 16
	maxFlatResults = 1
)

// Signature is a function type with everything that lifting and lowering needs computed once.
// It is immutable and may be shared between goroutines.
type Signature struct {
	params        *node // a tuple
	result        *node // nil when there is none
	spillParams   bool
	spillResult   bool
	lowered       int // number of core params of the lowered function, retptr included
	liftedResults int
}

// Compile computes the signature of ft. Resources are identified by the pointers in ft.
func Compile(ft *binary.Func) *Signature { return NewCompiler(nil).Compile(ft) }

// Compiler computes signatures that share what their types share, so that many functions of one
// large type cost no more than the type. It serves one goroutine; its signatures serve any.
type Compiler struct {
	nodes compiler
	made  map[*binary.Func]*Signature
}

// NewCompiler makes a compiler. resolve maps a resource of a type to the one that stands for it
// at run time; nil keeps them.
func NewCompiler(resolve func(*binary.Resource) *binary.Resource) *Compiler {
	return &Compiler{nodes: compiler{seen: map[*binary.Type]*node{}, resolve: resolve}, made: map[*binary.Func]*Signature{}}
}

// Compile computes the signature of ft, once.
func (c *Compiler) Compile(ft *binary.Func) *Signature {
	s := c.made[ft]
	if s == nil {
		s = c.nodes.signature(ft)
		c.made[ft] = s
	}
	return s
}

func (c *compiler) signature(ft *binary.Func) *Signature {
	s := &Signature{params: c.tuple(ft.Params)}
	s.spillParams = len(s.params.flat) > maxFlatParams
	s.lowered = len(s.params.flat)
	if s.spillParams {
		s.lowered = 1
	}
	if ft.Result != nil {
		s.result = c.node(ft.Result)
		s.liftedResults = min(len(s.result.flat), maxFlatResults)
		if s.spillResult = len(s.result.flat) > maxFlatResults; s.spillResult {
			s.lowered++
		}
	}
	return s
}

// CoreLifted is the core type of the exported core function that canon lift wraps, as
// value type bytes: 0x7f i32, 0x7e i64, 0x7d f32, 0x7c f64.
func (s *Signature) CoreLifted() (params, results []byte) {
	params = s.coreParams()
	switch {
	case s.result == nil:
	case s.spillResult:
		results = []byte{i32}
	default:
		results = append(results, s.result.flat...)
	}
	return params, results
}

// CoreLowered is the core type of the function that canon lower makes for a core import. When
// the result does not fit, the last parameter points to where it goes.
func (s *Signature) CoreLowered() (params, results []byte) {
	params = s.coreParams()
	switch {
	case s.result == nil:
	case s.spillResult:
		params = append(params, i32)
	default:
		results = append(results, s.result.flat...)
	}
	return params, results
}

func (s *Signature) coreParams() []byte {
	if s.spillParams {
		return []byte{i32}
	}
	return append([]byte(nil), s.params.flat...)
}

// LowerArgs writes args for a call into the guest and returns the core arguments, in flat when
// it is large enough. A value of the wrong Go type is Invalid with the path to it.
func (s *Signature) LowerArgs(env *Env, args []any, flat []uint64) ([]uint64, error) {
	const op = "lower arguments"
	if len(args) != len(s.params.fields) {
		return nil, fault.Newf(fault.Invalid, op, "want %d arguments, got %d", len(s.params.fields), len(args))
	}
	l := lowerer{env: env, flat: flat[:0]}
	l.refresh()
	if s.spillParams {
		ptr, err := l.alloc(s.params.align, s.params.size)
		if err != nil {
			return nil, report(op, err)
		}
		for i := range s.params.fields {
			f := &s.params.fields[i]
			if err := l.store(f.node, args[i], ptr+f.offset); err != nil {
				return nil, report(op, within(err, index("args", i)))
			}
		}
		return append(l.flat, uint64(ptr)), nil
	}
	for i := range s.params.fields {
		if err := l.lower(s.params.fields[i].node, args[i]); err != nil {
			return nil, report(op, within(err, index("args", i)))
		}
	}
	return l.flat, nil
}

// LiftResult reads what a call into the guest returned; flat is the core results. The value is
// owned by the caller. It traps when the guest still holds handles borrowed for this call.
// Run post-return after it.
func (s *Signature) LiftResult(env *Env, flat []uint64) (any, error) {
	const op = "lift result"
	v, err := s.liftResult(env, flat)
	if err = env.settle(err); err != nil {
		return nil, report(op, within(err, "result"))
	}
	if sc := env.scope; sc != nil {
		env.scope = nil
		if sc.borrows > 0 {
			return nil, report(op, trapf("%d borrowed handles were not dropped before the call returned", sc.borrows))
		}
	}
	return v, nil
}

func (s *Signature) liftResult(env *Env, flat []uint64) (any, error) {
	if s.result == nil {
		return nil, nil
	}
	if len(flat) < s.liftedResults {
		return nil, &failure{kind: fault.Internal, msg: "core results are missing"}
	}
	l := lifter{env: env, mem: env.memory(), flat: flat}
	if !s.spillResult {
		return l.lift(s.result)
	}
	ptr := uint32(flat[0])
	if err := l.check(ptr, s.result.align, s.result.size); err != nil {
		return nil, err
	}
	return l.load(s.result, ptr)
}

// LiftArgs reads the arguments of a call out of the guest; flat is the core arguments. The
// values are owned by the caller, the slice is used again after LowerResult. Borrowed handles
// stay lent until then.
func (s *Signature) LiftArgs(env *Env, flat []uint64) ([]any, error) {
	args, err := s.liftArgs(env, flat)
	return args, env.settle(err)
}

func (s *Signature) liftArgs(env *Env, flat []uint64) ([]any, error) {
	const op = "lift arguments"
	if len(flat) < s.lowered {
		return nil, fault.New(fault.Internal, op, "core arguments are missing")
	}
	if len(s.params.fields) == 0 {
		return nil, nil
	}
	l := lifter{env: env, mem: env.memory(), flat: flat}
	if s.spillParams {
		if err := l.check(uint32(flat[0]), s.params.align, s.params.size); err != nil {
			return nil, report(op, within(err, "args"))
		}
	}
	// Like records below: the parameter types of a hostile binary may be many.
	if err := env.charge(elementCost * uint64(len(s.params.fields))); err != nil {
		return nil, report(op, err)
	}
	args := env.room(len(s.params.fields))
	for i := range s.params.fields {
		f := &s.params.fields[i]
		var err error
		if s.spillParams {
			args[i], err = l.load(f.node, uint32(flat[0])+f.offset)
		} else {
			args[i], err = l.lift(f.node)
		}
		if err != nil {
			return nil, report(op, within(err, index("args", i)))
		}
	}
	return args, nil
}

// room is a slice for the arguments of a call; the next call has the same.
func (e *Env) room(n int) []any {
	if cap(e.args) < n {
		e.args = make([]any, n)
	}
	e.args = e.args[:n]
	return e.args
}

// LowerResult gives the guest the result of a call out of it. flat is the core stack of the
// call: on entry its arguments, on return its result in flat[0], if it has one. Handles lent
// for the call are returned.
func (s *Signature) LowerResult(env *Env, v any, flat []uint64) error {
	const op = "lower result"
	if err := s.lowerResult(env, v, flat); err != nil {
		return report(op, within(err, "result"))
	}
	clear(env.args)
	if sc := env.scope; sc != nil {
		env.scope = nil
		env.Handles.takeBack(sc.lent)
	}
	return nil
}

func (s *Signature) lowerResult(env *Env, v any, flat []uint64) error {
	if s.result == nil {
		if v != nil {
			return wrongType("nothing", v)
		}
		return nil
	}
	if len(flat) < max(s.lowered, s.liftedResults) {
		return &failure{kind: fault.Internal, msg: "the core stack is too small"}
	}
	if s.spillResult {
		l := lowerer{env: env}
		l.refresh()
		ptr := uint32(flat[s.lowered-1])
		if err := checkRange(l.mem, ptr, s.result.align, s.result.size); err != nil {
			return err
		}
		return l.store(s.result, v, ptr)
	}
	l := lowerer{env: env, flat: flat[:0]}
	l.refresh()
	return l.lower(s.result, v)
}

func (e *Env) memory() []byte {
	if e.Opt == nil || e.Opt.Memory == nil {
		return nil
	}
	return e.Opt.Memory()
}

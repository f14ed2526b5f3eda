package greentic

import (
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

func (r *Registered) find(name string) *Operation {
	for i := range r.ops {
		if r.ops[i].name == name {
			return &r.ops[i]
		}
	}
	return nil
}

// run does the operation ctx names with a plain input; the answer is plain too. Errors are *Error or
// what the operation returned.
func (r *Registered) run(ctx *Context, plain any) (out any, err error) {
	if r.fail != "" {
		return nil, Fail(CodeBroken, r.fail)
	}
	op := r.find(ctx.Operation)
	if op == nil {
		return nil, Fail(CodeNoOperation, r.info.ID+" has no operation "+strconv.Quote(ctx.Operation)+", only "+r.names())
	}
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, panicked(p)
		}
	}()
	in := op.inputs()
	if kind := op.in.Kind(); plain == nil && (kind == reflect.Struct || kind == reflect.Map) {
		plain = map[string]any{}
	}
	if err := decode(plain, in); err != nil {
		return nil, invalidInput(err)
	}
	answer, err := op.run(ctx, in)
	if err != nil {
		return nil, err
	}
	if out, err = encode(answer); err != nil {
		return nil, Fail(CodeInvalidOutput, "operation "+op.name+" answered what has no value form: "+err.Error())
	}
	return out, nil
}

func (r *Registered) names() string {
	names := make([]string, len(r.ops))
	for i := range r.ops {
		names[i] = r.ops[i].name
	}
	return strings.Join(names, ", ")
}

// panicked is a panic as an error, with the place it came from.
func panicked(p any) *Error {
	text := "a value of type " + reflect.TypeOf(p).String()
	switch p := p.(type) {
	case error:
		text = p.Error()
	case string:
		text = p
	}
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if f.Function != "" && !strings.HasPrefix(f.Function, "runtime.") {
			file := f.File[strings.LastIndexByte(f.File, '/')+1:]
			return Fail(CodePanic, text+" in "+f.Function+" ("+file+":"+strconv.Itoa(f.Line)+")")
		}
		if !more {
			return Fail(CodePanic, text)
		}
	}
}

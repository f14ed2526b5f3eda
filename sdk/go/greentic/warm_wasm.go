package greentic

import "greentic.dev/sdk/go/internal/abi"

// warm goes the way of an invocation once, without an operation of the component's. The host keeps the memory as it
// is after the start and puts it back before each call, so what is done here no call pays for: spans of the heap
// for small objects, plans of types, a goroutine's stack.
func warm(r *Registered) {
	done := make(chan bool)
	go func() {
		a := abi.Shared()
		p, _ := a.Alloc(sizeInvoke)
		r.invoke(a, p) // no operation has an empty name
		doc := document(object{"text": "x", "list": []any{int64(1), 1.5, true, nil}, "object": object{"a": "b"}})
		for i := range r.ops {
			in := r.ops[i].inputs()
			_ = Decode(plainOf(doc), in)
			_ = decode(object{}, r.ops[i].inputs())
			w := a.Write(sizeInvoked)
			w.Bytes(document(in))
		}
		a.Free()
		done <- true
	}()
	<-done
}

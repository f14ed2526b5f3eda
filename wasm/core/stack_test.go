package core_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"greentic.dev/wasm/core"
)

func TestNothingOfACallRestsOnAWipedStack(t *testing.T) {
	e := engine(t, "")
	m := &wasmModule{}
	m.fn("sum", []byte{i64, i64}, []byte{i64}, nil, 0x20, 0, 0x20, 1, 0x10, 1, 0x20, 0, 0x7c)
	m.fn("", []byte{i64, i64}, []byte{i64}, nil, 0x20, 0, 0x20, 1, 0x7c)
	m.fn("dive", []byte{i64}, []byte{i64}, nil, 0x20, 0, 0x50, 0x04, 0x7e, 0x20, 0, 0x05, 0x20, 0, 0x42, 1, 0x7d, 0x10, 2, 0x20, 0, 0x7c, 0x0b)
	i := instance(t, e, compile(t, e, m.bytes()), core.InstanceOptions{})
	const secret = 0x5ec5e75ec5e75ec5
	needle := binary.LittleEndian.AppendUint64(nil, secret)
	sum := i.Func("sum")
	rests := func() bool {
		stack := reflect.ValueOf(sum).Elem().FieldByName("stack")
		return bytes.Contains(stack.Bytes(), needle)
	}
	for range 3 {
		if _, err := sum.Call(t.Context(), secret, 1); err != nil {
			t.Fatal(err)
		}
		if !rests() {
			t.Fatal("the secret was never on the stack: the test proves nothing")
		}
		if !core.Wipe(sum) || rests() {
			t.Fatal("the secret rests on the stack")
		}
	}
	dive := i.Func("dive")
	if _, err := dive.Call(t.Context(), 9000); err != nil {
		t.Fatal(err)
	}
	if core.Wipe(dive) {
		t.Error("a stack that has grown far is kept")
	}
}

package filled_test

import (
	"reflect"
	"testing"

	"greentic.dev/greentic"
	"greentic.dev/internal/filled"
)

func TestNoFieldIsZero(t *testing.T) {
	var p struct {
		A greentic.Trigger
		B []greentic.Event
		C *greentic.Reply
		D any
	}
	filled.Fill(&p)
	for _, v := range []reflect.Value{reflect.ValueOf(p), reflect.ValueOf(p.A), reflect.ValueOf(p.A.Tenant), reflect.ValueOf(p.B[1]), reflect.ValueOf(*p.C)} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s of %s is zero", v.Type().Field(i).Name, v.Type())
			}
		}
	}
}

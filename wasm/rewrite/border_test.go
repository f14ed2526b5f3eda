package rewrite

import (
	"reflect"
	"testing"
)

func TestBorderShowsWhatIsDeclared(t *testing.T) {
	m, err := Parse([]byte("\x00asm\x01\x00\x00\x00"+
		"\x02\x18\x03\x01a\x01t\x01\x70\x00\x02\x01a\x01g\x03\x7e\x01\x01a\x01m\x02\x01\x01\x04"+
		"\x04\x05\x01\x6f\x01\x03\x07"+
		"\x06\x06\x01\x7f\x00\x41\x00\x0b"+
		"\x07\x15\x05\x01a\x01\x00\x01b\x01\x01\x01c\x02\x00\x01d\x03\x00\x01e\x03\x01"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	imports, exports, err := m.Border()
	table, global, memory := Shape{Value: 0x70, Min: 2}, Shape{Value: 0x7e, Mutable: true}, Shape{Min: 1, Max: 4, Bounded: true}
	if err != nil || !reflect.DeepEqual(imports, []Shape{table, global, memory}) {
		t.Errorf("imports %+v, %v", imports, err)
	}
	if want := []Shape{table, {Value: 0x6f, Min: 3, Max: 7, Bounded: true}, memory, global, {Value: 0x7f}}; !reflect.DeepEqual(exports, want) {
		t.Errorf("exports %+v, want %+v", exports, want)
	}
}

func TestShapesFitAsImportsDo(t *testing.T) {
	two := Shape{Min: 2}
	four := Shape{Min: 2, Max: 4, Bounded: true}
	for _, tc := range []struct {
		got, want Shape
		fits      bool
	}{
		{two, two, true}, {two, Shape{Min: 1}, true}, {two, Shape{Min: 3}, false}, {two, four, false}, {four, two, true},
		{four, Shape{Min: 2, Max: 5, Bounded: true}, true}, {four, Shape{Min: 2, Max: 3, Bounded: true}, false},
		{Shape{Value: 0x7f}, Shape{Value: 0x7e}, false}, {Shape{Value: 0x7f, Mutable: true}, Shape{Value: 0x7f}, false},
		{Shape{Value: 0x7f}, Shape{Value: 0x7f, Mutable: true}, false},
	} {
		if tc.got.Fits(tc.want) != tc.fits {
			t.Errorf("%+v for %+v: %v", tc.got, tc.want, !tc.fits)
		}
	}
}

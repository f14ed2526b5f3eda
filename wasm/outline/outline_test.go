package outline_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/binary"
	"greentic.dev/wasm/outline"
	"greentic.dev/wasm/wit"
)

const tickets = "../../examples/helpdesk/pack/components/helpdesk.tickets/component.wasm"

func read(t *testing.T, file string) *outline.Outline {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o, err := outline.Read(code, binary.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAComponentIsReadWithoutBeingCompiled(t *testing.T) {
	o := read(t, tickets)
	set, err := o.WIT()
	if err != nil || !strings.Contains(wit.Format(set), "export greentic:component/node@0.6.0;") {
		t.Errorf("%v", err)
	}
	modules := o.Modules()
	i := slices.IndexFunc(modules, func(m outline.Module) bool { return m.HasMemory })
	if i < 0 || modules[i].Memory == 0 || modules[i].Size < 100_000 || modules[i].Offset == 0 {
		t.Errorf("%+v", modules)
	}
	if _, err := outline.Read([]byte("\x00asm\x01\x00\x00\x00"), binary.Limits{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a core module: %v", err)
	}
}

// custom is a custom section.
func custom(name, body string) string {
	return "\x00" + string(rune(1+len(name)+len(body))) + string(rune(len(name))) + name + body
}

func TestProducersAreMergedOverAllModules(t *testing.T) {
	const (
		rust  = "\x01\x08language\x01\x04Rust\x00"
		twice = "\x02\x08language\x02\x04Rust\x00\x01C\x0217\x0cprocessed-by\x01\x02ld\x011"
	)
	module := "\x00asm\x01\x00\x00\x00" + custom("producers", twice)
	broken := "\x00asm\x01\x00\x00\x00" + custom("producers", "\x01\x08language\x7f\x04Ru")
	inner := "\x00asm\x0d\x00\x01\x00\x01" + string(rune(len(broken))) + broken + custom("producers", rust)
	code := "\x00asm\x0d\x00\x01\x00" + custom("producers", rust) + "\x01" + string(rune(len(module))) + module + "\x04" + string(rune(len(inner))) + inner
	o, err := outline.Read([]byte(code), binary.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []outline.Producer{{"language", "C", "17"}, {"language", "Rust", ""}, {"processed-by", "ld", "1"}}
	if got := o.Producers(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

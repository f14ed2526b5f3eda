package link_test

import (
	"testing"

	"greentic.dev/wasm/link"
)

func TestHostsAreFoundByCompatibleVersions(t *testing.T) {
	h := &link.Hosts{}
	for _, name := range []string{"wasi:io/poll@0.2.3", "wasi:io/poll@0.2.12", "wasi:io/poll@0.3.0", "wasi:io/poll@1.4.0", "a:b/c@1.0.0", "a:b/c@1.2.0",
		"a:b/c@0.0.3", "a:b/c@0.2.0-rc.1", "a:b/c", "wait"} {
		h.Add(&link.Interface{Name: name})
	}
	for name, want := range map[string]string{
		"wasi:io/poll@0.2.3": "wasi:io/poll@0.2.3", "wasi:io/poll@0.2.0": "wasi:io/poll@0.2.12", "wasi:io/poll@0.2.99": "wasi:io/poll@0.2.12",
		"wasi:io/poll@0.2": "wasi:io/poll@0.2.12", "wasi:io/poll@1": "wasi:io/poll@1.4.0", "wasi:io/poll@0.4.0": "", "wasi:io/poll@0.0.1": "", "wasi:io/poll": "",
		"wasi:io/poll@0.2.0-rc.1": "", "wasi:io/error@0.2.3": "",
		"a:b/c@1.0.0": "a:b/c@1.0.0", "a:b/c@1.1.0": "", "a:b/c@1": "a:b/c@1.2.0", "a:b/c@0.0.3": "a:b/c@0.0.3", "a:b/c@0.2": "", "a:b/c@2": "",
		"a:b/c": "a:b/c", "a:b/d": "", "wait": "wait",
	} {
		got := ""
		if i := h.Lookup(name); i != nil {
			got = i.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

package interfaces

import (
	"regexp"
	"strings"
	"testing"
)

func names() []string {
	return []string{Node, SchemaCore, Runtime, Run, ComponentDescriptor, ComponentSchema, ComponentQA, ComponentI18n,
		Descriptor, QA, I18n, Control, Secrets10, Secrets11, State, HTTP10, HTTP11, Telemetry, TypesCore, Types}
}

func TestEveryNameIsDefinedInItsPackage(t *testing.T) {
	form := regexp.MustCompile(`^greentic:([a-z-]+)/([a-z0-9-]+)@([0-9.]+)$`)
	for _, name := range names() {
		m := form.FindStringSubmatch(name)
		if m == nil {
			t.Errorf("%s is no interface name", name)
			continue
		}
		text, err := FS.ReadFile(m[1] + "-" + m[3] + ".wit")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.HasPrefix(string(text), "package greentic:"+m[1]+"@"+m[3]+";\n") {
			t.Errorf("%s: the file is another package", name)
		}
		if !strings.Contains(string(text), "\ninterface "+m[2]+" {\n") {
			t.Errorf("%s: no such interface in the file", name)
		}
	}
}

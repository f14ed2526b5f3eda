package js

import (
	"strings"
	"testing"

	"greentic.dev/greentic/fault"
)

// TestProjectsThatCannotBeBuilt: what is wrong is named, with its kind.
func TestProjectsThatCannotBeBuilt(t *testing.T) {
	for name, x := range map[string]struct {
		files map[string]string
		kind  fault.Kind
		text  string
	}{
		"no main":        {map[string]string{"package.json": `{"main": "src/none.js"}`}, fault.NotFound, "its main module src/none.js is not there"},
		"main outside":   {map[string]string{"package.json": `{"main": "../main.js"}`}, fault.NotFound, "its main module ../main.js is not there"},
		"no JSON":        {map[string]string{"package.json": `{"main": `}, fault.Invalid, "package.json"},
		"import outside": {map[string]string{"src/main.js": `import x from "../../x.js"; export default x;`}, fault.NotFound, `import "../../x.js": there is no such module`},
		"a package":      {map[string]string{"src/main.js": `import x from "left-pad"; export default x;`}, fault.NotFound, `import "left-pad": there is no such module`},
		"an interface":   {map[string]string{"src/main.js": `import * as x from "greentic:state/state-store@1.0.0"; export default x;`}, fault.Unsupported, "interfaces are reached through ctx"},
		"bad words":      {map[string]string{"src/main.js": `import x from "./x.json" with { type: "json" }; export default x;`, "src/x.json": `{,}`}, fault.Invalid, "it is no JSON"},
		"no default":     {map[string]string{"src/main.js": `export const x = 1;`}, fault.Invalid, "default"},
		"no component":   {map[string]string{"src/main.js": `export default {};`}, fault.Invalid, "the default export is no component"},
		"no Node":        {map[string]string{"package.json": `{"main": "main.ts"}`, "main.ts": `export default 1 as number;`}, fault.NotFound, "node is not at hand"},
		"no such engine": {map[string]string{"package.json": `{"main": "main.js", "greentic": {"engine": "v8"}}`, "main.js": ``}, fault.Invalid, `there is no engine "v8"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Build(t.Context(), lay(t, x.files), Options{Engine: engineFor(t)})
			if !fault.Is(err, x.kind) || !strings.Contains(err.Error(), x.text) {
				t.Errorf("got %v (%v), want %v: %s", err, fault.KindOf(err), x.kind, x.text)
			}
		})
	}
}

package library

import (
	"path/filepath"
	"strings"
	"testing"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/devkit/componenttest"
)

func TestTheCasesOfEachComponentPass(t *testing.T) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			code, m := read(t, name)
			files, err := componenttest.Find(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			var suites []*componenttest.Suite
			for _, f := range files {
				suite, err := componenttest.Read(f)
				if err != nil {
					t.Fatal(err)
				}
				suites = append(suites, suite)
			}
			report, err := componenttest.Run(t.Context(), componenttest.Subject{Engine: shared, Code: code, Manifest: m, Secrets: func() secrets.Store { return memory.New() }}, suites)
			if err != nil || report.Passed == 0 {
				t.Fatalf("%v %+v", err, report)
			}
			for _, r := range report.Cases {
				if !r.OK {
					t.Errorf("%s:%d %s: %s", r.File, r.Line, r.Name, strings.Join(r.Problems, "; "))
				}
			}
		})
	}
}

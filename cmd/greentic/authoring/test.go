package authoring

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/devkit/componenttest"
	"greentic.dev/greentic/fault"
	"greentic.dev/wasm"
)

func testCommand(t Terminal) *cobra.Command {
	var component string
	c := &cobra.Command{
		Use:   "test [DIR|FILE]",
		Short: "Run the test cases of a component against what was built",
		Long: `Run the *.componenttest.yaml files of a folder (default: this one), or one such file, against the component.
A project is built first, in memory. Secrets, state, HTTP and the clock are what a case says; nothing
else is reached. One case:

  cases:
    - name: asks the service
      op: forecast
      input: { city: Bern }
      config: { unit: celsius }
      secrets: { API_KEY: abc }
      state: { last: Basel }
      now: 2026-05-01T12:00:00Z
      tenant: { id: acme, user: ada, locale: de }
      http:
        - request: { method: GET, url: "https://api.example.com/bern", headers: { authorization: Bearer abc } }
          response: { status: 200, json: { temperature: 21 } }
      output: { text: 21 degrees }       # or contains: for a part of it, or error: { code, message, retryable, backoff_ms }
      state_after: { last: Bern }
      logs: [ asked ]`,
		Example: `  greentic component test
  greentic component test hello/hello.componenttest.yaml --component hello/component.wasm --json`,
		Args: t.Args(0, 1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			path := "."
			if len(args) > 0 {
				path = args[0]
			}
			files, err := componenttest.Find(path)
			if err != nil {
				return err
			}
			var suites []*componenttest.Suite
			for _, f := range files {
				s, err := componenttest.Read(f)
				if err != nil {
					return err
				}
				suites = append(suites, s)
			}
			if component == "" {
				component = filepath.Dir(files[0])
			}
			w, err := t.open(c.Context())
			if err != nil {
				return err
			}
			defer func() {
				if cerr := w.close(); err == nil {
					err = cerr
				}
			}()
			x, err := find([]string{component})
			if err != nil {
				return err
			}
			s := componenttest.Subject{Engine: w.engine, Code: x.code, Manifest: x.manifest, Limits: wasm.Limits{Memory: uint64(w.config.MemoryBytes), Wall: w.config.StepTime},
				Secrets: func() secrets.Store { return memory.New() }}
			if x.project {
				b, err := w.build(c.Context(), x.folder, "", true)
				if err != nil {
					return err
				}
				s.Code, s.Manifest = b.Code, b.Manifest
			}
			report, err := componenttest.Run(c.Context(), s, suites)
			if err != nil {
				return err
			}
			return t.printReport(report)
		},
	}
	c.Flags().StringVar(&component, "component", "", "component to test: a .wasm file, or the folder of one (default: the folder of the tests)")
	return c
}

func (t Terminal) printReport(r componenttest.Report) error {
	if t.JSON() {
		if err := t.Print(r); err != nil {
			return err
		}
	} else {
		for _, c := range r.Cases {
			if c.OK {
				fmt.Fprintf(t.Stdout, "ok    %s\n", c.Name)
				continue
			}
			fmt.Fprintf(t.Stdout, "FAIL  %s (%s:%d)\n", c.Name, c.File, c.Line)
			for _, p := range c.Problems {
				fmt.Fprintf(t.Stdout, "      %s\n", strings.ReplaceAll(p, "\n", "\n      "))
			}
			for _, call := range c.Calls {
				fmt.Fprintf(t.Stdout, "      it called %s\n", call)
			}
		}
		fmt.Fprintf(t.Stdout, "%d of %d cases passed\n", r.Passed, r.Passed+r.Failed)
	}
	if r.OK {
		return nil
	}
	return fault.Newf(fault.Invalid, "component test", "%d of %d cases failed", r.Failed, r.Passed+r.Failed)
}

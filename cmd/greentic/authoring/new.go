package authoring

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/build/guest"
	"greentic.dev/devkit/scaffold"
	"greentic.dev/devkit/vendored"
)

// sdkOf is the SDK of a language as a project carries it.
func sdkOf(lang string) (fs.FS, error) {
	if lang == string(guest.JavaScript) {
		return vendored.JavaScript()
	}
	return vendored.Go()
}

func newCommand(t Terminal) *cobra.Command {
	var lang, file string
	var given []string
	var schema bool
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a component in a new folder",
		Long: `Begin a component in a new folder: one operation, tests with and without a host, a README, and the SDK.
It builds without a network. NAME is the folder and the component's id: acme.weather.

What else it asks has defaults. Other answers come from --answer or, all together, from a file that
--schema describes.`,
		Example: `  greentic component new hello --lang go
  greentic component new acme.weather --lang js --answer "title=Weather"
  greentic component new --schema`,
		Args: func(c *cobra.Command, args []string) error {
			if schema {
				return t.Args(0, 0)(c, args)
			}
			return t.Args(1, 1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			w, err := scaffold.ComponentWizard(lang)
			if err != nil {
				return err
			}
			if schema {
				return t.Print(w.Schema())
			}
			answers, err := t.Answers(w, file, given)
			if err != nil {
				return err
			}
			if answers["lang"] != "" && !c.Flags().Changed("lang") {
				lang = answers["lang"]
			}
			answers["lang"] = lang
			sdk, err := sdkOf(lang)
			if err != nil {
				return err
			}
			files, err := scaffold.Component(args[0], lang, answers, sdk)
			if err != nil {
				return err
			}
			if t.JSON() {
				return t.Print(map[string]any{"folder": args[0], "files": files})
			}
			for _, f := range files {
				if !strings.Contains(f, "vendor") {
					fmt.Fprintln(t.Stdout, "wrote", f)
				}
			}
			fmt.Fprintf(t.Stdout, "\nnext: cd %s && greentic component build && greentic component test\n", args[0])
			return nil
		},
	}
	flags := c.Flags()
	flags.StringVar(&lang, "lang", "go", "language: "+strings.Join(scaffold.ComponentLanguages(), ", "))
	flags.StringArrayVar(&given, "answer", nil, "answer to a question, as QUESTION=ANSWER (repeatable)")
	flags.StringVar(&file, "answers", "", "file with answers (- for standard input)")
	flags.BoolVar(&schema, "schema", false, "print the JSON Schema of an answers file and begin nothing")
	return c
}

package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"greentic.dev/devkit/scaffold"
	"greentic.dev/devkit/vendored"
	"greentic.dev/greentic/fault"
)

func packNewCommand(env *environment) *cobra.Command {
	var template, file string
	var given []string
	var schema bool
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a pack in a new folder",
		Long: `Begin a pack in a new folder: flows, texts in two languages, a test and a README, ready to run.

What else it asks has defaults. Other answers come from --answer or, all together, from a file that
--schema describes.`,
		Example: `  greentic pack new greeter --template chat
  greentic pack new orders --template event --answer "title=Order desk"
  greentic pack new --schema
  greentic pack new greeter --answers answers.json`,
		Args: func(c *cobra.Command, args []string) error {
			if schema {
				return exactArgs(0)(c, args)
			}
			return exactArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			w, err := scaffold.PackWizard(template)
			if err != nil {
				return err
			}
			if schema {
				return printJSON(env, w.Schema())
			}
			answers, err := readAnswers(env, w, file, given)
			if err != nil {
				return err
			}
			if c.Flags().Changed("template") {
				answers["template"] = template
			}
			llm, err := vendored.LLM()
			if err != nil {
				return err
			}
			files, err := scaffold.Pack(args[0], template, answers, llm)
			if err != nil {
				return err
			}
			if env.JSON {
				return printJSON(env, map[string]any{"folder": args[0], "files": files})
			}
			for _, f := range files {
				fmt.Fprintln(env.Stdout, "wrote", f)
			}
			fmt.Fprintf(env.Stdout, "\nnext: greentic run %s\n", args[0])
			return nil
		},
	}
	flags := c.Flags()
	flags.StringVar(&template, "template", "chat", "what to begin with: "+strings.Join(scaffold.PackTemplates(), ", "))
	flags.StringArrayVar(&given, "answer", nil, "answer to a question, as QUESTION=ANSWER (repeatable)")
	flags.StringVar(&file, "answers", "", "file with answers (- for standard input)")
	flags.BoolVar(&schema, "schema", false, "print the JSON Schema of an answers file and begin nothing")
	return c
}

// readAnswers joins the answers of a file with those of the command line, which win.
func readAnswers(env *environment, w scaffold.Wizard, file string, given []string) (map[string]string, error) {
	answers := map[string]string{}
	if file != "" {
		var raw []byte
		var err error
		if file == "-" {
			raw, err = io.ReadAll(io.LimitReader(env.Stdin, 1<<20))
		} else {
			raw, err = os.ReadFile(file)
		}
		if os.IsNotExist(err) {
			return nil, fault.Newf(fault.NotFound, "--answers", "no file %s", file)
		}
		if err != nil {
			return nil, fault.As(fault.Unavailable, "--answers", err)
		}
		if answers, err = w.Read(file, raw); err != nil {
			return nil, err
		}
	}
	for _, pair := range given {
		id, answer, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fault.Newf(fault.Invalid, "--answer", "%q is not QUESTION=ANSWER", pair)
		}
		answers[id] = answer
	}
	return answers, nil
}

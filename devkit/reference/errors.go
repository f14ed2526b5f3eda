package reference

import (
	"fmt"
	"strings"

	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/lint"
)

// Errors is docs/reference/errors.md; root is the folder of the module.
func Errors(root string) (string, error) {
	codes, err := Codes(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(header("Errors"))
	b.WriteString("An error has a kind, often a code, a place with the line it is about, and a fix. With `--json` it is one object on standard error:\n" +
		"`{\"error\": {\"kind\": …, \"code\": …, \"message\": …, \"position\": {\"file\", \"line\", \"col\", \"excerpt\"}, \"fix\": …}}`. Decide by kind and code,\nnever by the text.\n\n")
	b.WriteString("## Kinds\n\n| kind | exit code | HTTP status | worth trying again unchanged |\n|---|--:|--:|---|\n")
	for _, k := range fault.Kinds() {
		again := "no"
		if k.Retryable() {
			again = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %d | %d | %s |\n", k, k.ExitCode(), k.HTTPStatus(), again)
	}
	b.WriteString("\n## What flow check finds\n")
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "\n### `%s`\n\n%s: %s %s\n", r.ID, strings.ToUpper(r.Level[:1])+r.Level[1:], r.Short, r.Help)
	}
	b.WriteString("\n## Codes\n\nThe codes that errors carry beside their kind, and what an error with it says; `…` stands for what it is about.\n")
	last := ""
	for _, c := range codes {
		if c.Package != last {
			fmt.Fprintf(&b, "\n### In `%s`\n\n| code | says | fix |\n|---|---|---|\n", c.Package)
			last = c.Package
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Code, cell(c.Says), cell(c.Fix))
	}
	return b.String(), nil
}

// cell is a text fit for a table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}

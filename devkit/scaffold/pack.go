package scaffold

import (
	"path/filepath"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

const packPrefix = "pack-"

// PackTemplates lists what Pack can begin with.
func PackTemplates() []string { return Names(packPrefix) }

// PackWizard is what beginning a pack from a template asks; fault.NotFound for a template there is
// not.
func PackWizard(template string) (Wizard, error) {
	all := PackTemplates()
	if !slices.Contains(all, template) {
		err := fault.Newf(fault.NotFound, "pack new", "there is no template %q", template).WithFix("choose one of: " + strings.Join(all, ", "))
		if near := nearest.Word(template, all); near != "" {
			err = err.WithFix("did you mean " + near + "?")
		}
		return Wizard{}, err
	}
	return Wizard{ID: "greentic.pack.new", Questions: []Question{
		{ID: "template", Prompt: "what to begin with", Default: template, Options: all},
		{ID: "title", Prompt: "what people see as the name of the pack"},
		{ID: "publisher", Prompt: "who publishes the pack", Default: "me"},
	}}, nil
}

// Pack begins a pack in the folder dir, which must not exist; its last element becomes the pack id.
// answers answer the questions of PackWizard. It returns the files written. Errors: fault.Invalid
// (the name is no identifier, an answer is refused), fault.Exists, fault.NotFound (no such template).
func Pack(dir, template string, answers map[string]string) ([]string, error) {
	name := filepath.Base(filepath.Clean(dir))
	if err := greentic.CheckID("pack id", name); err != nil {
		return nil, err
	}
	if given := answers["template"]; given != "" {
		template = given
	}
	w, err := PackWizard(template)
	if err != nil {
		return nil, err
	}
	settled, err := w.Settle(name, answers)
	if err != nil {
		return nil, err
	}
	from, err := Template(packPrefix + template)
	if err != nil {
		return nil, err
	}
	return Write(dir, map[string]string{"NAME": name, "TITLE": settled["title"], "PUBLISHER": settled["publisher"]}, from)
}

package scaffold

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

const componentPrefix = "component-"

// ComponentLanguages lists what Component can begin with: go, and js where there is a template.
func ComponentLanguages() []string { return Names(componentPrefix) }

// ComponentWizard is what beginning a component in a language asks; fault.NotFound for a language there
// is not.
func ComponentWizard(lang string) (Wizard, error) {
	all := ComponentLanguages()
	if !slices.Contains(all, lang) {
		err := fault.Newf(fault.NotFound, "component new", "there is no template for %q", lang).WithFix("choose one of: " + strings.Join(all, ", "))
		if near := nearest.Word(lang, all); near != "" {
			err = err.WithFix("did you mean --lang " + near + "?")
		}
		return Wizard{}, err
	}
	return Wizard{ID: "greentic.component.new", Questions: []Question{
		{ID: "lang", Prompt: "what it is written in", Default: lang, Options: all},
		{ID: "title", Prompt: "what people see as the name of the component"},
	}}, nil
}

var componentForm = regexp.MustCompile(`^[a-z][a-z0-9]*([._-][a-z0-9]+)*$`)

// Component begins a component in the folder dir, which must not exist; its last element becomes the
// component id. sdk is laid beside the template: the SDK as the project carries it. answers answer the questions
// of ComponentWizard. It returns the files written. Errors as Pack.
func Component(dir, lang string, answers map[string]string, sdk fs.FS) ([]string, error) {
	name := filepath.Base(filepath.Clean(dir))
	if err := greentic.CheckID("component id", name); err != nil {
		return nil, err
	}
	if !componentForm.MatchString(name) {
		return nil, fault.Newf(fault.Invalid, "component new", "%q is no component id", name).
			WithFix("use lower-case letters, digits and single . - _ between them: acme.weather")
	}
	w, err := ComponentWizard(lang)
	if err != nil {
		return nil, err
	}
	settled, err := w.Settle(name, answers)
	if err != nil {
		return nil, err
	}
	from, err := Template(componentPrefix + lang)
	if err != nil {
		return nil, err
	}
	return Write(dir, map[string]string{"NAME": name, "TITLE": settled["title"]}, from, sdk)
}

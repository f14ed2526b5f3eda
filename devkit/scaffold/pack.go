package scaffold

import (
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/internal/nearest"
)

const packPrefix = "pack-"

// assistant is the template that brings a component and asks for a model.
const assistant = "assistant"

// byProtocol stands for an answer that follows from the protocol.
const byProtocol = "as the protocol has it"

// speaks is what is usual with a protocol of models.
type speaks struct{ model, base, secret string }

func protocols() map[string]speaks {
	return map[string]speaks{
		"openai":    {"gpt-4o-mini", "https://api.openai.com/v1", "OPENAI_API_KEY"},
		"anthropic": {"claude-3-5-haiku-latest", "https://api.anthropic.com", "ANTHROPIC_API_KEY"},
	}
}

// model adds what the template of an assistant puts into its files.
func model(values, settled map[string]string) error {
	usual := protocols()[settled["protocol"]]
	base, name := settled["base_url"], settled["model"]
	if base == byProtocol {
		base = usual.base
	}
	if name == byProtocol {
		name = usual.model
	}
	at, err := url.Parse(base)
	if err != nil || at.Hostname() == "" || at.Scheme != "https" && at.Scheme != "http" {
		return fault.Newf(fault.Invalid, "answer base_url", "%q is no address of a server", base).WithFix("write https://HOST/PATH")
	}
	values["PROTOCOL"], values["MODEL"], values["BASE_URL"], values["HOST"], values["SECRET"] = settled["protocol"], name, base, at.Hostname(), usual.secret
	return nil
}

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
	questions := []Question{
		{ID: "template", Prompt: "what to begin with", Default: template, Options: all},
		{ID: "title", Prompt: "what people see as the name of the pack"},
		{ID: "publisher", Prompt: "who publishes the pack", Default: "me"},
	}
	if template == assistant {
		questions = append(questions,
			Question{ID: "protocol", Prompt: "what the server of the model speaks", Default: "openai", Options: []string{"openai", "anthropic"}},
			Question{ID: "model", Prompt: "the model, as the server calls it", Default: byProtocol},
			Question{ID: "base_url", Prompt: "where the server is", Default: byProtocol})
	}
	return Wizard{ID: "greentic.pack.new", Questions: questions}, nil
}

// Pack begins a pack in the folder dir, which must not exist; its last element becomes the pack id.
// answers answer the questions of PackWizard. It returns the files written. Errors: fault.Invalid
// (the name is no identifier, an answer is refused), fault.Exists, fault.NotFound (no such template).
// llm is the component of language models, which the template assistant brings along.
func Pack(dir, template string, answers map[string]string, llm fs.FS) ([]string, error) {
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
	values := map[string]string{"NAME": name, "TITLE": settled["title"], "PUBLISHER": settled["publisher"]}
	if template != assistant {
		return Write(dir, values, from)
	}
	if err := model(values, settled); err != nil {
		return nil, err
	}
	return Write(dir, values, from, llm)
}

package main

import "greentic.dev/sdk/go/greentic"

var component = greentic.Component(greentic.Info{
	ID: "greentic.qa", Version: "0.1.0", Name: "Questions and answers",
	Summary: "Asks questions and checks the answers, one by one or as a form",
	Config:  config{},
},
	greentic.Op("ask", ask).Doc("takes the reply to the question asked last and says the next one; it remembers, in the state of the conversation; status is ask, again or done"),
	greentic.Op("next", next).Doc("the same without a memory: answers and asked come in and go out"),
	greentic.Op("form", asForm).Doc("the questions as an Adaptive Card"),
	greentic.Op("check", check).Doc("checks all answers at once; status is ok or error"),
)

func main() {}

type config struct {
	Questions []question        `json:"questions,omitempty" doc:"what to ask, in order"`
	Title     string            `json:"title,omitempty" doc:"above a form"`
	Submit    string            `json:"submit,omitempty" doc:"on the button of a form; OK when empty"`
	Messages  map[string]string `json:"messages,omitempty" doc:"what is wrong with an answer in other words, by: required, number, integer, bool, choice, date, email, url, json, pattern, short, long, small, large"`
	Texts     map[string]string `json:"texts,omitempty" doc:"translations by key, for texts given as {key, fallback}"`
}

// step is where asking stands.
type step struct {
	Status   string         `json:"status" doc:"ask, again after an answer that was none, or done"`
	Text     string         `json:"text,omitempty" doc:"the question for the user, with what was wrong and the choices"`
	Question *shown         `json:"question,omitempty"`
	Error    string         `json:"error,omitempty" doc:"what was wrong with the reply"`
	Answers  map[string]any `json:"answers"`
	Asked    string         `json:"asked,omitempty" doc:"the id of the question"`
	Answered int            `json:"answered"`
	Total    int            `json:"total" doc:"of the questions that are not skipped so far"`
}

// shown is a question as a channel may want it.
type shown struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Label   string   `json:"label"`
	Help    string   `json:"help,omitempty"`
	Choices []choice `json:"choices,omitempty"`
}

type askIn struct {
	Questions []question `json:"questions,omitempty" doc:"instead of the configured ones"`
	Reply     any        `json:"reply,omitempty" doc:"what the user said; ignored when nothing was asked yet"`
	Name      string     `json:"name" default:"form" doc:"of the answers in the state, when a flow asks several forms"`
}

type memory struct {
	Answers map[string]any `json:"answers"`
	Asked   string         `json:"asked"`
}

func ask(ctx *greentic.Context, in askIn) (step, error) {
	f, err := open(ctx, in.Questions)
	if err != nil {
		return step{}, err
	}
	key := "qa/" + in.Name
	held := memory{}
	if _, err := ctx.State().Get(key, &held); err != nil {
		return step{}, err
	}
	s := f.next(held.Answers, held.Asked, in.Reply)
	if s.Status == "done" {
		return s, ctx.State().Delete(key)
	}
	return s, ctx.State().Set(key, memory{s.Answers, s.Asked})
}

type nextIn struct {
	Questions []question     `json:"questions,omitempty" doc:"instead of the configured ones"`
	Answers   map[string]any `json:"answers,omitempty" doc:"those so far"`
	Asked     string         `json:"asked,omitempty" doc:"the id of the question reply answers"`
	Reply     any            `json:"reply,omitempty" doc:"what the user said; ignored without asked"`
}

func next(ctx *greentic.Context, in nextIn) (step, error) {
	f, err := open(ctx, in.Questions)
	if err != nil {
		return step{}, err
	}
	return f.next(in.Answers, in.Asked, in.Reply), nil
}

type checkIn struct {
	Questions []question     `json:"questions,omitempty" doc:"instead of the configured ones"`
	Answers   map[string]any `json:"answers,omitempty" doc:"such as the metadata a submitted form gives"`
}

type checkOut struct {
	Status  string            `json:"status" doc:"ok or error"`
	OK      bool              `json:"ok"`
	Answers map[string]any    `json:"answers" doc:"the good ones, typed, with defaults; answers to skipped questions are left out"`
	Errors  map[string]string `json:"errors,omitempty" doc:"what is wrong, by question"`
	Text    string            `json:"text,omitempty" doc:"the same for the user"`
}

func check(ctx *greentic.Context, in checkIn) (checkOut, error) {
	f, err := open(ctx, in.Questions)
	if err != nil {
		return checkOut{}, err
	}
	out := checkOut{Status: "ok", OK: true, Answers: map[string]any{}, Errors: map[string]string{}}
	for _, q := range f.questions {
		if q.skipped(out.Answers) {
			continue
		}
		value, why := f.read(q, in.Answers[q.ID])
		if why != "" {
			out.Status, out.OK, out.Errors[q.ID] = "error", false, why
			out.Text += f.text(q.Label) + ": " + why + "\n"
			continue
		}
		if value != nil {
			out.Answers[q.ID] = value
		}
	}
	return out, nil
}

type formOut struct {
	Card map[string]any `json:"card" doc:"an Adaptive Card; what the user fills in comes as metadata of the next message"`
}

func asForm(ctx *greentic.Context, in checkIn) (formOut, error) {
	f, err := open(ctx, in.Questions)
	if err != nil {
		return formOut{}, err
	}
	return formOut{f.card(in.Answers)}, nil
}

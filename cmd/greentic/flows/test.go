package flows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/kv/memory"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/flowtest"
	run "greentic.dev/runtime/flowtest"
)

// tested is the last line of `flow test --json`.
type tested struct {
	Kind     string               `json:"kind"` // summary
	OK       bool                 `json:"ok"`
	Files    int                  `json:"files"`
	Cases    int                  `json:"cases"`
	Failed   int                  `json:"failed"`
	TookMS   float64              `json:"duration_ms"`
	Coverage []*flowtest.Coverage `json:"coverage"`
}

// testedCase is the line of one case.
type testedCase struct {
	Kind     string        `json:"kind"` // case
	File     string        `json:"file"`
	Flow     string        `json:"flow"`
	Case     string        `json:"case"`
	OK       bool          `json:"ok"`
	TookMS   float64       `json:"duration_ms"`
	Failures []testedWrong `json:"failures,omitempty"`
}

type testedWrong struct {
	Position fault.Position `json:"position"`
	Step     string         `json:"step,omitempty"`
	Message  string         `json:"message"`
	Diff     string         `json:"diff,omitempty"`
	Fix      string         `json:"fix,omitempty"`
}

// testFlags are the flags of flow test.
type testFlags struct {
	junit, run     string
	update, detail bool
	least          int
}

func testCommand(t Terminal) *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test [FILE|DIR...]",
		Short: "Run the tests beside flows",
		Long: `Run the tests beside flows: main.flowtest.yaml holds cases for main.ygtc. A case sends messages, clicks and
events, lets time pass, and says what is to come of it: replies, the route taken, events, calls, state.
Components and servers are mocked or, where the pack has their code, real. Nothing leaves the process
and time costs nothing. The format: docs/reference/flowtest.md.

--coverage lists the nodes and routes that no case took; --coverage-min fails below a share in percent.
--update writes what came of each step in place of what it expects.`,
		Example: `  greentic flow test
  greentic flow test flows/main.flowtest.yaml --run 'order is paid' --coverage
  greentic flow test . --junit report.xml --coverage-min 90`,
		Args: t.Args(0, -1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			return testFlows(c.Context(), t, args, f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.junit, "junit", "", "write a report in the form of JUnit to this file")
	flags.StringVar(&f.run, "run", "", `run only cases whose "FILE: CASE" this regular expression matches`)
	flags.BoolVar(&f.update, "update", false, "write what came of each step in place of what it expects")
	flags.BoolVar(&f.detail, "coverage", false, "list the nodes and routes that no case took")
	flags.IntVar(&f.least, "coverage-min", 0, "fail when cases take less than this share of nodes and routes, in percent")
	return c
}

func testFlows(ctx context.Context, t Terminal, args []string, f testFlags) (err error) {
	names, err := files("flow test", args, flowtest.Suffix)
	if err != nil {
		return err
	}
	if f.least < 0 || f.least > 100 {
		return fault.New(fault.Invalid, "--coverage-min", "it is no share from 0 to 100")
	}
	pattern, err := regexp.Compile(f.run)
	if err != nil {
		return fault.As(fault.Invalid, "--run", err)
	}
	engine, err := t.Engine(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := engine.Close(context.WithoutCancel(ctx)); err == nil {
			err = cerr
		}
	}()
	tests := run.New(run.Deps{Open: func(now func() time.Time) kv.DB { return memory.New(now) }, Now: time.Now, Engine: engine, Run: pattern})
	s := &session{t: t, f: f, sum: tested{Kind: "summary", Files: len(names), Coverage: []*flowtest.Coverage{}}}
	for _, name := range names {
		if err := s.file(ctx, tests, name); err != nil {
			return err
		}
	}
	return s.end()
}

// session is one run of the command.
type session struct {
	t       Terminal
	f       testFlags
	sum     tested
	results []flowtest.Result
	wrong   int
}

func (s *session) file(ctx context.Context, tests *run.Tests, name string) error {
	file, err := tests.Play(ctx, name)
	if err != nil {
		return err
	}
	if len(file.Wrong) > 0 {
		for _, w := range file.Wrong {
			s.wrong++
			if err := s.show(testedCase{Kind: "case", File: name, Failures: []testedWrong{{Position: w.Pos, Message: w.Msg, Fix: w.Fix}}}); err != nil {
				return err
			}
		}
		return nil
	}
	if s.f.update {
		return s.update(file)
	}
	for _, r := range file.Results {
		s.results = append(s.results, r)
		s.sum.Cases++
		one := testedCase{Kind: "case", File: r.File, Flow: r.Flow, Case: r.Case, OK: len(r.Failures) == 0, TookMS: ms(r.Took)}
		for _, m := range r.Failures {
			one.Failures = append(one.Failures, testedWrong{m.Pos, m.Step, m.Message, m.Diff, ""})
		}
		if !one.OK {
			s.sum.Failed++
		}
		s.sum.TookMS += one.TookMS
		if err := s.show(one); err != nil {
			return err
		}
	}
	s.sum.Coverage = append(s.sum.Coverage, file.Coverage)
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (s *session) show(one testedCase) error {
	if s.t.JSON() {
		return s.t.Print(one)
	}
	word := "ok  "
	if !one.OK {
		word = "FAIL"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s: %s (%.1f ms)\n", word, one.File, one.Case, one.TookMS)
	if one.Case == "" {
		b.Reset()
	}
	for _, w := range one.Failures {
		step := ""
		if w.Step != "" {
			step = w.Step + ": "
		}
		fmt.Fprintf(&b, "%s: %s%s\n", w.Position, step, w.Message)
		s.t.Excerpt(&b, w.Position)
		for line := range strings.Lines(w.Diff) {
			b.WriteString("    " + line)
		}
		if w.Fix != "" {
			fmt.Fprintf(&b, "  fix: %s\n", w.Fix)
		}
	}
	_, err := s.t.Stdout.Write(b.Bytes())
	return fault.Wrap("print", err)
}

// update writes what came of the cases into their file.
func (s *session) update(file *run.File) error {
	var cases []flowtest.Case
	var outcomes [][]flowtest.Outcome
	for _, p := range file.Played {
		cases, outcomes = append(cases, p.Case), append(outcomes, p.Outcomes)
	}
	before, err := os.ReadFile(file.Suite.File)
	if err != nil {
		return fault.As(fault.Unavailable, "flow test --update", err)
	}
	after, err := file.Suite.Update(cases, outcomes)
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	if err := maybe.WriteFile(file.Suite.File, after, 0o644); err != nil {
		return fault.As(fault.Unavailable, "flow test --update", err)
	}
	_, err = fmt.Fprintln(s.t.Stdout, file.Suite.File)
	return fault.Wrap("print", err)
}

// end tells coverage and the sum, and fails when something is wrong.
func (s *session) end() error {
	if s.f.update {
		return s.verdict(0)
	}
	if s.f.junit != "" {
		report, err := flowtest.JUnit(s.results)
		if err == nil {
			err = os.WriteFile(s.f.junit, report, 0o644)
		}
		if err != nil {
			return fault.As(fault.Unavailable, "flow test --junit", err)
		}
	}
	var low []error
	for _, c := range s.sum.Coverage {
		if c.Percent() < s.f.least {
			low = append(low, fault.Newf(fault.Invalid, "flow test", "cases take %d %% of the nodes and routes of %s, less than %d %%", c.Percent(), c.File, s.f.least))
		}
		if err := s.coverage(c); err != nil {
			return err
		}
	}
	s.sum.OK = s.sum.Failed+s.wrong+len(low) == 0
	if s.t.JSON() {
		if err := s.t.Print(s.sum); err != nil {
			return err
		}
	} else if s.sum.OK {
		fmt.Fprintf(s.t.Stdout, "ok: %d cases in %d files, %.0f ms\n", s.sum.Cases, s.sum.Files, s.sum.TookMS)
	}
	if err := s.verdict(s.sum.Failed); err != nil {
		return err
	}
	return errors.Join(low...)
}

func (s *session) verdict(failed int) error {
	switch {
	case s.wrong > 0:
		return fault.Newf(fault.Invalid, "flow test", "%d errors in the tests themselves", s.wrong)
	case failed > 0:
		return fault.Newf(fault.Invalid, "flow test", "%d of %d cases failed", failed, s.sum.Cases).WithFix("greentic flow test --update takes what came as what is expected")
	}
	return nil
}

func (s *session) coverage(c *flowtest.Coverage) error {
	if s.t.JSON() {
		return nil // it is in the sum
	}
	_, err := fmt.Fprintf(s.t.Stdout, "%s: %d of %d nodes, %d of %d routes\n", c.File, c.Nodes.Taken, c.Nodes.Of, c.Routes.Taken, c.Routes.Of)
	if s.f.detail {
		for _, n := range c.Never {
			_, err = fmt.Fprintf(s.t.Stdout, "%s:%d:%d: no case takes the %s %s\n", c.File, n.Line, n.Col, n.What, n.Name)
		}
	}
	return fault.Wrap("print", err)
}

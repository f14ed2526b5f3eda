package flowtest

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"time"

	"greentic.dev/backing/egress"
	"greentic.dev/backing/kv"
	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/model/flow/flowtest"
	"greentic.dev/runtime/host"
	"greentic.dev/runtime/loader"
	"greentic.dev/runtime/release"
	"greentic.dev/wasm"
)

// Deps is what tests run with.
type Deps struct {
	Open   func(now func() time.Time) kv.DB // an empty store in memory
	Now    func() time.Time                 // of the wall, to tell how long cases take
	Engine *wasm.Engine                     // for components that are not mocked
	Run    *regexp.Regexp                   // only cases whose "file: case" it matches; nil: all
}

// Tests runs suites, one after the other. It is not safe for concurrent use.
type Tests struct {
	deps  Deps
	packs map[string]*loader.Verified // by folder
}

// New runs nothing yet.
func New(d Deps) *Tests { return &Tests{deps: d, packs: map[string]*loader.Verified{}} }

// File is how the cases of one file went.
type File struct {
	Suite    *flowtest.Suite // nil when it cannot be read
	Results  []flowtest.Result
	Coverage *flowtest.Coverage
	Played   []Played // what came of each case, in the order of Results
	Wrong    []*fault.Error
}

// Played is what came of the steps of one case.
type Played struct {
	Case     flowtest.Case
	Outcomes []flowtest.Outcome
}

// maxFile is how long a suite may be.
const maxFile = 1 << 20

// Play runs the cases of a file. What is wrong with the file itself is in File.Wrong; an error says
// that it could not be run: fault.NotFound (no flow), fault.Invalid (the flow or its pack does not
// compile), fault.Canceled.
func (t *Tests) Play(ctx context.Context, name string) (*File, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.As(fault.NotFound, "flow test", err)
	}
	if len(src) > maxFile {
		return nil, fault.Newf(fault.Invalid, "flow test "+name, "it is longer than %d bytes", maxFile).WithFix("split it")
	}
	suite, wrong := flowtest.Read(name, src)
	if len(wrong) > 0 {
		return &File{Wrong: wrong}, nil
	}
	found, err := t.find(ctx, suite)
	if err != nil {
		return nil, err
	}
	f := &File{Suite: suite, Coverage: flowtest.NewCoverage(found.flow, found.file)}
	s := t.stage(found, suite)
	defer s.client.Close()
	served, err := s.set.Serve(ctx, found.verified)
	if err == nil {
		err = s.warm(ctx, served)
	}
	if err != nil {
		return nil, err
	}
	for _, c := range suite.Cases {
		if t.deps.Run != nil && !t.deps.Run.MatchString(name+": "+c.Name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fault.Wrap("flow test", err)
		}
		began := t.deps.Now()
		p := s.play(ctx, c)
		took := t.deps.Now().Sub(began)
		if c.Budget > 0 && took > c.Budget {
			p.wrong = append(p.wrong, suite.Wrong(c.Pos, "", "the case took %s, which is more than its budget of %s", took.Round(time.Microsecond), c.Budget))
		}
		f.Results = append(f.Results, flowtest.Result{File: name, Flow: found.flow.ID, Case: c.Name, Took: took, Failures: p.wrong})
		f.Played = append(f.Played, Played{c, p.outcomes})
		f.Coverage.Add(p.path)
	}
	f.Coverage.Sum()
	return f, nil
}

// stage is what the cases of a suite share: the pack with its components, and a host that asks the
// mocks and the clock of the case that plays.
type stage struct {
	tests  *Tests
	suite  *flowtest.Suite
	source *source
	set    *release.Set
	client *egress.Client
	log    *slog.Logger

	mocks *mocks
	clock *clock
}

func (t *Tests) stage(found *source, suite *flowtest.Suite) *stage {
	s := &stage{tests: t, suite: suite, source: found, log: slog.New(slog.DiscardHandler)}
	s.client = egress.New(egress.Options{Transport: answers{s}})
	h := host.New(host.Deps{Engine: t.deps.Engine, HTTP: s.client, Secrets: keeper{s}, Log: s.log, Now: func() time.Time { return s.clock.Now() }}, host.Options{})
	s.set = release.New(h, nil, unsigned, grants(found.verified, suite))
	return s
}

// warm compiles the components that the pack's flows call and no mock answers for, so that no case
// has to wait for that.
func (s *stage) warm(ctx context.Context, r *release.Release) error {
	for _, f := range r.Archive().Flows() {
		for _, n := range f.Nodes {
			mocked := slices.ContainsFunc(s.suite.Mocks, func(m flowtest.Mock) bool {
				return (m.Component == "" || m.Component == n.Component) && m.Operation == "" && m.Input == nil && m.Times == 0
			})
			if n.Builtin() != "" || mocked || !s.has(n.Component) {
				continue
			}
			if _, err := r.Component(ctx, n.Component); err != nil {
				return err
			}
		}
	}
	return nil
}

// has says whether the pack has the code of a component and this process could run it.
func (s *stage) has(id string) bool {
	_, err := s.source.verified.Archive().Wasm(id)
	return err == nil && s.tests.deps.Engine != nil
}

// answers are the servers of the case that plays.
type answers struct{ s *stage }

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a.s.mocks.RoundTrip(r) }

// keeper holds the secrets of the case that plays.
type keeper struct{ s *stage }

func (k keeper) Get(ctx context.Context, tenant greentic.TenantCtx, name secrets.Name) ([]byte, error) {
	return k.s.mocks.Get(ctx, tenant, name)
}

func (k keeper) Put(ctx context.Context, tenant greentic.TenantCtx, name secrets.Name, value []byte) error {
	return k.s.mocks.Put(ctx, tenant, name, value)
}

func (k keeper) Delete(ctx context.Context, tenant greentic.TenantCtx, name secrets.Name) error {
	return k.s.mocks.Delete(ctx, tenant, name)
}

package operate

import (
	"net/http"

	"greentic.dev/backing/record"
	"greentic.dev/greentic"
	"greentic.dev/model/flow/graph"
)

// graph draws the flow of a turn with the path it took. Each node leads to #node-ID, for pages that
// show the steps beside it.
func (a *API) graph(_ http.ResponseWriter, r *http.Request, tenant greentic.TenantCtx) (any, error) {
	rec, err := a.recorded(r, tenant)
	if err != nil {
		return nil, err
	}
	f, err := a.deps.Releases.Version(r.Context(), rec.Release).Flow(rec.Flow)
	if err != nil {
		return nil, hidden(err)
	}
	return picture(graph.Of(f).SVG(ran(rec, f.File), graph.Look{Bare: r.URL.Query().Has("bare"), Link: func(n graph.Node) string { return "#node-" + n.ID }})), nil
}

// ran is the path of a turn in the flow of a file. A node that was tried again stands in it once.
func ran(rec record.Turn, file string) graph.Run {
	run := graph.Run{State: map[string]graph.State{}}
	last := 0
	for _, s := range rec.Steps {
		if s.File != file { // of a flow that was called
			continue
		}
		if s.N != last || len(run.Route) == 0 || run.Route[len(run.Route)-1] != s.Node {
			run.Route = append(run.Route, s.Node)
		}
		last = s.N
		switch {
		case s.Do == "wait":
			run.State[s.Node] = graph.Waiting
		case len(s.Fail) > 0:
			run.State[s.Node] = graph.Failed
		default:
			run.State[s.Node] = graph.Done
		}
	}
	return run
}

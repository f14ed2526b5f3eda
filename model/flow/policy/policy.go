package policy

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"greentic.dev/internal/nearest"
)

// Retry says how often and how fast a failed call is tried again (docs/decisions/0020).
type Retry struct {
	Attempts   int           // tries in total, 1 to MaxAttempts
	Backoff    time.Duration // before the second try
	MaxBackoff time.Duration
	Multiplier float64  // from one delay to the next, 1 to 10
	On         []string // failure codes or kinds, or "any"; empty: failures marked retryable
}

// MaxAttempts is how many tries a node may have.
const MaxAttempts = 20

// Defaults of a retry policy, and what any duration in a policy may be.
const (
	defaultBackoff    = 200 * time.Millisecond
	defaultMaxBackoff = 30 * time.Second
	defaultMultiplier = 2
	maxDuration       = 24 * time.Hour
	// MaxWait is the longest duration anywhere in a flow.
	MaxWait = 366 * 24 * time.Hour
)

// Again says whether a failure in this try is worth another one. A nil policy never does.
func (r *Retry) Again(code, kind string, retryable bool, try int) bool {
	if r == nil || try >= r.Attempts {
		return false
	}
	if len(r.On) == 0 {
		return retryable
	}
	return slices.ContainsFunc(r.On, func(s string) bool { return s == "any" || s == code || s == kind && s != "" })
}

// Delay is the pause after a try: exponential up to MaxBackoff, but never less than the
// component asked for.
func (r *Retry) Delay(atLeast time.Duration, try int) time.Duration {
	d := float64(r.Backoff) * math.Pow(r.Multiplier, float64(try-1))
	return max(time.Duration(min(d, float64(r.MaxBackoff))), atLeast)
}

// Duration reads a Go duration or a whole number of milliseconds.
func Duration(v any) (time.Duration, bool) {
	if s, ok := v.(string); ok {
		d, err := time.ParseDuration(strings.TrimSpace(s))
		return d, err == nil && d >= 0
	}
	n, ok := Number(v)
	return time.Duration(n) * time.Millisecond, ok && n == math.Trunc(n) && n >= 0 && n <= float64(MaxWait/time.Millisecond)
}

// Number is any number of a document.
func Number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case int:
		return float64(v), true
	}
	return 0, false
}

// Policies is what stands beside the operation of one node.
type Policies struct {
	Retry      *Retry        // nil: one try
	Timeout    time.Duration // of one try; 0 is none
	When       string        // condition; empty always holds
	Compensate string        // the node that undoes this one; or empty
	ForEach    *ForEach      // nil: the operation runs once
	Parallel   *Parallel     // nil: no branches
}

// ForEach runs the operation of a node once for each item of a list.
type ForEach struct {
	Items any // a list, or a template that renders to one
	Fan
}

// Parallel runs nodes side by side, each to the end of its own routes.
type Parallel struct {
	Branches []Branch
	Fan
}

// Branch is the node a branch begins with, and the name its result has.
type Branch struct{ Name, Node string }

// Fan is how branches or items run.
type Fan struct {
	Concurrency int  // side by side, 1 to MaxConcurrency
	Continue    bool // a failure is a result like others; else none is begun after one, and the node fails
}

// What a fan may be.
const (
	MaxBranches    = 1000 // items and branches of one node, those within them included
	MaxConcurrency = 64
	concurrency    = 8
)

// Wrong reports what is wrong with the value found by following the keys in way.
type Wrong func(way []string, fix, format string, args ...any)

// Read reads the objects beside the operation of a node: retry, timeout, when and meta.greentic.
func Read(node string, about map[string]any, report Wrong) (out Policies) {
	p := reader{node, report}
	if m := p.object(about, []string{"retry"}, "{ attempts: 3 }", "attempts", "backoff", "max_backoff", "multiplier", "on"); m != nil {
		out.Retry = p.retry(m)
	}
	if m := p.object(about, []string{"timeout"}, `{ after: "10s" }`, "after"); m != nil {
		out.Timeout = p.duration(m, []string{"timeout", "after"}, 0)
		if m["after"] == nil {
			report([]string{"timeout"}, `write timeout: { after: "10s" }`, "node %s: timeout needs after", node)
		} else if d, ok := Duration(m["after"]); ok && d == 0 {
			report([]string{"timeout", "after"}, `write after: "10s"`, "node %s: timeout.after must be more than nothing", node)
		}
	}
	if m := p.object(about, []string{"when"}, "{ condition: 'prev.total > 0' }", "condition"); m != nil {
		if out.When, _ = m["condition"].(string); out.When == "" {
			report([]string{"when"}, "write when: { condition: 'prev.total > 0' }", "node %s: when needs condition, a text", node)
		}
	}
	meta, _ := about["meta"].(map[string]any)
	m := p.object(meta, []string{"meta", "greentic"}, "{ compensate: NODE }", "compensate", "for_each", "parallel")
	if m == nil {
		return out
	}
	if v, has := m["compensate"]; has || len(m) == 0 {
		if out.Compensate, _ = v.(string); out.Compensate == "" {
			report([]string{"meta", "greentic"}, "write compensate: NODE", "node %s: compensate must name a node", node)
		}
	}
	out.ForEach, out.Parallel = p.forEach(m), p.parallel(m)
	if out.ForEach != nil && out.Parallel != nil {
		report([]string{"meta", "greentic", "parallel"}, "keep one", "node %s: for_each and parallel exclude each other", node)
	}
	return out
}

func (p reader) forEach(m map[string]any) *ForEach {
	way := []string{"meta", "greentic", "for_each"}
	const example = `{ items: "{{entry.lines}}" }`
	m = p.object(m, way, example, "items", "concurrency", "on_error")
	if m == nil {
		return nil
	}
	e := &ForEach{Items: m["items"], Fan: p.fan(m, way)}
	switch items := e.Items.(type) {
	case string:
		if strings.TrimSpace(items) == "" {
			p.report(way, "write for_each: "+example, "node %s: for_each needs items", p.node)
		}
	case []any:
		if len(items) > MaxBranches {
			p.report(append(way, "items"), "split the list", "node %s: for_each has %d items, at most %d are allowed", p.node, len(items), MaxBranches)
		}
	default:
		p.report(way, "write for_each: "+example, "node %s: for_each needs items, a list or a template of one", p.node)
	}
	return e
}

func (p reader) parallel(m map[string]any) *Parallel {
	way := []string{"meta", "greentic", "parallel"}
	const example = "{ branches: { stock: NODE, price: NODE } }"
	m = p.object(m, way, example, "branches", "concurrency", "on_error")
	if m == nil {
		return nil
	}
	out := &Parallel{Fan: p.fan(m, way)}
	add := func(name string, v any) {
		id, _ := v.(string)
		if id == "" || slices.ContainsFunc(out.Branches, func(b Branch) bool { return b.Name == name || b.Node == id }) {
			p.report(append(way, "branches"), "name each node once", "node %s: branch %s must name a node of its own", p.node, name)
			return
		}
		out.Branches = append(out.Branches, Branch{name, id})
	}
	switch branches := m["branches"].(type) {
	case []any:
		for i, v := range branches {
			name, _ := v.(string)
			if name == "" {
				name = strconv.Itoa(i)
			}
			add(name, v)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(branches)) {
			add(name, branches[name])
		}
	}
	if n := len(out.Branches); n == 0 {
		p.report(way, "write parallel: "+example, "node %s: parallel needs branches, a map of names to nodes or a list of nodes", p.node)
	} else if n > MaxBranches {
		p.report(append(way, "branches"), "split the node", "node %s: parallel has %d branches, at most %d are allowed", p.node, n, MaxBranches)
	}
	return out
}

func (p reader) fan(m map[string]any, way []string) Fan {
	f := Fan{Concurrency: concurrency}
	if v, has := m["concurrency"]; has {
		n, ok := Number(v)
		if !ok || n != math.Trunc(n) || n < 1 || n > MaxConcurrency {
			p.report(append(slices.Clip(way), "concurrency"), "write concurrency: 4", "node %s: concurrency must be a whole number from 1 to %d", p.node, MaxConcurrency)
		} else {
			f.Concurrency = int(n)
		}
	}
	switch v := m["on_error"]; v {
	case nil, "fail":
	case "continue":
		f.Continue = true
	default:
		p.report(append(slices.Clip(way), "on_error"), "write on_error: fail or on_error: continue", "node %s: on_error is neither fail nor continue: %v", p.node, v)
	}
	return f
}

// reader reads the policies of one node.
type reader struct {
	node   string
	report Wrong
}

// object is the last key of way in m, an object of known keys like example; nil when there is none.
func (p reader) object(m map[string]any, way []string, example string, known ...string) map[string]any {
	name := strings.Join(way, ".")
	v := m[way[len(way)-1]]
	if v == nil {
		return nil
	}
	got, ok := v.(map[string]any)
	if !ok {
		p.report(way, "write "+way[len(way)-1]+": "+example, "node %s: %s must be a map", p.node, name)
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if !slices.Contains(known, key) {
			fix := "use " + strings.Join(known, ", ")
			if near := nearest.Word(key, known); near != "" {
				fix = "did you mean " + near + "?"
			}
			p.report(append(slices.Clip(way), key), fix, "node %s: %s does not know %s", p.node, name, key)
		}
	}
	return got
}

func (p reader) duration(m map[string]any, way []string, otherwise time.Duration) time.Duration {
	v := m[way[len(way)-1]]
	if v == nil {
		return otherwise
	}
	d, ok := Duration(v)
	if !ok || d > maxDuration {
		p.report(way, `write a duration such as "500ms" or "10s", or milliseconds`, "node %s: %s is no duration up to 24h: %v", p.node, strings.Join(way, "."), v)
		return otherwise
	}
	return d
}

func (p reader) retry(m map[string]any) *Retry {
	r := &Retry{Multiplier: defaultMultiplier}
	n, ok := Number(m["attempts"])
	if !ok || n != math.Trunc(n) || n < 1 || n > MaxAttempts {
		p.report([]string{"retry", "attempts"}, "write attempts: 3", "node %s: retry.attempts must be a whole number from 1 to %d, the tries in total", p.node, MaxAttempts)
	}
	r.Attempts = int(n)
	r.Backoff = p.duration(m, []string{"retry", "backoff"}, defaultBackoff)
	r.MaxBackoff = p.duration(m, []string{"retry", "max_backoff"}, max(defaultMaxBackoff, r.Backoff))
	if r.MaxBackoff < r.Backoff {
		p.report([]string{"retry", "max_backoff"}, "make it "+r.Backoff.String()+" or more", "node %s: retry.max_backoff is less than backoff", p.node)
	}
	if v, ok := m["multiplier"]; ok {
		if r.Multiplier, ok = Number(v); !ok || !(r.Multiplier >= 1 && r.Multiplier <= 10) {
			p.report([]string{"retry", "multiplier"}, "write multiplier: 2", "node %s: retry.multiplier must be a number from 1 to 10", p.node)
		}
	}
	if v, ok := m["on"]; ok {
		list, _ := v.([]any)
		for _, item := range list {
			s, _ := item.(string)
			r.On = append(r.On, s)
		}
		if len(list) == 0 || slices.Contains(r.On, "") {
			p.report([]string{"retry", "on"}, "write on: [timeout, unavailable] or on: [any]", "node %s: retry.on must be a list of failure codes or kinds", p.node)
		}
	}
	return r
}

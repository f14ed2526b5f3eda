package flow

import (
	"maps"
	"math"
	"slices"
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
)

// again says whether a failure in this try is worth another one. A nil policy never does.
func (r *Retry) again(fail *NodeFail, try int) bool {
	if r == nil || try >= r.Attempts {
		return false
	}
	if len(r.On) == 0 {
		return fail.Retryable
	}
	return slices.ContainsFunc(r.On, func(s string) bool { return s == "any" || s == fail.Code || s == fail.Kind && s != "" })
}

// delay is the pause after a try: exponential up to MaxBackoff, but never less than the
// component asked for.
func (r *Retry) delay(fail *NodeFail, try int) time.Duration {
	d := float64(r.Backoff) * math.Pow(r.Multiplier, float64(try-1))
	return max(time.Duration(min(d, float64(r.MaxBackoff))), fail.Backoff)
}

// duration reads a Go duration or a whole number of milliseconds.
func duration(v any) (time.Duration, bool) {
	if s, ok := v.(string); ok {
		d, err := time.ParseDuration(strings.TrimSpace(s))
		return d, err == nil && d >= 0
	}
	n, ok := number(v)
	return time.Duration(n) * time.Millisecond, ok && n == math.Trunc(n) && n >= 0 && n <= float64(maxWait/time.Millisecond)
}

func number(v any) (float64, bool) {
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

// wrong reports what is wrong with the value found by following the keys in way.
type wrong func(way []string, fix, format string, args ...any)

// readPolicies reads the objects beside the operation of n.
func (n *Node) readPolicies(about map[string]any, report wrong) {
	p := policyReader{n.ID, report}
	if m := p.object(about, []string{"retry"}, "{ attempts: 3 }", "attempts", "backoff", "max_backoff", "multiplier", "on"); m != nil {
		n.Retry = p.retry(m)
	}
	if m := p.object(about, []string{"timeout"}, `{ after: "10s" }`, "after"); m != nil {
		n.Timeout = p.duration(m, []string{"timeout", "after"}, 0)
		if m["after"] == nil {
			report([]string{"timeout"}, `write timeout: { after: "10s" }`, "node %s: timeout needs after", n.ID)
		} else if n.Timeout == 0 {
			report([]string{"timeout", "after"}, `write after: "10s"`, "node %s: timeout.after must be more than nothing", n.ID)
		}
	}
	if m := p.object(about, []string{"when"}, "{ condition: 'prev.total > 0' }", "condition"); m != nil {
		if n.When, _ = m["condition"].(string); n.When == "" {
			report([]string{"when"}, "write when: { condition: 'prev.total > 0' }", "node %s: when needs condition, a text", n.ID)
		}
	}
	meta, _ := about["meta"].(map[string]any)
	if m := p.object(meta, []string{"meta", "greentic"}, "{ compensate: NODE }", "compensate"); m != nil {
		if n.Compensate, _ = m["compensate"].(string); n.Compensate == "" {
			report([]string{"meta", "greentic"}, "write compensate: NODE", "node %s: compensate must name a node", n.ID)
		}
	}
}

// policyReader reads the policies of one node.
type policyReader struct {
	node   string
	report wrong
}

// object is the last key of way in m, an object of known keys like example; nil when there is none.
func (p policyReader) object(m map[string]any, way []string, example string, known ...string) map[string]any {
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

func (p policyReader) duration(m map[string]any, way []string, otherwise time.Duration) time.Duration {
	v := m[way[len(way)-1]]
	if v == nil {
		return otherwise
	}
	d, ok := duration(v)
	if !ok || d > maxDuration {
		p.report(way, `write a duration such as "500ms" or "10s", or milliseconds`, "node %s: %s is no duration up to 24h: %v", p.node, strings.Join(way, "."), v)
		return otherwise
	}
	return d
}

func (p policyReader) retry(m map[string]any) *Retry {
	r := &Retry{Multiplier: defaultMultiplier}
	n, ok := number(m["attempts"])
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
		if r.Multiplier, ok = number(v); !ok || !(r.Multiplier >= 1 && r.Multiplier <= 10) {
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

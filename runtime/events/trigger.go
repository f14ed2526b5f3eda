package events

import (
	"encoding/json"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Routes of the triggers made here. Nothing is delivered to them: what a flow that an event
// starts has to say, it emits.
const (
	CronRoute  = "cron"  // of a due time of a schedule
	EventRoute = "event" // of an event of a subscription
)

// Envelope is an event as a flow sees it: the ecosystem's EventEnvelope (formats digest 5.5).
type Envelope struct {
	greentic.Event
	Tenant greentic.TenantCtx `json:"tenant"`
}

// Trigger is the event of one due time. Its id is the schedule's and the instant in UTC, whoever
// makes it and however often, and its key the schedule's, so that fires run one after the other.
func (s *Schedule) Trigger(tenant greentic.TenantCtx, due time.Time) (greentic.Trigger, error) {
	e := greentic.Event{ID: s.ID() + "/" + due.UTC().Format(time.RFC3339), Topic: "cron." + s.pack + "." + s.asked.ID,
		Type: "greentic.schedule.due", Source: "greentic:cron", Subject: s.ID(), Time: due.UTC(), Payload: s.asked.Input,
		Metadata: map[string]string{"cron": s.asked.Cron, "zone": s.loc.String(), "local_time": due.In(s.loc).Format(time.RFC3339)}}
	if e.Payload == nil {
		e.Payload = json.RawMessage("{}")
	}
	t := greentic.Trigger{ID: e.ID, Route: CronRoute, Key: s.ID(), Pack: s.pack, Flow: s.asked.Flow}
	return starting(t, tenant, e)
}

// starting is the trigger t of an event.
func starting(t greentic.Trigger, tenant greentic.TenantCtx, e greentic.Event) (greentic.Trigger, error) {
	t.Kind, t.Tenant = greentic.KindEvent, whom(tenant)
	if e.CorrelationID != "" {
		t.Tenant.CorrelationID = e.CorrelationID
	}
	var err error
	t.Body, err = json.Marshal(Envelope{e, t.Tenant})
	return t, fault.As(fault.Invalid, "event "+e.ID, err)
}

// whom keeps of a tenant what is not of one invocation.
func whom(t greentic.TenantCtx) greentic.TenantCtx {
	return greentic.TenantCtx{Env: t.Env, Tenant: t.Tenant, Team: t.Team, User: t.User, Locale: t.Locale, TraceID: t.TraceID, CorrelationID: t.CorrelationID}
}

package events

import (
	"encoding/json"
	"time"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Route is the route of triggers made by schedules.
const Route = "cron"

// Headers of a trigger that say what it starts.
const (
	HeaderPack = "pack"
	HeaderFlow = "flow"
)

// Envelope is an event as a flow sees it: the ecosystem's EventEnvelope (formats digest 5.5).
type Envelope struct {
	ID            string             `json:"id"`
	Topic         string             `json:"topic"`
	Type          string             `json:"type"`
	Source        string             `json:"source"`
	Tenant        greentic.TenantCtx `json:"tenant"`
	Subject       string             `json:"subject,omitempty"`
	Time          time.Time          `json:"time"`
	CorrelationID string             `json:"correlation_id,omitempty"`
	Payload       json.RawMessage    `json:"payload"`
	Metadata      map[string]string  `json:"metadata"`
}

// Trigger is the event of one due time. Its id is the schedule's and the instant in UTC, whoever
// makes it and however often, and its key the schedule's, so that fires run one after the other.
func (s *Schedule) Trigger(tenant greentic.TenantCtx, due time.Time) (greentic.Trigger, error) {
	id := s.ID() + "/" + due.UTC().Format(time.RFC3339)
	e := Envelope{ID: id, Topic: "cron." + s.pack + "." + s.asked.ID, Type: "greentic.schedule.due", Source: "greentic:cron",
		Tenant: tenant, Subject: s.ID(), Time: due.UTC(), Payload: s.asked.Input,
		Metadata: map[string]string{"cron": s.asked.Cron, "zone": s.loc.String(), "local_time": due.In(s.loc).Format(time.RFC3339)}}
	if e.Payload == nil {
		e.Payload = json.RawMessage("{}")
	}
	body, err := json.Marshal(e)
	if err != nil {
		return greentic.Trigger{}, fault.As(fault.Invalid, "schedule "+s.ID(), err)
	}
	return greentic.Trigger{ID: id, Tenant: tenant, Kind: greentic.KindEvent, Route: Route, Key: s.ID(), Body: body,
		Header: map[string]string{HeaderPack: s.pack, HeaderFlow: s.asked.Flow}}, nil
}

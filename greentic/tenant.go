package greentic

import "time"

// EnvID names an environment (local, dev, prod).
type EnvID string

// TenantID names a customer; tenants never see each other.
type TenantID string

// TeamID names a group inside a tenant; may be empty.
type TeamID string

// UserID names a person or bot inside a tenant; may be empty.
type UserID string

// TenantCtx says for whom a call is made. It is the second argument, after ctx, of every
// call that does I/O; it is stored only in queued data and in the binding of one invocation.
type TenantCtx struct {
	Env    EnvID    `json:"env"`
	Tenant TenantID `json:"tenant"`
	Team   TeamID   `json:"team,omitempty"`
	User   UserID   `json:"user,omitempty"`

	Session        string    `json:"session,omitempty"` // session key
	Locale         string    `json:"locale,omitempty"`  // BCP 47 tag; empty means the pack's default
	TraceID        string    `json:"trace_id,omitempty"`
	CorrelationID  string    `json:"correlation_id,omitempty"`
	Deadline       time.Time `json:"deadline,omitzero"` // zero means none
	Attempt        uint32    `json:"attempt,omitempty"` // 1 is the first
	IdempotencyKey string    `json:"idempotency_key,omitempty"`
}

// DefaultTenant is who a single-user machine works for until tenancy is configured.
func DefaultTenant() TenantCtx { return TenantCtx{Env: "local", Tenant: "demo"} }

// Check reports the first identifier that breaks the identifier rule. Env and Tenant must be
// set; Team and User may be empty.
func (t TenantCtx) Check() error {
	if err := CheckID("env", string(t.Env)); err != nil {
		return err
	}
	if err := CheckID("tenant", string(t.Tenant)); err != nil {
		return err
	}
	if t.Team != "" {
		if err := CheckID("team", string(t.Team)); err != nil {
			return err
		}
	}
	if t.User != "" {
		return CheckID("user", string(t.User))
	}
	return nil
}

package operate

import (
	"context"
	"slices"
	"strings"

	"greentic.dev/backing/kv"
	"greentic.dev/backing/queue"
	"greentic.dev/backing/session"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
	"greentic.dev/runtime/release"
)

// What operators change is decided in the store, so it also holds for a runner that was not started
// and for conversations that another process runs. A turn that is running meanwhile finds its session
// changed when it checkpoints or commits, and runs again.

// parked reads a session that no turn is in the middle of. Errors: fault.NotFound; fault.Conflict
// while a turn of it stands at a checkpoint.
func parked(x kv.Reader, key string) (session.Session, error) {
	s, err := load(x, key)
	if err != nil {
		return s, err
	}
	e, waits, err := queue.First(x, key)
	if err == nil && waits && e.Progress != nil {
		err = fault.Newf(fault.Conflict, "session "+key, "turn %s of it is under way", e.Turn).WithCode("turn_under_way").WithFix("try again when it has ended")
	}
	return s, err
}

// load reads a session; fault.NotFound when there is none.
func load(x kv.Reader, key string) (session.Session, error) {
	s, err := session.Load(x, key)
	if err == nil && s.Revision == 0 {
		err = fault.New(fault.NotFound, "session "+key, "there is none")
	}
	return s, err
}

// move takes a parked session to another release. Its wait and its due time stay. Errors:
// fault.NotFound, and fault.Conflict naming what the release lacks or the turn that is under way.
func (a *API) move(ctx context.Context, tenant greentic.TenantCtx, key string, to release.Version) (s session.Session, err error) {
	err = a.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		if s, err = parked(x, key); err != nil || s.Release == to.Digest {
			return err
		}
		if err := takes(to, s); err != nil {
			return err
		}
		s.Release = to.Digest
		s, err = session.Save(x, tenant, s)
		return err
	})
	if err == nil {
		a.deps.Runner.Changed(tenant, s)
	}
	return s, fault.Wrap("migrate", err)
}

// codeCannotMigrate marks a release that lacks what a conversation needs.
const codeCannotMigrate = "cannot_migrate"

// takes says whether a session can go on in a release: its flow and the nodes it may go to exist.
func takes(to release.Version, s session.Session) error {
	refuse := func(what string) error {
		return fault.Newf(fault.Conflict, "session "+s.Key, "%s@%s (%s) has no %s", to.Pack, to.Version, to.Digest.Short(), what).
			WithCode(codeCannotMigrate).WithFix("leave the session where it is, or end it")
	}
	if _, err := to.Flow(s.Flow); err != nil {
		return refuse("flow " + s.Flow)
	}
	for at := &s.Cursor; at != nil; at = at.Caller { // the run that waits, and those that called it
		f, err := to.Flow(at.Flow)
		if err != nil {
			return refuse("flow " + at.Flow)
		}
		nodes := []string{at.Node, at.OnTimeout}
		for _, c := range at.Compensations {
			if !c.Done {
				nodes = append(nodes, c.By)
			}
		}
		nodes = slices.DeleteFunc(nodes, func(id string) bool { return id == "" || f.Node(id) != nil })
		if len(nodes) > 0 {
			slices.Sort(nodes)
			return refuse("node " + strings.Join(slices.Compact(nodes), ", ") + " in flow " + at.Flow)
		}
	}
	return nil
}

// finish ends a parked session; what waits in its inbox begins a new one. Errors as move.
func (a *API) finish(ctx context.Context, tenant greentic.TenantCtx, key string) error {
	err := a.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		s, err := parked(x, key)
		if err != nil {
			return err
		}
		return session.End(x, tenant, s)
	})
	if err == nil {
		a.deps.Runner.Changed(tenant, session.Session{Key: key})
	}
	return fault.Wrap("end", err)
}

// revive puts a dead letter's work back behind all other of its conversation. Errors as queue.Revive.
func (a *API) revive(ctx context.Context, tenant greentic.TenantCtx, id string) (l queue.Letter, err error) {
	err = a.deps.DB.Update(ctx, tenant, func(x kv.Txn) error {
		l, err = queue.Revive(x, id, a.deps.Now())
		return err
	})
	if err == nil {
		a.deps.Runner.Revived(l)
	}
	return l, fault.Wrap("retry", err)
}

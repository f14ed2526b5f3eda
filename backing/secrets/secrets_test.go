package secrets_test

import (
	"testing"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/memory"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func TestPathsAreThoseOfTheEcosystem(t *testing.T) {
	for want, name := range map[string]secrets.Name{
		"secrets://local/demo/_/_/telegram_bot_token":       {Key: "TELEGRAM_BOT_TOKEN"},
		"secrets://local/demo/ops/my_pack/api_key":          {Team: "ops", Pack: "My.Pack", Key: "api/key"},
		"secrets://local/demo/_/my-pack/user.u1.api_key":    {Pack: "my-pack", User: "u1", Key: "api.key"},
		"secrets://local/demo/_/_/user.u1.user_u1_password": {User: "u1", Key: "user.u1.password"},
	} {
		if got, err := name.Path(greentic.DefaultTenant()); got != want || err != nil {
			t.Errorf("%+v: %s %v", name, got, err)
		}
	}
}

func TestFindPrefersTheMoreSpecific(t *testing.T) {
	s := memory.New()
	tenant := greentic.TenantCtx{Env: "local", Tenant: "a", Team: "t", User: "u"}
	if _, err := secrets.Find(t.Context(), s, tenant, "p", "k"); !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	// least specific first: each new one must win
	for i, name := range []secrets.Name{{Key: "k"}, {Key: "k", Pack: "p"}, {Key: "k", Team: "t"}, {Key: "k", Team: "t", Pack: "p"}, {Key: "k", User: "u"}, {Key: "k", Team: "t", Pack: "p", User: "u"}} {
		if err := s.Put(t.Context(), tenant, name, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if got, err := secrets.Find(t.Context(), s, tenant, "p", "k"); err != nil || got[0] != byte(i) {
			t.Errorf("%+v: %v %v", name, got, err)
		}
	}
	tenant.Team, tenant.User = "other", "other"
	if got, _ := secrets.Find(t.Context(), s, tenant, "other", "k"); len(got) != 1 || got[0] != 0 {
		t.Errorf("another team, user and pack got %v", got)
	}
}

func TestFindReportsWhatTheStoreRefuses(t *testing.T) {
	if _, err := secrets.Find(t.Context(), memory.New(), greentic.DefaultTenant(), "p", "../k"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

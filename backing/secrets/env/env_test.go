package env

import (
	"testing"

	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

func variables(name string) (string, bool) {
	v, ok := map[string]string{"GREENTIC_SECRET_TELEGRAM_BOT_TOKEN": "token", "AWS_SECRET_ACCESS_KEY": "machine"}[name]
	return v, ok
}

func TestVariablesAreSecretsOfDevelopmentOnly(t *testing.T) {
	s := New(variables)
	for env, want := range map[greentic.EnvID]bool{"local": true, "dev": true, "test": true, "prod": false, "staging": false} {
		got, err := s.Get(t.Context(), greentic.TenantCtx{Env: env, Tenant: "a"}, secrets.Name{Key: "telegram-bot-token", Pack: "p"})
		if want && string(got) != "token" || !want && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %q %v", env, got, err)
		}
	}
}

func TestOnlyPrefixedVariablesAreRead(t *testing.T) {
	s := New(variables)
	if got, err := s.Get(t.Context(), greentic.DefaultTenant(), secrets.Name{Key: "AWS_SECRET_ACCESS_KEY"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%q %v", got, err)
	}
}

func TestTheStoreIsReadOnly(t *testing.T) {
	s, name := New(variables), secrets.Name{Key: "telegram_bot_token"}
	if err := s.Put(t.Context(), greentic.DefaultTenant(), name, nil); !fault.Is(err, fault.Unsupported) {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), greentic.DefaultTenant(), name); !fault.Is(err, fault.Unsupported) {
		t.Error(err)
	}
}

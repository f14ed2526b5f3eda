package memory

import (
	"testing"

	"greentic.dev/backing/secrets"
	"greentic.dev/backing/secrets/secretstest"
)

func TestSuite(t *testing.T) {
	secretstest.Run(t, func(*testing.T) secrets.Store { return New() })
}

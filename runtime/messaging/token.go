package messaging

import (
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Token lifetimes (formats digest 6.7).
const (
	defaultTokenTTL = 30 * time.Minute
	minTokenTTL     = time.Minute
	maxTokenTTL     = 30 * 24 * time.Hour
)

const (
	tokenIssuer   = "greentic.webchat"
	tokenAudience = "directline"
)

// grant is what a Direct Line token proves: the tenant, and once a conversation began, which.
type grant struct {
	Env          greentic.EnvID    `json:"env"`
	Tenant       greentic.TenantID `json:"tenant"`
	Team         greentic.TeamID   `json:"team,omitempty"`
	Conversation string            `json:"conversation,omitempty"`
	User         string            `json:"-"` // the subject
}

type claims struct {
	jwt.Claims
	Ctx grant `json:"ctx"`
}

// tokens signs and reads Direct Line tokens: JWT, HS256.
type tokens struct {
	key []byte
	ttl time.Duration
	now func() time.Time
}

func (t tokens) sign(g grant) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: t.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fault.Wrap("webchat token", err)
	}
	now := t.now()
	token, err := jwt.Signed(signer).Claims(claims{
		Claims: jwt.Claims{
			Issuer: tokenIssuer, Audience: jwt.Audience{tokenAudience}, Subject: g.User,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(t.ttl)),
		},
		Ctx: g,
	}).Serialize()
	return token, fault.Wrap("webchat token", err)
}

// Codes of Direct Line token errors.
const (
	codeExpired      = "TokenExpired"
	codeInvalid      = "InvalidToken"
	codeConversation = "WrongConversation"
)

// read verifies a token. Errors are fault.Denied with code TokenExpired or InvalidToken.
func (t tokens) read(text string) (grant, error) {
	refused := fault.New(fault.Denied, "webchat token", "the token is not one of ours").WithCode(codeInvalid)
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		return grant{}, refused
	}
	var c claims
	if err := parsed.Claims(t.key, &c); err != nil {
		return grant{}, refused
	}
	if c.Expiry == nil || t.now().After(c.Expiry.Time()) {
		return grant{}, fault.New(fault.Denied, "webchat token", "the token has expired").WithCode(codeExpired)
	}
	if err := c.ValidateWithLeeway(jwt.Expected{Issuer: tokenIssuer, AnyAudience: jwt.Audience{tokenAudience}, Time: t.now()}, time.Minute); err != nil {
		return grant{}, refused
	}
	c.Ctx.User = c.Subject
	return c.Ctx, nil
}

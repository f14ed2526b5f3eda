package trace

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"greentic.dev/greentic/fault"
)

// Trace is what one invocation asked of the host and what it learned: enough to run it again
// without effects. It is plain data with a JSON form. It has no secret, but it has the seed of the
// guest's random numbers: it is as confidential as what the guest makes of them.
type Trace struct {
	Began     time.Time  `json:"began"`
	Deadline  int64      `json:"deadline_ms,omitempty"` // what the guest was told, in milliseconds since 1970; 0: nothing
	Origin    Origin     `json:"origin"`
	Seed      []byte     `json:"seed,omitempty"`      // of ChaCha8; none: it asked for no random numbers
	Wall      []byte     `json:"wall,omitempty"`      // what it read of the wall clock, in nanoseconds: zigzag varints of the differences
	Monotonic []byte     `json:"monotonic,omitempty"` // likewise of the monotonic clock
	Polls     []byte     `json:"polls,omitempty"`     // what its polls answered: how many, and which, as varints
	Calls     []Exchange `json:"calls,omitempty"`     // in the order the guest made them; log lines are not among them
	Truncated bool       `json:"truncated,omitempty"` // there was more than the recorder may keep, or than 1,000 calls, or too many readings
}

// Origin is how the instance came to be.
type Origin struct {
	Kept bool   `json:"kept,omitempty"` // it began with an image; otherwise it started in the invocation
	Seed []byte `json:"seed"`           // of the random numbers the image saw
	Time int64  `json:"time"`           // of its clock, in nanoseconds since 1970
}

// Call is one call of a host interface, as it is recorded. It carries no secret and no body.
type Call struct {
	Import   string        `json:"import"`            // "greentic:http/http-client@1.1.0#send"
	Subject  string        `json:"subject,omitempty"` // "POST api.telegram.org", a state key, a secret key
	Outcome  string        `json:"outcome"`           // "ok", or the error code the guest saw
	Effect   bool          `json:"effect,omitempty"`  // it may have changed something outside: HTTP other than GET and HEAD, a secret written
	Duration time.Duration `json:"duration_ns"`
}

// Exchange is one host call: what was asked and what was answered. In texts, "{secret:KEY}" stands
// for the value of a secret, in the forms the package comment names.
type Exchange struct {
	Call
	IdempotencyKey string   `json:"idempotency_key,omitempty"` // that the host added to the request
	Asked          Asked    `json:"asked"`
	Answered       Answered `json:"answered,omitzero"`
}

// Asked is the arguments of a call; replay compares them.
type Asked struct {
	Key         string      `json:"key,omitempty"` // of a secret, or of state
	Method      string      `json:"method,omitempty"`
	URL         string      `json:"url,omitempty"` // without user and password
	Header      [][2]string `json:"header,omitempty"`
	Body        Body        `json:"body,omitzero"` // of the request, or the value to write
	TimeoutMS   int64       `json:"timeout_ms,omitempty"`
	Insecure    bool        `json:"insecure,omitempty"`
	NoRedirects bool        `json:"no_redirects,omitempty"`
	Foreign     bool        `json:"foreign,omitempty"` // it named another tenant
	Open        bool        `json:"open,omitempty"`    // the answer came before the body ended: then the body is not compared
}

// Answered is the result of a call. Exchange.Outcome says whether it is a failure.
type Answered struct {
	Status  int         `json:"status,omitempty"`
	Header  [][2]string `json:"header,omitempty"`
	Body    Body        `json:"body,omitzero"` // of the answer, or the value read
	Trailer [][2]string `json:"trailer,omitempty"`
	End     string      `json:"end,omitempty"` // how the body ended when not as it should: "open" (nobody read on) or an error code
	Message string      `json:"message,omitempty"`
	Fatal   bool        `json:"fatal,omitempty"` // it ended the guest; the outcome is the kind of the error
}

// Body is some bytes: themselves, or what stands for them. Its JSON form is a text,
// {"base64": …}, {"secret": KEY} or {"digest": "sha256:…", "bytes": N}.
type Body struct {
	Text   string // the bytes
	Secret string // the key of the secret they are
	Digest string // "sha256:" and hexadecimal digits, with every secret replaced if the bytes did not stream
	Bytes  int64  // with Digest: how many
}

type bodyForm struct {
	Base64 []byte `json:"base64,omitempty"`
	Secret string `json:"secret,omitempty"`
	Digest string `json:"digest,omitempty"`
	Bytes  int64  `json:"bytes,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (b Body) MarshalJSON() ([]byte, error) {
	switch {
	case b.Secret != "" || b.Digest != "":
		return json.Marshal(bodyForm{Secret: b.Secret, Digest: b.Digest, Bytes: b.Bytes})
	case !utf8.ValidString(b.Text):
		return json.Marshal(bodyForm{Base64: []byte(b.Text)})
	}
	return json.Marshal(b.Text)
}

// UnmarshalJSON implements json.Unmarshaler. The error is fault.Invalid.
func (b *Body) UnmarshalJSON(data []byte) error {
	var form bodyForm
	if strings.HasPrefix(strings.TrimSpace(string(data)), `"`) {
		return json.Unmarshal(data, &b.Text)
	}
	if err := json.Unmarshal(data, &form); err != nil {
		return fault.As(fault.Invalid, "body", err)
	}
	*b = Body{Text: string(form.Base64), Secret: form.Secret, Digest: form.Digest, Bytes: form.Bytes}
	return nil
}

// String is the bytes, or a line about what stands for them.
func (b Body) String() string {
	switch {
	case b.Secret != "":
		return Mark(b.Secret)
	case b.Digest != "":
		return fmt.Sprintf("%s of %d bytes", b.Digest, b.Bytes)
	}
	return b.Text
}

// Digested is the Body that stands for bytes of this sum.
func Digested(sum []byte, n int64) Body {
	return Body{Digest: "sha256:" + hex.EncodeToString(sum), Bytes: n}
}

// DigestOf is the Body that stands for text.
func DigestOf(text string) Body {
	sum := sha256.Sum256([]byte(text))
	return Digested(sum[:], int64(len(text)))
}

// Size is about how many bytes an exchange takes.
func (e *Exchange) Size() int {
	n := 128 + len(e.Import) + len(e.Subject) + len(e.Asked.Key) + len(e.Asked.URL) + e.Asked.Body.size() + e.Answered.Body.size() + len(e.Answered.Message)
	for _, list := range [][][2]string{e.Asked.Header, e.Answered.Header, e.Answered.Trailer} {
		for _, h := range list {
			n += len(h[0]) + len(h[1])
		}
	}
	return n
}

func (b Body) size() int {
	n := len(b.Text) + len(b.Digest)
	if !utf8.ValidString(b.Text) {
		n = base64.StdEncoding.EncodedLen(n)
	}
	return n
}

// Conceal takes secrets out of every text of the exchange, which is UTF-8 afterwards but for bodies.
func (e *Exchange) Conceal(secrets Needles) {
	clean := func(s *string) { *s = secrets.Conceal(strings.ToValidUTF8(*s, "\uFFFD")) }
	clean(&e.Subject)
	clean(&e.Asked.Key)
	clean(&e.Asked.Method)
	clean(&e.Asked.URL)
	clean(&e.Answered.Message)
	e.Asked.Body.Text = secrets.Conceal(e.Asked.Body.Text)
	e.Answered.Body.Text = secrets.Conceal(e.Answered.Body.Text)
	for _, list := range []*[][2]string{&e.Asked.Header, &e.Answered.Header, &e.Answered.Trailer} {
		for i := range *list {
			clean(&(*list)[i][0])
			clean(&(*list)[i][1])
		}
	}
}

// WithoutUser takes user and password out of a URL, also of one that cannot be parsed.
func WithoutUser(address string) string {
	start := strings.Index(address, "://")
	if start < 0 {
		return address
	}
	start += len("://")
	end := len(address)
	if i := strings.IndexAny(address[start:], "/?#\\"); i >= 0 {
		end = start + i
	}
	if at := strings.LastIndexByte(address[start:end], '@'); at >= 0 {
		return address[:start] + address[start+at+1:]
	}
	return address
}

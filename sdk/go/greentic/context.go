package greentic

import "reflect"

// Context is one invocation: for whom it runs, and what it may reach. It is good until the operation
// returns.
type Context struct {
	Tenant     Tenant
	Operation  string
	Flow       string // ids of the flow, node and component as the flow calls them
	Node       string
	Component  string
	Attempt    int   // 1 is the first
	DeadlineMS int64 // when the host stops waiting, in milliseconds since 1970; 0: never
	Metadata   any   // what the host sent beside the input; usually nil

	input    any // decoded
	defaults any // Info.Config
	mock     *mocked
}

// Tenant says for whom an invocation runs. Empty texts are unknown.
type Tenant struct {
	Env, ID, Team, User string
	Locale              string // "de-CH"
	Trace, Correlation  string
	IdempotencyKey      string
}

// Input is the whole input as plain values, also what the operation's type leaves out.
func (c *Context) Input() any { return c.input }

// Config puts the configuration of this invocation where to points: the defaults of Info.Config, and
// over them what the flow or pack says. The error is an *Error with [CodeInvalidConfig].
func (c *Context) Config(to any) error {
	merged := map[string]any{}
	if c.defaults != nil {
		plain, err := encode(c.defaults)
		if err != nil {
			return Fail(CodeInvalidConfig, err.Error())
		}
		if m, ok := plain.(map[string]any); ok {
			merged = m
		}
	}
	input, _ := c.input.(map[string]any)
	given, ok := input["config"].(map[string]any)
	if input["config"] != nil && !ok {
		return Fail(CodeInvalidConfig, "$.config: want an object, got "+describeValue(input["config"]))
	}
	for k, v := range given {
		merged[k] = v
	}
	if v := reflect.ValueOf(to); v.Kind() != reflect.Pointer || v.IsNil() {
		return Fail(CodeInvalidConfig, "Config needs a pointer")
	}
	if err := decode(merged, to); err != nil {
		return Fail(CodeInvalidConfig, err.Error())
	}
	return nil
}

// Cancelled says whether the host wants the operation to stop: its deadline passed, or nobody waits
// for the answer. Long loops ask now and then.
func (c *Context) Cancelled() bool {
	if c.mock != nil {
		return c.mock.Cancelled
	}
	return hostCancelled()
}

// Secret is the value of a secret that Info.Secrets names. The error is an *Error with the code
// secret_not_found, secret_denied, secret_invalid_key or secret_internal.
func (c *Context) Secret(key string) (string, error) {
	var value []byte
	code := ""
	if c.mock != nil {
		text, ok := c.mock.Secrets[key]
		if value = []byte(text); !ok {
			code = "not_found"
		}
	} else {
		value, code = hostSecret(key)
	}
	switch code {
	case "":
		return string(value), nil
	case "denied":
		return "", Fail("secret_denied", "the secret "+key+" was not granted; is it in Info.Secrets?")
	case "not_found":
		return "", Fail("secret_not_found", "there is no secret "+key)
	}
	return "", Fail("secret_"+code, "the secret "+key+" cannot be read")
}

// Log writes a line to the host's log with fields beside it, in pairs: a name and a text, number or
// boolean. The field level is debug, info, warn or error.
func (c *Context) Log(message string, fields ...any) {
	pairs := [][2]string{{"message", message}}
	for i := 0; i < len(fields); i += 2 {
		name, _ := fields[i].(string)
		var value any = "?"
		if i+1 < len(fields) {
			value = fields[i+1]
		}
		pairs = append(pairs, [2]string{name, logText(value)})
	}
	if c.mock != nil {
		c.mock.log(pairs)
		return
	}
	hostLog(c, pairs)
}

func logText(v any) string {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	plain, err := encode(v)
	if err != nil {
		return err.Error()
	}
	if s, ok := plain.(string); ok {
		return s
	}
	text, err := EncodeJSON(plain)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

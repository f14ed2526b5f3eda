package greentic

// Mock stands in for the host in a component's own tests. Its zero value has no secrets, no state, no
// HTTP, and drops the log.
type Mock struct {
	Tenant    Tenant
	Secrets   map[string]string
	State     map[string]any
	HTTP      func(*Request) (*Response, error) // nil: denied
	Log       func(line map[string]string)      // by field name; nil: dropped
	Cancelled bool
}

type mocked struct {
	Mock
	state map[string][]byte // JSON
}

// Context is an invocation with m as its host. A state that has no value form panics.
func (m Mock) Context() *Context {
	held := &mocked{m, map[string][]byte{}}
	for k, v := range m.State {
		text, err := EncodeJSON(v)
		if err != nil {
			panic("greentic.Mock: state " + k + ": " + err.Error())
		}
		held.state[k] = text
	}
	return &Context{Tenant: m.Tenant, Attempt: 1, mock: held}
}

func (m *mocked) log(pairs [][2]string) {
	if m.Log == nil {
		return
	}
	line := map[string]string{}
	for _, p := range pairs {
		line[p[0]] = p[1]
	}
	m.Log(line)
}

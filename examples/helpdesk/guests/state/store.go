package state

// Store keeps values by key. Read gives nil for a key that was never written.
type Store interface {
	Read(key string) (any, error)
	Write(key string, v any) error
}

// Memory is a Store without a host, for tests.
type Memory map[string]any

// Read gives the value of key, or nil.
func (m Memory) Read(key string) (any, error) { return m[key], nil }

// Write keeps v.
func (m Memory) Write(key string, v any) error { m[key] = v; return nil }

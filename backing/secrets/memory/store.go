package memory

import (
	"bytes"
	"context"
	"sync"

	"greentic.dev/backing/secrets"
	"greentic.dev/greentic"
	"greentic.dev/greentic/fault"
)

// Store is a secrets.Store in memory.
type Store struct {
	mu     sync.RWMutex
	values map[string][]byte // by path
}

// New makes an empty store.
func New() *Store { return &Store{values: map[string][]byte{}} }

// Get implements secrets.Store.
func (s *Store) Get(_ context.Context, tenant greentic.TenantCtx, name secrets.Name) ([]byte, error) {
	path, err := name.Path(tenant)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	value, ok := s.values[path]
	if !ok {
		return nil, secrets.NotFound(name.Key)
	}
	return bytes.Clone(value), nil
}

// Put implements secrets.Store.
func (s *Store) Put(_ context.Context, tenant greentic.TenantCtx, name secrets.Name, value []byte) error {
	path, err := name.Path(tenant)
	if err != nil {
		return err
	}
	if len(value) > secrets.MaxValue {
		return fault.Newf(fault.Invalid, "secret", "%q is larger than %d bytes", name.Key, secrets.MaxValue)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[path] = append([]byte{}, value...)
	return nil
}

// Delete implements secrets.Store.
func (s *Store) Delete(_ context.Context, tenant greentic.TenantCtx, name secrets.Name) error {
	path, err := name.Path(tenant)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.values[path]; !ok {
		return secrets.NotFound(name.Key)
	}
	delete(s.values, path)
	return nil
}

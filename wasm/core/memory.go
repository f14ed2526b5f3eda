package core

import (
	"sync"

	"github.com/tetratelabs/wazero/experimental"

	"greentic.dev/greentic/fault"
)

// Budget bounds the linear memory and the tables of the instances of one invocation, all
// together. The zero value has no limit but that of the engine, 4 GiB per memory. It is safe
// for concurrent use; Limit is changed by Reset only.
type Budget struct {
	Limit uint64 // bytes; 0 means none

	mu         sync.Mutex
	used, peak uint64
	denied     bool
}

// NewBudget returns a budget of limit bytes; 0 means none.
func NewBudget(limit uint64) *Budget { return &Budget{Limit: limit} }

// Current is the memory in use, in bytes.
func (b *Budget) Current() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Reset gives the budget a new limit for the next invocation of instances that are kept, and
// forgets the peak. A memory never grows past the limit it was made under.
func (b *Budget) Reset(limit uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Limit, b.peak, b.denied = limit, b.used, false
}

// Peak is the most memory in use at one time, in bytes.
func (b *Budget) Peak() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peak
}

// Denied says whether a guest asked for more than the limit.
func (b *Budget) Denied() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.denied
}

// grow accounts for something that goes from old to size bytes.
func (b *Budget) grow(old, size uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.Limit > 0 && size > old && (b.used > b.Limit || size-old > b.Limit-b.used) {
		b.denied = true
		return false
	}
	b.used += size - old
	b.peak = max(b.peak, b.used)
	return true
}

// memory is one linear memory: reserved address space of which a prefix is in use. Its base
// never moves. wazero sees it as its allocator and as the memory itself, but does not own it:
// only release gives the space back, so that no guest can be running on it.
type memory struct {
	budget *Budget
	region region
	size   uint64 // bytes in use
	image  *Image // that the space is a mapping of; may be nil
}

// newMemory takes the space for a memory that starts with low and ends with at most high bytes.
func newMemory(b *Budget, low, high uint64) (*memory, error) {
	if !b.grow(0, low) {
		return nil, fault.Newf(fault.Exhausted, "guest memory", "%d bytes to begin with, %d of %d are in use", low, b.Current(), b.Limit)
	}
	if b.Limit > 0 {
		high = max(low, min(high, b.Limit&^0xffff))
	}
	r, err := reserve(high)
	if err == nil {
		_, err = r.use(low)
	}
	if err != nil {
		r.free()
		b.grow(low, 0)
		return nil, fault.As(fault.Exhausted, "guest memory", err)
	}
	return &memory{budget: b, region: r, size: low}, nil
}

// Allocate implements experimental.MemoryAllocator. It is called once, by the one module that
// defines this memory.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory; nil refuses.
func (m *memory) Reallocate(size uint64) []byte {
	if !m.budget.grow(m.size, size) {
		return nil
	}
	bytes, err := m.region.use(size)
	if err != nil {
		m.budget.grow(size, m.size)
		return nil
	}
	m.size = size
	return bytes
}

// shrink gives up what is past the first size bytes; it is zero when it is used again. The last
// page of the rest is not counted until Reallocate takes it back.
func (m *memory) shrink(size uint64) error {
	if err := m.region.clear(size, m.size, m.image); err != nil {
		return err
	}
	m.budget.grow(m.size, size-wasmPage)
	m.size = size - wasmPage
	return nil
}

// Free implements experimental.LinearMemory. wazero calls it when a module is closed, which may
// be while it runs; the space stays until release.
func (m *memory) Free() {}

// release gives back the space. Nothing may be running on it or hold a view of it.
func (m *memory) release() {
	m.budget.grow(m.size, 0)
	m.size = 0
	m.region.free()
}

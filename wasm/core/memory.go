package core

import "github.com/tetratelabs/wazero/experimental"

// Budget bounds the linear memory of the instances of one invocation, all together. It serves
// one goroutine. The zero value has no limit but that of the engine, 4 GiB per memory.
type Budget struct {
	Limit uint64 // bytes; 0 means none

	used, peak uint64
	denied     bool
}

// Peak is the most memory in use at one time, in bytes.
func (b *Budget) Peak() uint64 { return b.peak }

// Denied says whether a guest asked for more than the limit.
func (b *Budget) Denied() bool { return b.denied }

// grow accounts for a memory that goes from old to size bytes.
func (b *Budget) grow(old, size uint64) bool {
	if b.Limit > 0 && b.used-old+size > b.Limit {
		b.denied = true
		return false
	}
	b.used += size - old
	b.peak = max(b.peak, b.used)
	return true
}

// Allocate implements experimental.MemoryAllocator. The memory's base never moves.
func (b *Budget) Allocate(_, most uint64) experimental.LinearMemory {
	if b.Limit > 0 {
		most = min(most, (b.Limit+0xffff)&^0xffff)
	}
	return &memory{budget: b, region: reserve(most)}
}

// memory is one linear memory: reserved address space of which a prefix is in use.
type memory struct {
	budget *Budget
	region region
	size   uint64
}

// Reallocate implements experimental.LinearMemory; nil refuses.
func (m *memory) Reallocate(size uint64) []byte {
	if !m.budget.grow(m.size, size) {
		return nil
	}
	b := m.region.use(size)
	if b == nil {
		m.budget.used -= size - m.size
		m.budget.denied = true
		return nil
	}
	m.size = size
	return b
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() {
	m.budget.used -= m.size
	m.size = 0
	m.region.free()
}

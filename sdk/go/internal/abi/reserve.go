package abi

// The memory of the preview-1 adapter lies in the component's own data, where Go puts nothing else:
// the componentiser finds it by its mark. A page for the adapter's stack and a page for its state.
const (
	ReserveMark = "adapter memory of this guest"
	ReserveSize = 2<<16 + 64 // bytes, mark and alignment included
)

package guest

// The memory of the preview-1 adapter lies in the guest's own data, where Go puts nothing
// else. Command adapt finds it by its mark and hands it to the adapter: a page for its stack
// and a page for its state.
const (
	ReserveMark = "adapter memory of this guest"
	ReserveSize = 2<<16 + 64 // bytes, mark and alignment included
)

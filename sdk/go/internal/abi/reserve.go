package abi

// Memory of the component's own, where Go puts nothing else; the componentiser finds it by its mark. First a page
// for the stack and a page for the state of the preview-1 adapter, then, on the next 16-byte boundary, what the
// host hands over: a word that counts the bytes in use, a word that is set when a call has ended, and behind this header
// those bytes.
const (
	ReserveMark   = "handover memory of this guest"
	ReserveSize   = 2<<16 + 64 // bytes, mark and alignment included
	HandoverSize  = 1 << 16
	HandoverBegin = 16
)

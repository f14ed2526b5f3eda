// Package canon is the canonical ABI of the Component Model: how typed values cross the border
// between the host and the linear memory of a guest.
//
// It turns Go values into flat core values and guest memory (lower) and back (lift), and keeps
// the handle tables of resources; package link calls it around every core call. It refuses
// whatever the guest may not do (pointers past memory, invalid text, forged handles) as a trap,
// and whatever costs more than the payload budget before it allocates; it knows no async types.
// Main types: [Signature], [Env], [Options], [Table], and the value forms in value.go.
// Its promises are tested in roundtrip_test.go, abi_test.go, hostile_test.go and handles_test.go.
package canon

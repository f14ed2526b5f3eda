package core

// zero clears the bytes from begin to end, which are in use.
func (r *region) zero(begin, end uint64) error {
	clear(r.space[begin:end])
	return nil
}

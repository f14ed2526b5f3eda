package core

// The ways to restore, so that a test can go each of them on one machine.

// WithoutPagemap is img as it is where the kernel does not show the page map.
func (img *Image) WithoutPagemap() *Image {
	again := *img
	again.pages.pagemap = nil
	return &again
}

// WithoutFile is img as it is where memory cannot be mapped.
func (img *Image) WithoutFile() *Image {
	again := *img
	again.pages = pageFile{}
	return &again
}

// HasPagemap says whether the fastest way is open.
func (img *Image) HasPagemap() bool { return img.pages.pagemap != nil }

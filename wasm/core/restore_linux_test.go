package core

// The ways to restore, so that a test can go each of them on one machine.

// WithoutScan is img as it is where the kernel does not find written pages itself.
func (img *Image) WithoutScan() *Image {
	again := *img
	again.pages.scan = false
	return &again
}

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

// Finds says how written pages are found: by a scan, in the page map, or not at all.
func (img *Image) Finds() (scan, pagemap bool) { return img.pages.scan, img.pages.pagemap != nil }

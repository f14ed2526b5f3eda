package core

import (
	"errors"
	"reflect"

	"github.com/tetratelabs/wazero/api"

	"greentic.dev/greentic/fault"
	"greentic.dev/wasm/rewrite"
)

// Image is the state of an instance at one moment: its memory and its globals. It is immutable,
// safe for concurrent use, and serves every instance of the same code. Whoever took it closes
// it, after the last instance that was restored from it.
type Image struct {
	code    *Code
	size    uint64   // bytes of memory
	runs    []run    // where they are not zero, in ascending order
	bytes   []byte   // all of them, to be read only
	pages   pageFile // what instances map; may be none
	globals []uint64 // in the order of Facts.Globals
}

// maxImage is how many bytes of an image may not be zero: they stay in memory while it is kept.
const maxImage = 128 << 20

func (img *Image) weight() (n int) {
	for _, r := range img.runs {
		n += r.end - r.begin
	}
	return n
}

// run is a part of a memory.
type run struct{ begin, end int }

// Snapshot takes an image of an instance that is not running. It must be taken before tenant
// data or secrets enter the instance. fault.Unsupported names what cannot be
// put back: then an instance must be made anew for every invocation.
func (i *Instance) Snapshot() (*Image, error) {
	const op = "snapshot"
	if i.code.facts.Fixed != "" {
		return nil, fault.New(fault.Unsupported, op, "not possible for this module: "+i.code.facts.Fixed)
	}
	if i.hasLasted() {
		return nil, fault.New(fault.Unsupported, op, "the module changed a table or dropped a segment while it started")
	}
	img := &Image{code: i.code}
	for _, g := range i.mutableGlobals() {
		img.globals = append(img.globals, g.Get())
	}
	if i.memory == nil {
		return img, nil
	}
	b, ok := i.Memory().Read(0, uint32(i.memory.size)) // 4 GiB itself cannot be read whole
	if !ok {
		return nil, fault.New(fault.Unsupported, op, "the memory is too large")
	}
	img.size, img.runs = i.memory.size, nonZero(b)
	if n := img.weight(); n > maxImage {
		return nil, fault.Newf(fault.Unsupported, op, "%d bytes of the memory are not zero, at most %d are kept", n, maxImage)
	}
	if err := img.store(b, i.images); err != nil {
		return nil, fault.As(fault.Unavailable, op, err)
	}
	return img, nil
}

// Restore puts an instance that is not running into the state of an image of its code. The
// count of fuel begins anew. If it fails the instance must be closed.
func (i *Instance) Restore(img *Image) error {
	const op = "restore"
	if img.code != i.code {
		return fault.New(fault.Internal, op, "the image is of another module")
	}
	if i.hasLasted() {
		return fault.New(fault.Unsupported, op, "the module has changed a table or dropped a segment")
	}
	if i.memory != nil {
		if err := i.resize(img.size); err != nil {
			return fault.Wrap(op, err)
		}
		if err := i.memory.restore(img); err != nil {
			return fault.As(fault.Unavailable, op, err)
		}
	}
	for n, g := range i.mutableGlobals() {
		g.Set(img.globals[n])
	}
	i.gauge.Set(rewrite.Slice<<32 | uint64(uint32(i.depth)))
	i.used.Set(0)
	return nil
}

// hasLasted says whether the instance has changed what no image holds.
func (i *Instance) hasLasted() bool { return i.lasted != nil && i.lasted.Get() != 0 }

// Close frees the image.
func (img *Image) Close() error { return img.free() }

func (i *Instance) mutableGlobals() []api.MutableGlobal {
	if i.globals == nil && len(i.code.facts.Globals) > 0 {
		i.globals = make([]api.MutableGlobal, len(i.code.facts.Globals))
		for n, name := range i.code.facts.Globals {
			i.globals[n] = i.module.ExportedGlobal(name).(api.MutableGlobal)
		}
	}
	return i.globals
}

const wasmPage = 1 << 16

// resize grows or shrinks the memory to size bytes; what is beyond is zero when it grows again.
func (i *Instance) resize(size uint64) error {
	mem := i.module.Memory()
	if size > i.memory.size {
		if _, ok := mem.Grow(uint32((size - i.memory.size) / wasmPage)); !ok {
			return fault.New(fault.Exhausted, "guest memory", "the image is larger than the limit")
		}
		return nil
	}
	if size == i.memory.size {
		return nil
	}
	// wazero can only grow. Its buffer is an exported field, so cut it to one page less than
	// wanted and grow by that page, which tells the compiled code.
	buffer := reflect.ValueOf(mem).Elem().FieldByName("Buffer")
	if size < wasmPage || !buffer.CanSet() || buffer.Type() != reflect.TypeFor[[]byte]() {
		return errCannotShrink
	}
	if err := i.memory.shrink(size); err != nil {
		return err
	}
	buffer.SetBytes(buffer.Bytes()[:size-wasmPage])
	if _, ok := mem.Grow(1); !ok || uint64(mem.Size()) != size {
		return errCannotShrink
	}
	return nil
}

var errCannotShrink = errors.New("the memory cannot be made smaller")

// restore makes the memory, which has the size of the image, equal to it.
func (m *memory) restore(img *Image) error {
	if img.pages.none() {
		copyBack(m.region.bytes(m.size), img)
		return nil
	}
	if m.image != img {
		m.image = img
		return m.region.mapImage(img)
	}
	return m.region.dropWrites(img)
}

// copyBack is the portable way to restore.
func copyBack(b []byte, img *Image) {
	at := 0
	for _, r := range img.runs {
		clear(b[at:r.begin])
		copy(b[r.begin:r.end], img.bytes[r.begin:r.end])
		at = r.end
	}
	clear(b[at:])
}

// imagePage is the unit in which an image tells zero from other bytes.
const imagePage = 4096

// nonZero finds the runs of pages that are not all zero.
func nonZero(b []byte) (runs []run) {
	var zero [imagePage]byte
	for at := 0; at < len(b); at += imagePage {
		page := b[at : at+imagePage]
		if string(page) == string(zero[:]) {
			continue
		}
		if last := len(runs) - 1; last >= 0 && runs[last].end == at {
			runs[last].end += imagePage
		} else {
			runs = append(runs, run{at, at + imagePage})
		}
	}
	return runs
}

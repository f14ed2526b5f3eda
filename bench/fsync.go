//go:build unix

package main

import (
	"context"
	"os"
	"time"
)

// fsync measures what the disk asks for durability: a page of 4 KiB written and synced, over and
// over in the same file. It has no bar; the turns have to be read beside it.
func fsync(context.Context) ([]figure, error) {
	f, err := os.CreateTemp("", "greentic-bench-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page, took := make([]byte, 4<<10), []float64(nil)
	for range 301 {
		begin := time.Now()
		if _, err := f.WriteAt(page, 0); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(begin).Microseconds())/1e3)
	}
	return []figure{{Name: "fsync_4k", Value: median(took), Unit: "ms, median of a write of 4 KiB and its fsync"}}, nil
}

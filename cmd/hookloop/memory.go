package main

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"hookloop/internal/config"
)

const (
	// devMemory bounds what Go keeps in `hookloop dev`, in bytes, while little lives: a laptop has
	// other programs. Beside it the process has some 130 MiB of its own program and SQLite's two
	// caches.
	devMemory = 144 << 20
	// devMemoryLooks is how often it is looked whether that is still enough.
	devMemoryLooks = time.Second
)

// tuneGC lets the heap grow to five times what lives before it is collected: all that serves events
// allocates much and keeps little, and memory is cheaper here than a core. GOGC overrides it, and
// GOMEMLIMIT bounds it: near the limit it collects as often as it must.
func tuneGC() {
	if config.OS("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// limitMemory keeps `hookloop dev` small until ctx ends, unless GOMEMLIMIT says otherwise.
func limitMemory(ctx context.Context) {
	if config.OS("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(devMemory)
	go func() {
		defer debug.SetMemoryLimit(math.MaxInt64) // what stops may take what it needs
		look := time.NewTicker(devMemoryLooks)
		defer look.Stop()
		for {
			select {
			case <-look.C:
				debug.SetMemoryLimit(memoryLimit(memoryNow()))
			case <-ctx.Done():
				return
			}
		}
	}()
}

// memoryLimit grows with what lives: a heap that must stay just above that is collected without
// end. Twice what lives costs as much as Go's own default does.
func memoryLimit(live, besideHeap uint64) int64 {
	return max(devMemory, int64(2*live+besideHeap))
}

// memoryNow tells what lived at the latest collection, and what Go keeps beside the heap, in bytes.
func memoryNow() (live, besideHeap uint64) {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	beside := samples[1].Value.Uint64()
	for _, heap := range samples[2:] {
		beside -= heap.Value.Uint64()
	}
	return samples[0].Value.Uint64(), beside
}

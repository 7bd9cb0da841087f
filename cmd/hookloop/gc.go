package main

import (
	"runtime/debug"

	"hookloop/internal/config"
)

// tuneGC lets the heap grow to five times what lives before it is collected: all that serves events
// allocates much and keeps little, and memory is cheaper here than a core. GOGC overrides it, and GOMEMLIMIT
// bounds it: near the limit it collects as often as it must.
func tuneGC() {
	if config.OS("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

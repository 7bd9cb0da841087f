package main

import (
	"os"
	"strings"
	"testing"
)

// TestMain runs the tests without HOOKLOOP_*: the machine may have a Hookloop of its own.
func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HOOKLOOP_") {
			_ = os.Unsetenv(name)
		}
	}
	os.Exit(m.Run())
}

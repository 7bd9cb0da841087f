package sqlite_test

import (
	"testing"

	"hookloop/internal/registry/registrytest"
)

func BenchmarkRegistry(b *testing.B) {
	r, _ := newRegistry(b)
	registrytest.Bench(b, r, func() {})
}

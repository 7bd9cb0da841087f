package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/sqlite"
)

// newCrowd is a registry of 1,000 endpoints: 3 of acme's take contact.updated, the others take
// something else or belong to somebody else.
func newCrowd(b *testing.B) *sqlite.Registry {
	b.Helper()
	r, _ := newRegistry(b)
	for n := range 1000 {
		e := newEndpoint(fmt.Sprintf("ep_01jd%022d", n), "contact.updated", "contact.created")
		if n >= 3 {
			e.Tenant = fmt.Sprintf("tenant%d", n%100)
		}
		require.NoError(b, r.CreateEndpoint(b.Context(), e))
	}
	return r
}

func BenchmarkMatch(b *testing.B) {
	r := newCrowd(b)
	b.ReportAllocs()
	for b.Loop() {
		if found, err := r.Match(b.Context(), "acme", "contact.updated"); err != nil || len(found.IDs) != 3 {
			b.Fatal(found, err)
		}
	}
}

func BenchmarkEndpoint(b *testing.B) {
	r := newCrowd(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Endpoint(b.Context(), "acme", "ep_01jd0000000000000000000001"); err != nil {
			b.Fatal(err)
		}
	}
}

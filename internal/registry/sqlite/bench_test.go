package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// newCrowd is a registry of 1,000 endpoints: 3 of acme's take contact.updated, the others take
// something else or belong to another tenant.
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

func BenchmarkUpdateEndpoint(b *testing.B) {
	r := newCrowd(b)
	b.ReportAllocs()
	for b.Loop() {
		_, err := r.UpdateEndpoint(b.Context(), "acme", "ep_01jd0000000000000000000001", func(*webhook.Endpoint) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkArrivals looks up an item whose third party gave it an id, as each request does.
func BenchmarkArrivals(b *testing.B) {
	r := newCrowd(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Arrivals(b.Context(), "src_1", []string{"a"}, 0, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRemember notes a write for each attempt at an endpoint of an application.
func BenchmarkRemember(b *testing.B) {
	r := newCrowd(b)
	now := time.Now()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		v := echo.Value{Tenant: "acme", Application: "crm", Key: fmt.Sprint(n % 1000), Hash: "blue"}
		if err := r.Remember(b.Context(), echo.Write{Value: v, EventID: fmt.Sprint(n), EndpointID: "ep_1"}, now); err != nil {
			b.Fatal(err)
		}
	}
}

package registrytest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/webhook"
)

// Bench measures the calls of accepting and delivering in an empty registry, which it fills with
// 1,000 endpoints: 3 of acme's take contact.updated, the others take something else or belong to
// another tenant. filled is called when they are there.
func Bench(b *testing.B, r Registry, filled func()) {
	b.Helper()
	for n := range 1000 {
		e := endpoint(n, "contact.updated", "contact.created")
		if n >= 3 {
			e.Tenant = fmt.Sprintf("tenant%d", n%100)
		}
		require.NoError(b, r.CreateEndpoint(b.Context(), e))
	}
	filled()
	now := time.Now()
	value := func(n int64) echo.Value {
		return echo.Value{Tenant: tenant, Application: "crm", Key: fmt.Sprint(n % 1000), Hash: "blue"}
	}
	for name, call := range map[string]func(n int64) error{
		"match": func(int64) error {
			_, err := r.Match(b.Context(), tenant, "contact.updated")
			return err
		},
		"endpoint": func(int64) error {
			_, err := r.Endpoint(b.Context(), tenant, id(1))
			return err
		},
		"update endpoint": func(int64) error {
			_, err := r.UpdateEndpoint(b.Context(), tenant, id(1), func(*webhook.Endpoint) error { return nil })
			return err
		},
		"arrivals": func(int64) error {
			_, err := r.Arrivals(b.Context(), "src_1", []string{"a"}, 0, time.Time{})
			return err
		},
		"remember": func(n int64) error {
			return r.Remember(b.Context(), echo.Write{Value: value(n), EventID: fmt.Sprint(n), EndpointID: id(1)}, now)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for n := int64(0); b.Loop(); n++ {
				if err := call(n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("rule, many at once", func(b *testing.B) { // as a source in a hurry reports changes
		b.ReportAllocs()
		b.SetParallelism(16)
		var n atomic.Int64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				i := n.Add(1)
				if _, err := r.Rule(b.Context(), echo.Report{Value: value(i), EventID: fmt.Sprint(i)}, now); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

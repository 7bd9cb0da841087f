package postgres_test

import (
	"testing"

	"hookloop/internal/postgrestest"
	"hookloop/internal/registry/registrytest"
)

// BenchmarkRegistry lets the server wait for its disk, as in production.
func BenchmarkRegistry(b *testing.B) {
	d := databaseOf(b, postgrestest.Start(b, postgrestest.Config{Fsync: true}))
	d.migrate(b)
	r := d.registry(b, registrytest.NewSealer(b))
	registrytest.Bench(b, r, func() { d.exec(b, "VACUUM ANALYZE") })
}

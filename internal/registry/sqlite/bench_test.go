package sqlite_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/registrytest"
)

func BenchmarkRegistry(b *testing.B) {
	r, _ := newRegistry(b)
	registrytest.Bench(b, r, func() {})
}

// BenchmarkAttemptLog writes a hundred attempts at once, as a worker does that makes a hundred a
// second, and says what a row takes of the file.
func BenchmarkAttemptLog(b *testing.B) {
	r, f := newRegistry(b)
	rows := 0
	b.ReportAllocs()
	for b.Loop() {
		if err := r.WriteAttempts(b.Context(), registrytest.SomeAttempts(rows, 100)); err != nil {
			b.Fatal(err)
		}
		rows += 100
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
	_, err := f.database(b).ExecContext(b.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(b, err)
	info, err := os.Stat(string(f))
	require.NoError(b, err)
	b.ReportMetric(float64(info.Size())/float64(rows), "B/row")
}

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct{ live, beside, want uint64 }{
		{20 * mib, 20 * mib, devMemory},
		{62 * mib, 20 * mib, devMemory},
		{100 * mib, 30 * mib, 230 * mib},
		{1000 * mib, 100 * mib, 2100 * mib},
	} {
		require.Equal(t, int64(c.want), memoryLimit(c.live, c.beside))
	}
	live, beside := memoryNow()
	require.NotZero(t, beside)
	require.Less(t, live, uint64(1<<40), "a difference below zero")
	require.Less(t, beside, uint64(1<<40), "a difference below zero")
}

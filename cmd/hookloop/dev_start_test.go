//go:build !noembed

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/devdir"
)

// TestRegistryKeyOfACutStart: a first start that was cut off once Temporal's file was there goes
// on; a registry that is missing beside Temporal's data is still a lost one.
func TestRegistryKeyOfACutStart(t *testing.T) {
	t.Parallel()
	data, err := devdir.Open(filepath.Join(t.TempDir(), "data"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = data.Close() })
	key, err := registryKey(data)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(data.File("temporal.db"), nil, 0o600))
	again, err := registryKey(data)
	require.NoError(t, err)
	require.Equal(t, key, again)

	require.NoError(t, os.Remove(data.File(devdir.RegistryFile)))
	_, err = registryKey(data)
	require.ErrorContains(t, err, "is missing")
}

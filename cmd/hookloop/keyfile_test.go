package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKeyFileOfSomebodyElse: the refusal names the file's owner and the user that runs.
func TestKeyFileOfSomebodyElse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "registry.key")
	require.NoError(t, os.WriteFile(path, []byte("key"), 0o600))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, " and belongs to user "+strconv.Itoa(os.Getuid())+", group "+strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid)), ownerOf(info))

	_, err = readKeyFile(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)

	if os.Getuid() == 0 {
		return // root reads every file
	}
	require.NoError(t, os.Chmod(path, 0))
	_, err = readKeyFile(path)
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "mode 0000 and belongs to user "+strconv.Itoa(os.Getuid()))
	require.ErrorContains(t, err, "this process runs as user "+strconv.Itoa(os.Getuid()))
}

package devdir_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/devdir"
)

// TestDiskTrouble: whichever way a library words it, the line says what to do, and is one line.
func TestDiskTrouble(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"engine: /data/visibility.db: disk I/O error (4618)", "database or disk is full (13)", "registry /data/registry.db: the database file's disk is full", "attempt to write a readonly database (8)",
		"registry /data/registry.db: the database file cannot be opened", "unable to open database file (14)",
	} {
		require.ErrorContains(t, devdir.DiskTrouble(errors.New(text), "/data"), "see that the disk of /data has room, can be written to and is sound", text)
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		err := devdir.DiskTrouble(errors.Join(errno, errors.New("and more")), "/data")
		require.ErrorIs(t, err, errno)
		require.NotContains(t, err.Error(), "\n")
		require.Contains(t, err.Error(), "and more")
		require.Contains(t, err.Error(), "the disk of /data")
	}
	other := errors.New("address 127.0.0.1:1: address already in use")
	require.Equal(t, other, devdir.DiskTrouble(other, "/data"))
	require.NoError(t, devdir.DiskTrouble(nil, "/data"))
}

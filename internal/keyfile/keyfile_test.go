package keyfile

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAFileOfAnotherUser: the refusal names the file's owner and the user that runs.
func TestAFileOfAnotherUser(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "registry.key")
	require.NoError(t, os.WriteFile(path, []byte("key"), 0o600))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, " and belongs to user "+strconv.Itoa(os.Getuid())+", group "+strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Gid)), ownerOf(info))

	_, err = Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)

	if os.Getuid() == 0 {
		return // root reads every file
	}
	require.NoError(t, os.Chmod(path, 0))
	_, err = Read(path)
	require.ErrorIs(t, err, os.ErrPermission)
	require.ErrorContains(t, err, "mode 0000 and belongs to user "+strconv.Itoa(os.Getuid()))
	require.ErrorContains(t, err, "this process runs as user "+strconv.Itoa(os.Getuid()))
}

// TestOnlyItsOwnerReadsIt, also where an older file was open to others.
func TestOnlyItsOwnerReadsIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	require.NoError(t, Write(path, []byte("new")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.ErrorContains(t, Create(path, []byte("newer")), "exists already")
	made, err := ReadOrMake(path, func() ([]byte, error) { return []byte("made"), nil })
	require.NoError(t, err)
	require.Equal(t, "new", string(made))
	made, err = ReadOrMake(path+"2", func() ([]byte, error) { return []byte("made"), nil })
	require.NoError(t, err)
	require.Equal(t, "made", string(made))
}

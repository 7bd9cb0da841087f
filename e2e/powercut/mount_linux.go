// Package powercut is a file system that remembers what was written and what was synced, so that
// tests can go back to any moment and see what a power cut would have left there. It decides what
// survives; when to cut, and what must still hold afterwards, is left to the tests.
package powercut

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/stretchr/testify/require"
)

// Mount is a folder on such a file system.
type Mount struct {
	Dir string
	*Recording
}

// Start mounts the file system until the test ends or Stop. Without root or FUSE the test is
// skipped.
func Start(t *testing.T) *Mount {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: a power cut needs root, to mount a file system")
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("NOT TESTED: a power cut needs FUSE: ", err)
	}
	behind, dir := t.TempDir(), t.TempDir()
	r := &Recording{}
	root, err := newRoot(behind, r)
	require.NoError(t, err)
	server, err := fs.Mount(dir, root, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, FsName: "powercut", Name: "powercut", DisableXAttrs: true,
	}})
	if err != nil {
		t.Skip("NOT TESTED: a power cut needs a FUSE that may be mounted: ", err)
	}
	t.Cleanup(func() { _ = server.Unmount() }) // whatever still had files open has ended by now
	return &Mount{Dir: filepath.Join(dir, "disk"), Recording: r}
}

//go:build linux

package powercut_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/powercut"
	"hookloop/internal/devdir"
	"hookloop/internal/keyfile"
)

// TestDataFolder cuts the power at each moment of a first start: `hookloop dev` knows its folder
// again, and a key that was made is there.
func TestDataFolder(t *testing.T) {
	t.Parallel()
	disk := powercut.Start(t)
	require.NoError(t, os.Mkdir(disk.Dir, 0o700))
	d, err := devdir.Open(filepath.Join(disk.Dir, "data"))
	require.NoError(t, err)
	key, err := keyfile.ReadOrMake(d.File("a.key"), func() ([]byte, error) { return []byte("a key"), nil })
	require.NoError(t, err)
	require.NoError(t, d.Close())
	chance := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // to be repeated, not kept secret
	for n := range disk.Len() {
		for _, torn := range []*rand.Rand{nil, chance, chance} {
			replay, left := disk.Replay(), t.TempDir()
			replay.To(n)
			require.NoError(t, replay.Cut(left, torn))
			again, err := devdir.Open(filepath.Join(left, "disk", "data"))
			require.NoError(t, err, "after change %d of %d", n, disk.Len())
			require.NoError(t, again.Close())
			if n == disk.Len()-1 {
				kept, err := os.ReadFile(again.File("a.key"))
				require.NoError(t, err)
				require.Equal(t, key, kept)
			}
		}
	}
}

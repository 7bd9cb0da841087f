package powercut

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// left is what a cut after operation n leaves.
func left(t *testing.T, r *Recording, n int, chance *rand.Rand) map[string]string {
	t.Helper()
	dir := t.TempDir()
	p := r.Replay()
	p.To(n)
	require.NoError(t, p.Cut(dir, chance))
	got := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		got[rel] = string(content)
		return err
	}))
	return got
}

// TestCut: only what was synced is left, and a new name is there once its folder was synced.
func TestCut(t *testing.T) {
	t.Parallel()
	r := &Recording{}
	for _, o := range []op{
		{kind: makeDir, path: "d"},
		{kind: create, path: "d/a", inode: 7},
		{kind: write, inode: 7, data: []byte("one")},
		{kind: syncFile, inode: 7}, // 3
		{kind: write, inode: 7, off: 3, data: []byte("two")},
		{kind: rename, path: "d/a", to: "d/b"},
		{kind: syncFile, inode: 7}, // 6
		{kind: syncDir, path: "d"}, // 7
		{kind: truncate, inode: 7},
		{kind: remove, path: "d/b"},
		{kind: create, path: "d/c", inode: 7}, // the number is used again
		{kind: write, inode: 7, data: []byte("three")},
		{kind: syncFile, inode: 7}, // 12
	} {
		r.add(o)
	}
	require.Empty(t, left(t, r, 2, nil))
	require.Equal(t, map[string]string{"d/a": "one"}, left(t, r, 3, nil))
	require.Equal(t, map[string]string{"d/a": "one"}, left(t, r, 5, nil))
	require.Equal(t, map[string]string{"d/a": "onetwo"}, left(t, r, 6, nil))
	require.Equal(t, map[string]string{"d/b": "onetwo"}, left(t, r, 8, nil))
	require.Equal(t, map[string]string{"d/b": "onetwo", "d/c": "three"}, left(t, r, 12, nil))
	require.Equal(t, []int{3, 6, 7, 12}, r.Syncs())
}

// TestTorn: by chance, sectors of what was not synced are left, and others not.
func TestTorn(t *testing.T) {
	t.Parallel()
	r := &Recording{}
	r.add(op{kind: create, path: "a", inode: 1})
	r.add(op{kind: syncFile, inode: 1})
	page := make([]byte, 16*sector)
	for i := range page {
		page[i] = 'x'
	}
	r.add(op{kind: write, inode: 1, data: page})
	torn := left(t, r, 2, rand.New(rand.NewPCG(1, 1)))["a"] //nolint:gosec // to be repeated, not kept secret
	require.Contains(t, torn, "x")
	require.Contains(t, torn, "\x00")
	require.Equal(t, torn, left(t, r, 2, rand.New(rand.NewPCG(1, 1)))["a"], "a seed repeats it") //nolint:gosec // likewise
}

// TestNamesKeepTheirOrder: a file that is made again is there once it was synced, and the removal
// of the one before it does not come after that.
func TestNamesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	r := &Recording{}
	for _, o := range []op{
		{kind: create, path: "a", inode: 1},
		{kind: syncFile, inode: 1},
		{kind: remove, path: "a"},
		{kind: create, path: "a", inode: 2},
		{kind: write, inode: 2, data: []byte("new")},
		{kind: syncFile, inode: 2},
		{kind: syncDir, path: "."}, // 6
	} {
		r.add(o)
	}
	require.Equal(t, map[string]string{"a": "new"}, left(t, r, 5, nil))
	require.Equal(t, map[string]string{"a": "new"}, left(t, r, 6, nil))
}

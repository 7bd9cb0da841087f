package chain_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/chain"
)

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	text, err := chain.NewKey()
	require.NoError(t, err)
	key, err := chain.ParseKey(text)
	require.NoError(t, err)
	return key
}

func public(t *testing.T, key ed25519.PrivateKey) ed25519.PublicKey {
	t.Helper()
	p, err := chain.ParsePublic(chain.PublicText(key))
	require.NoError(t, err)
	return p
}

// written is a folder of n records.
func written(t *testing.T, key ed25519.PrivateKey, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "export")
	w, err := chain.Open(dir, "a test")
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, w.Append(fmt.Appendf(nil, `{"n":%d}`, i+1)))
	}
	_, err = w.Finish(key, time.Unix(0, 0))
	require.NoError(t, err)
	return dir
}

func faults(t *testing.T, dir string, key ed25519.PublicKey) string {
	t.Helper()
	r, err := chain.Verify(dir, key)
	require.NoError(t, err)
	return strings.Join(r.Faults, "\n")
}

// edit rewrites the lines of the one file of records.
func edit(t *testing.T, dir string, change func([]string) []string) {
	t.Helper()
	path := filepath.Join(dir, "records-0000000001.jsonl")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := change(strings.SplitAfter(strings.TrimSuffix(string(raw), "\n"), "\n"))
	require.NoError(t, os.WriteFile(path, []byte(strings.TrimSuffix(strings.Join(lines, ""), "\n")+"\n"), 0o600))
}

// TestEveryChangeIsFound, and which record it is.
func TestEveryChangeIsFound(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	require.Empty(t, faults(t, written(t, key, 10), public(t, key)))
	require.Empty(t, faults(t, written(t, key, 0), public(t, key)))
	for name, tc := range map[string]struct {
		change func([]string) []string
		want   string
	}{
		"changed": {func(l []string) []string {
			l[3] = strings.Replace(l[3], `"n":4`, `"n":9`, 1)
			return l
		}, "record 4 was changed: record 5 has another hash of it"},
		"missing":       {func(l []string) []string { return append(l[:3], l[4:]...) }, "records 4 to 4 are missing"},
		"added":         {func(l []string) []string { return append(l[:4], append([]string{l[3]}, l[4:]...)...) }, "record 4 stands behind record 4: it was added or moved"},
		"moved":         {func(l []string) []string { l[3], l[4] = l[4], l[3]; return l }, "record 4 stands behind record 5"},
		"cut off":       {func(l []string) []string { return l[:8] }, "records 9 to 10 are missing at the end"},
		"cut in a line": {func(l []string) []string { l[9] = l[9][:10]; return l }, "the record after 9 is cut off"},
		"the last one": {func(l []string) []string {
			l[9] = strings.Replace(l[9], `"n":10`, `"n":11`, 1)
			return l
		}, "record 10, the last one, is not the signed one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := written(t, key, 10)
			edit(t, dir, tc.change)
			require.Contains(t, faults(t, dir, public(t, key)), tc.want)
		})
	}
}

// TestAManifestIsTheKeysOwn: not one that was changed with the records, or signed by another key.
func TestAManifestIsTheKeysOwn(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	dir := written(t, newKey(t), 3)
	require.Contains(t, faults(t, dir, public(t, key)), "not signed by this key")

	dir = written(t, key, 3)
	path := filepath.Join(dir, "manifest.json")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.Replace(raw, []byte(`"records": 3`), []byte(`"records": 2`), 1), 0o600))
	require.Contains(t, faults(t, dir, public(t, key)), "was changed since")

	dir = written(t, key, 3)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "records-0000000009.jsonl"), nil, 0o600))
	require.Contains(t, faults(t, dir, public(t, key)), "is not in the manifest")
	require.NoError(t, os.Remove(filepath.Join(dir, "records-0000000001.jsonl")))
	require.Contains(t, faults(t, dir, public(t, key)), "with records 1 to 3, is missing")
}

// TestAKilledExportGoesOn where it was last kept: what came after is written again.
func TestAKilledExportGoesOn(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	dir := filepath.Join(t.TempDir(), "export")
	w, err := chain.Open(dir, "a test")
	require.NoError(t, err)
	require.NoError(t, w.Keep("begun"))
	const first, all = 60_000, 110_000
	line := func(n int) []byte { return fmt.Appendf(nil, `{"n":%d}`, n) }
	for n := range first {
		require.NoError(t, w.Append(line(n+1)))
	}
	require.NoError(t, w.Keep("page two"))
	require.NoError(t, w.Append(line(0)))
	require.NoError(t, w.Close())

	_, err = chain.Verify(dir, public(t, key))
	require.ErrorContains(t, err, "unfinished")
	_, err = chain.Open(dir, "another")
	require.ErrorIs(t, err, chain.ErrOther)
	w, err = chain.Open(dir, "a test")
	require.NoError(t, err)
	place, n := w.Place()
	require.Equal(t, "page two", place)
	require.Equal(t, int64(first), n)
	for n := first; n < all; n++ {
		require.NoError(t, w.Append(line(n+1)))
	}
	m, err := w.Finish(key, time.Now())
	require.NoError(t, err)
	require.Equal(t, int64(all), m.Records)
	require.Len(t, m.Files, 3)
	r, err := chain.Verify(dir, public(t, key))
	require.NoError(t, err)
	require.Equal(t, chain.Report{Records: all, Head: m.Head, Faults: []string{}}, r)
	_, err = chain.Open(dir, "a test")
	require.ErrorIs(t, err, chain.ErrOther, "it is finished")

	raw, err := os.ReadFile(filepath.Join(dir, m.Files[2].Name))
	require.NoError(t, err)
	var last struct{ Line struct{ N int } }
	require.NoError(t, json.Unmarshal([]byte(strings.Split(string(raw), "\n")[0]), &last))
	require.Equal(t, int(m.Files[2].First), last.Line.N)
}

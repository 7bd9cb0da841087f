package archive_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/archive"
	"hookloop/internal/chain"
)

func newKey(t *testing.T) (ed25519.PrivateKey, ed25519.PublicKey) {
	t.Helper()
	text, err := chain.NewKey()
	require.NoError(t, err)
	key, err := chain.ParseKey(text)
	require.NoError(t, err)
	public, err := chain.ParsePublic(chain.PublicText(key))
	require.NoError(t, err)
	return key, public
}

// faults are what verify finds, a line each.
func faults(t *testing.T, dir string, public ed25519.PublicKey) string {
	t.Helper()
	v, err := archive.Verify(t.Context(), dir, public)
	require.NoError(t, err)
	var all []string
	for _, f := range v.Faults {
		all = append(all, f.File+": "+f.Problem)
	}
	return strings.Join(all, "\n")
}

// noonIndex is the index of the hour in which most of ten ended.
const noonIndex = "_index/2026/11/25/12.jsonl"

// edit rewrites the lines of an index.
func edit(t *testing.T, dir string, change func([]string) []string) {
	t.Helper()
	path := filepath.Join(dir, noonIndex)
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := change(strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n"))
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}

// TestEveryChangeOfAnArchiveIsFound, and where it is: above all a file that was changed together
// with its line.
func TestEveryChangeOfAnArchiveIsFound(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	for name, tc := range map[string]struct {
		change func(t *testing.T, dir string)
		want   string
	}{
		"a file": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, index(t, dir)[2].File), []byte("x"), 0o600))
		}, "damaged"},
		"a file and its line": {func(t *testing.T, dir string) {
			e := index(t, dir)[2]
			require.NoError(t, os.WriteFile(filepath.Join(dir, e.File), []byte("x"), 0o600))
			sum := sha256.Sum256([]byte("x"))
			edit(t, dir, func(l []string) []string {
				for i := range l {
					l[i] = strings.Replace(l[i], e.SHA256, hex.EncodeToString(sum[:]), 1)
				}
				return l
			})
		}, "was changed: record"},
		"a file, its line, and the chain behind it": {func(t *testing.T, dir string) {
			var lines [][]byte
			edit(t, dir, func(l []string) []string {
				for _, text := range l {
					var r struct{ Line json.RawMessage }
					require.NoError(t, json.Unmarshal([]byte(text), &r))
					lines = append(lines, bytes.Replace(r.Line, []byte("delivered"), []byte("exhausted"), 1))
				}
				raw, _, err := chain.Next(chain.Head{}, lines...)
				require.NoError(t, err)
				return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
			})
		}, noonIndex + ": the hash of record 6, the last one, is not the signed one"},
		"missing": {func(t *testing.T, dir string) {
			edit(t, dir, func(l []string) []string { return append(l[:2], l[3:]...) })
		}, noonIndex + ": records 3 to 3 are missing"},
		"added": {func(t *testing.T, dir string) {
			edit(t, dir, func(l []string) []string { return slices.Insert(l, 3, l[1]) })
		}, noonIndex + ": record 2 stands behind record 3: it was added or moved"},
		"added at the end": {func(t *testing.T, dir string) {
			edit(t, dir, func(l []string) []string { return append(l, strings.Replace(l[5], `"seq":6`, `"seq":7`, 1)) })
		}, noonIndex + ": 1 records stand behind the signed ones"},
		"reordered": {func(t *testing.T, dir string) {
			edit(t, dir, func(l []string) []string { l[1], l[2] = l[2], l[1]; return l })
		}, noonIndex + ": record 2 stands behind record 3"},
		"cut off": {func(t *testing.T, dir string) {
			edit(t, dir, func(l []string) []string { return l[:4] })
		}, noonIndex + ": records 5 to 6 are missing at the end"},
		"an hour taken away": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, noonIndex)))
		}, noonIndex + ": records 1 to 6 are missing at the end"},
		"a day taken away": {func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, "_index/2026/11/25")))
		}, "_index/2026/11/25/_signed.json: missing"},
		"the signature taken away": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "_signed.json")))
		}, "_signed.json: missing"},
		"signed by another": {func(t *testing.T, dir string) {
			other, _ := newKey(t)
			days, err := filepath.Glob(filepath.Join(dir, "_index/*/*/*/_signed.json"))
			require.NoError(t, err)
			for _, name := range append(days, filepath.Join(dir, "_signed.json")) {
				require.NoError(t, os.Remove(name))
			}
			f, err := archive.Open(dir, other)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}, "_signed.json: not signed by this key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, dir := ten(t), t.TempDir()
			_, err := runSigned(t, w, dir, key, archive.Config{})
			require.NoError(t, err)
			require.Empty(t, faults(t, dir, public))
			tc.change(t, dir)
			require.Contains(t, faults(t, dir, public), tc.want)
		})
	}
}

// TestAnOlderDayIsFound: a day's index that is put back as it was signed once, together with its
// signature.
func TestAnOlderDayIsFound(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	w, dir := ten(t), t.TempDir()
	at := func(m int) func() time.Time {
		return func() time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	}
	_, err := runSigned(t, w, dir, key, archive.Config{Now: at(25)})
	require.NoError(t, err)
	day := filepath.Join(dir, "_index/2026/11/25")
	older := filepath.Join(t.TempDir(), "day")
	require.NoError(t, os.CopyFS(older, os.DirFS(day)))
	_, err = runSigned(t, w, dir, key, archive.Config{Now: at(55)})
	require.NoError(t, err)
	require.Empty(t, faults(t, dir, public))
	require.NoError(t, os.RemoveAll(day))
	require.NoError(t, os.CopyFS(day, os.DirFS(older)))
	require.Contains(t, faults(t, dir, public), "an older one was put in its place")
}

// TestACrashBeforeTheSignature leaves lines that are not signed: the next run takes them back and
// copies again.
func TestACrashBeforeTheSignature(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	w, dir := ten(t), t.TempDir()
	_, err := runSigned(t, w, dir, key, archive.Config{Now: func() time.Time { return noon.Add(25 * time.Minute) }})
	require.NoError(t, err)
	older := filepath.Join(t.TempDir(), "day")
	require.NoError(t, os.CopyFS(older, os.DirFS(dir)))
	_, err = runSigned(t, w, dir, key, archive.Config{Now: func() time.Time { return noon.Add(45 * time.Minute) }})
	require.NoError(t, err)
	for _, name := range []string{"_signed.json", "_cursor.json", "_index/2026/11/25/_signed.json"} {
		raw, err := os.ReadFile(filepath.Join(older, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), raw, 0o600))
	}
	require.Contains(t, faults(t, dir, public), "2 records stand behind the signed ones")
	r, err := runSigned(t, w, dir, key, archive.Config{})
	require.NoError(t, err)
	require.Equal(t, 9-3, r.Archived)
	v, err := archive.Verify(t.Context(), dir, public)
	require.NoError(t, err)
	require.Empty(t, v.Faults)
	require.Equal(t, []int64{9, 9}, []int64{v.Records, int64(v.Whole)})
}

// TestAKeyComesLater, and is then the only one.
func TestAKeyComesLater(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	w, dir := ten(t), t.TempDir()
	_, err := run(t, w, dir, archive.Config{Now: func() time.Time { return noon.Add(25 * time.Minute) }})
	require.NoError(t, err)
	require.Contains(t, faults(t, dir, public), "_signed.json: missing")
	_, err = runSigned(t, w, dir, key, archive.Config{})
	require.NoError(t, err)
	require.Empty(t, faults(t, dir, public))
	_, err = archive.Open(dir, nil)
	require.ErrorContains(t, err, "is signed: give --key")
	other, _ := newKey(t)
	_, err = archive.Open(dir, other)
	require.ErrorContains(t, err, "not signed by this key")
}

// TestAnErasedEventLeavesATombstone: of its own workflow and of its deliveries, once it is gone
// everywhere else.
func TestAnErasedEventLeavesATombstone(t *testing.T) {
	t.Parallel()
	key, public := newKey(t)
	w, dir := ten(t), t.TempDir()
	w.ends("acme", "Delivery", "delivery/acme/evt_a/ep_1", noon.Add(11*time.Minute), recorded(t, "Delivery/v0.1.0-approved.json"))
	_, err := runSigned(t, w, dir, key, archive.Config{})
	require.NoError(t, err)
	all := index(t, dir)
	done := noon.Add(80 * time.Minute)
	erased := []archive.Erased{{Tenant: "acme", EventID: "evt_a", Done: done, Why: archive.Erasure{At: done, By: "jane", Reason: "request 17", Data: "abc"}}}
	asked := []time.Time{}
	cfg := archive.Config{Erasures: func(_ context.Context, after time.Time) ([]archive.Erased, error) {
		asked = append(asked, after)
		return erased, nil
	}}
	for _, want := range []int{2, 0} { // a second run has nothing to do
		r, err := runSigned(t, w, dir, key, cfg)
		require.NoError(t, err)
		require.Equal(t, want, r.Erased)
	}
	require.Equal(t, []time.Time{{}, done.Add(-time.Minute)}, asked)
	v, err := archive.Verify(t.Context(), dir, public)
	require.NoError(t, err)
	require.Empty(t, v.Faults)
	require.Equal(t, []int{8, 2, 0}, []int{v.Whole, v.Erased, v.Unindexed})
	for _, e := range all {
		if strings.Contains(e.WorkflowID, "evt_a") {
			require.NoFileExists(t, filepath.Join(dir, e.File))
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, noonIndex))
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(raw), `"erased":{"at":"2026-11-25T13:20:00Z","by":"jane","reason":"request 17","data_sha256":"abc"}`))
}

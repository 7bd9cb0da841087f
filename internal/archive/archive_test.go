package archive_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/archive"
	"hookloop/internal/audit"
)

// run copies once, as a process of its own would.
func run(t *testing.T, w *world, dir string, cfg archive.Config) (archive.Report, error) {
	t.Helper()
	return runSigned(t, w, dir, nil, cfg)
}

// runSigned signs what it copies.
func runSigned(t *testing.T, w *world, dir string, key ed25519.PrivateKey, cfg archive.Config) (archive.Report, error) {
	t.Helper()
	f, err := archive.Open(dir, key)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	cfg.Histories, cfg.Folder = w.histories(t), f
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return noon.Add(90 * time.Minute) }
	}
	if cfg.Retention == 0 {
		cfg.Retention = 24 * time.Hour
	}
	a, err := archive.New(cfg)
	require.NoError(t, err)
	return a.Run(t.Context(), time.Time{}, time.Time{})
}

// index reads all lines, in the order of their runs.
func index(t *testing.T, dir string) (all []archive.Entry) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "_index/*/*/*/*.jsonl"))
	require.NoError(t, err)
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var record struct{ Line archive.Entry }
			require.NoError(t, json.Unmarshal(lines.Bytes(), &record))
			all = append(all, record.Line)
		}
		require.NoError(t, f.Close())
	}
	slices.SortStableFunc(all, func(a, b archive.Entry) int { return strings.Compare(a.RunID, b.RunID) })
	return all
}

// ten are ten events that ended every ten minutes from noon on.
func ten(t *testing.T) *world {
	w := newWorld()
	h := recorded(t, "Event/v0.1.0-delivered.json")
	for i := range 10 {
		tenant := []string{"acme", "other"}[i%2]
		w.ends(tenant, "Event", "event/"+tenant+"/evt_"+string(rune('a'+i)), noon.Add(time.Duration(i)*10*time.Minute), h)
	}
	return w
}

func TestLayout(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	r, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	require.Equal(t, 9, r.Archived, "the tenth has not ended yet")
	e := index(t, dir)[0]
	require.Equal(t, "acme/2026/11/25/Event-event%2Facme%2Fevt_a-run-000.json.gz", e.File)
	content, err := os.ReadFile(filepath.Join(dir, e.File))
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	require.Equal(t, archive.Entry{
		Tenant: "acme", WorkflowID: "event/acme/evt_a", RunID: "run-000", Type: "Event", EventType: "contact.updated", Outcome: "delivered",
		Status: "Completed", Start: noon.Add(-time.Minute), Close: noon, File: e.File, Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
	}, e)
	require.FileExists(t, filepath.Join(dir, "_index/2026/11/25/12.jsonl"))
	require.FileExists(t, filepath.Join(dir, "_index/2026/11/25/13.jsonl"))
	h, err := archive.Read(t.Context(), filepath.Join(dir, e.File), nil)
	require.NoError(t, err)
	require.True(t, proto.Equal(recorded(t, "Event/v0.1.0-delivered.json"), h), "it is Temporal's history, and nothing else")
}

func TestNamesOfOthers(t *testing.T) {
	t.Parallel()
	w, dir := newWorld(), t.TempDir()
	h := recorded(t, "Event/v0.1.0-delivered.json")
	w.ends("../../etc", "Event", "event/../passwd", noon, h)
	w.ends("", "Event", "event/acme/evt_1", noon, h)
	w.ends("acme", "Event", strings.Repeat("ü/", 400), noon, h)
	_, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	all := index(t, dir)
	require.Equal(t, "_unknown/2026/11/25/Event-event%2F..%2Fpasswd-run-000.json.gz", all[0].File)
	require.Equal(t, "acme", all[1].Tenant, "the workflow's id tells")
	require.Less(t, len(filepath.Base(all[2].File)), 255)
	for _, e := range all {
		require.FileExists(t, filepath.Join(dir, e.File))
	}
}

func TestARepeatGoesOn(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	w.ended(4).Hidden = true // visibility is late with it
	at := func(m int) func() time.Time {
		return func() time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	}
	r, err := run(t, w, dir, archive.Config{Now: at(45)})
	require.NoError(t, err)
	require.Equal(t, 4, r.Archived)
	w.ended(4).Hidden = false
	r, err = run(t, w, dir, archive.Config{Now: at(100)})
	require.NoError(t, err)
	require.Equal(t, noon.Add(-15*time.Minute), r.From)
	require.Equal(t, []int{6, 4}, []int{r.Archived, r.Known})
	r, err = run(t, w, dir, archive.Config{Now: at(100)})
	require.NoError(t, err)
	require.Zero(t, r.Archived)
	require.Len(t, index(t, dir), 10)
	require.False(t, r.Late)

	r, err = run(t, w, dir, archive.Config{Now: at(100 + 25*60)})
	require.NoError(t, err)
	require.True(t, r.Late, "the run before is older than the retention")
}

func TestOneTenantFirst(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	r, err := run(t, w, dir, archive.Config{Tenant: "acme"})
	require.NoError(t, err)
	require.Equal(t, 5, r.Archived)
	r, err = run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	require.Equal(t, []int{4, 5}, []int{r.Archived, r.Known}, "one tenant's cursor is not everybody's")
	r, err = run(t, w, dir, archive.Config{Tenant: "other"})
	require.NoError(t, err)
	require.Equal(t, noon.Add(30*time.Minute), r.From, "everybody's is each one's")
}

func TestAGapIsNotForgotten(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	f, err := archive.Open(dir, nil)
	require.NoError(t, err)
	a, err := archive.New(archive.Config{Histories: w.histories(t), Folder: f, Retention: 24 * time.Hour, Overlap: time.Second})
	require.NoError(t, err)
	for _, window := range [][2]int{{0, 25}, {55, 100}, {15, 45}} { // minutes
		_, err = a.Run(t.Context(), noon.Add(time.Duration(window[0])*time.Minute), noon.Add(time.Duration(window[1])*time.Minute))
		require.NoError(t, err)
	}
	require.Len(t, index(t, dir), 9, "all but that of minute 50")
	r, err := a.Run(t.Context(), time.Time{}, noon.Add(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, noon.Add(45*time.Minute-time.Second), r.From)
	require.Len(t, index(t, dir), 10)
	require.NoError(t, f.Close())
}

func TestWhatFailsLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	w.ended(4).Breaks = serviceerror.NewUnavailable("no")
	w.ended(1).Breaks = serviceerror.NewNotFound("workflow not found")
	f, err := archive.Open(dir, nil)
	require.NoError(t, err)
	a, err := archive.New(archive.Config{Histories: w.histories(t), Folder: f, Retention: 24 * time.Hour, Overlap: time.Second})
	require.NoError(t, err)
	_, err = a.Run(t.Context(), noon, noon.Add(35*time.Minute)) // those before the one that fails
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = run(t, w, dir, archive.Config{})
	require.ErrorContains(t, err, "event/acme/evt_e, run run-004: Temporal: no")
	v, err := archive.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	require.Empty(t, v.Faults)
	require.GreaterOrEqual(t, v.Whole, 2)
	left, err := os.ReadDir(filepath.Join(dir, "_tmp"))
	require.NoError(t, err)
	require.Empty(t, left)

	w.ended(4).Breaks = nil
	r, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	require.Equal(t, 8, r.Archived+v.Whole)
	require.Equal(t, 1, r.Gone)
	require.Len(t, index(t, dir), 8)
}

func TestCtrlC(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	f, err := archive.Open(dir, nil)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	a, err := archive.New(archive.Config{
		Histories: w.histories(t), Folder: f, Retention: 24 * time.Hour, Now: func() time.Time { return noon.Add(2 * time.Hour) },
		Progress: func(_ time.Time, r archive.Report) {
			if r.Archived > 0 {
				stop()
			}
		},
	})
	require.NoError(t, err)
	r, err := a.Run(ctx, time.Time{}, time.Time{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 3, r.Archived, "a page")
	require.Len(t, index(t, dir), 3)
	require.NoError(t, f.Close())
}

// TestACrash is one between file and line, and one in the middle of a line.
func TestACrash(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	_, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	name := filepath.Join(dir, "_index/2026/11/25/12.jsonl")
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, content[:len(content)-20], 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "_tmp/half"), []byte("half"), 0o600))

	v, err := archive.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	require.Equal(t, archive.Verified{Whole: 8, Unindexed: 1, Faults: []archive.Fault{}}, v)
	require.NoError(t, os.Remove(filepath.Join(dir, "_cursor.json")))
	r, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	require.Equal(t, []int{1, 8}, []int{r.Archived, r.Known})
	require.NoFileExists(t, filepath.Join(dir, "_tmp/half"))
	require.Len(t, index(t, dir), 9)
}

func TestAFirstRunSkipsEmptyDays(t *testing.T) {
	t.Parallel()
	w := ten(t)
	r, err := run(t, w, t.TempDir(), archive.Config{Retention: 30 * 24 * time.Hour})
	require.NoError(t, err)
	require.Equal(t, 9, r.Archived)
	require.Less(t, len(w.Lists), 60, "a month has 744 hours")
}

func TestOneWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := archive.Open(dir, nil)
	require.NoError(t, err)
	_, err = archive.Open(dir, nil)
	require.ErrorContains(t, err, "is being written to by another process")
	require.NoError(t, f.Close())
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	inClear := recorded(t, "Delivery/v0.1.0-approved.json")
	for name, tc := range map[string]struct {
		codec converter.PayloadCodec
		shut  bool
	}{"opened": {c, false}, "as it is": {nil, true}, "without its key": {newCodec(t), true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, dir := newWorld(), t.TempDir()
			w.ends("acme", "Delivery", "delivery/acme/evt_1/ep_1", noon, encrypted(t, inClear, c))
			r, err := run(t, w, dir, archive.Config{Codec: tc.codec})
			require.NoError(t, err)
			e := index(t, dir)[0]
			require.Equal(t, tc.shut, e.Encrypted)
			require.Equal(t, tc.shut, r.Encrypted == 1)
			path := filepath.Join(dir, e.File)
			require.Equal(t, tc.shut, strings.Contains(unzipped(t, path), "YmluYXJ5L2VuY3J5cHRlZA"), "binary/encrypted, in base64")

			h, err := archive.Read(t.Context(), path, c)
			require.NoError(t, err)
			require.Equal(t, audit.NewTrail(inClear), audit.NewTrail(h), "with the key, all reads as if it had never been encrypted")
			h, err = archive.Read(t.Context(), path, nil)
			require.NoError(t, err)
			l := audit.NewTrail(h)
			require.Equal(t, tc.shut, l.Encrypted)
			require.Equal(t, tc.shut, l.Lines[0].Detail == "encrypted")
		})
	}
}

func unzipped(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	content, err := io.ReadAll(z)
	require.NoError(t, err)
	return string(content)
}

func TestVerifyAndErase(t *testing.T) {
	t.Parallel()
	w, dir := ten(t), t.TempDir()
	_, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	all := index(t, dir)
	at := func(i int) string { return filepath.Join(dir, all[i].File) }
	content, err := os.ReadFile(at(0))
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(at(0), content, 0o600))
	require.NoError(t, os.Remove(at(1)))
	v, err := archive.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	require.ElementsMatch(t, []archive.Fault{{all[0].File, "damaged"}, {all[1].File, "missing"}}, v.Faults)
	require.Equal(t, []int{7, 0, 0}, []int{v.Whole, v.Erased, v.Unindexed})

	f, err := archive.Open(dir, nil)
	require.NoError(t, err)
	why := archive.Erasure{At: noon, By: "alice", Reason: "request 17"}
	require.NoError(t, f.Erase(all[1].File, why))
	require.NoError(t, f.Erase(all[2].File, why))
	require.NoError(t, f.Erase(all[2].File, why), "twice is once")
	require.ErrorContains(t, f.Erase("acme/2026/11/25/none.json.gz", why), "the index has no")
	require.ErrorContains(t, f.Erase("../../etc/passwd", why), "no file of this archive")
	require.NoError(t, f.Close())
	require.NoFileExists(t, at(2))
	v, err = archive.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	require.Equal(t, archive.Verified{Whole: 6, Erased: 2, Faults: []archive.Fault{{all[0].File, "damaged"}}}, v)
	require.NoError(t, os.Remove(filepath.Join(dir, "_cursor.json")))
	r, err := run(t, w, dir, archive.Config{})
	require.NoError(t, err)
	require.Zero(t, r.Archived, "what was erased is not copied again")

	require.NoError(t, os.WriteFile(at(2), []byte("x"), 0o600))
	v, err = archive.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	require.Contains(t, v.Faults, archive.Fault{File: all[2].File, Problem: "not erased"})
	_, err = archive.Verify(t.Context(), t.TempDir(), nil)
	require.ErrorContains(t, err, "is no archive")
}

func TestNew(t *testing.T) {
	t.Parallel()
	_, err := archive.New(archive.Config{})
	require.ErrorContains(t, err, "Histories and Folder are required")
	f, err := archive.Open(t.TempDir(), nil)
	require.NoError(t, err)
	_, err = archive.New(archive.Config{Histories: newWorld().histories(t), Folder: f, Tenant: "a' OR '1'='1"})
	require.Error(t, err)
	a, err := archive.New(archive.Config{Histories: newWorld().histories(t), Folder: f})
	require.NoError(t, err)
	_, err = a.Run(t.Context(), time.Time{}, time.Time{})
	require.ErrorContains(t, err, "say since when")
	require.NoError(t, f.Close())
}

//go:build linux

package e2e

import (
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"hookloop/e2e/powercut"
	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/workflows"
)

var cuts = flag.Int("cuts", 6, "after how many power cuts TestPowerCut starts everything again")

const (
	powerEvents  = 160
	powerClients = 8
	powerLarge   = 40 // every so many events, one has a large body
)

// TestPowerCut cuts the power. The data lies on a file system that keeps every write and every sync
// of a run under load. What a cut leaves is looked at after every sync there was: each event that
// was answered 202 before it is in the store. After some of the cuts, by chance with torn pages,
// everything is started again on what was left, and each of those events is delivered.
func TestPowerCut(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	chance := dice(t)
	r := recordRun(t, binary)
	begun := time.Now()
	syncs := r.disk.Syncs()
	lost := r.lostAt(t, syncs, chance)
	require.Empty(t, lost[:min(3, len(lost))], "the first of %d that power cuts lost", len(lost))
	t.Logf("%d events, %d changes to the disk, looked at after each of %d syncs: nothing lost, %s",
		len(r.promised), r.disk.Len(), len(syncs), time.Since(begun).Round(time.Millisecond))
	under := syncs[slices.IndexFunc(syncs, func(n int) bool { return r.disk.At(n).After(r.begun) }):]
	total := check.Report{Counts: map[string]int{}}
	for n := range *cuts {
		at := under[chance.IntN(len(under))] + n%2*chance.IntN(5) // right after a sync, or between two
		if n%3 == 2 {
			at = chance.IntN(under[0]) // in the first start
		}
		v := r.startAgain(t, min(at, r.disk.Len()-1), chance)
		total.Duplicates += v.Duplicates
		for name, times := range v.Counts {
			total.Counts[name] += times
		}
	}
	require.NotZero(t, total.Counts[check.LargeBody], "no large body was under way")
	t.Logf("started again after %d cuts: %s", *cuts, total)
}

// TestPowerCutUnsynced: the same program without syncs loses what it accepted, and the look at the
// store notices.
func TestPowerCutUnsynced(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	chance := dice(t)
	unsynced := filepath.Join(t.TempDir(), "hookloop")
	const off = "-X hookloop/internal/engine.synchronous=off -X hookloop/internal/registry/sqlite.synchronous=off"
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w "+off, "-o", unsynced, "hookloop/cmd/hookloop")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	r := recordRun(t, unsynced)
	var moments []int
	for range 20 {
		moments = append(moments, chance.IntN(r.disk.Len()))
	}
	moments = append(moments, r.disk.Len()-1)
	slices.Sort(moments)
	lost := r.lostAt(t, slices.Compact(moments), chance)
	require.NotEmpty(t, lost, "a program that syncs nothing must not pass")
	t.Logf("%d syncs; at %d moments %d promises were broken, as: %s", len(r.disk.Syncs()), len(moments), len(lost), lost[0])
}

// powerRun is a run under load on a disk that was recorded.
type powerRun struct {
	disk     *powercut.Mount
	begun    time.Time // of the load
	promised []promise
	place    place
	// endpoints by id: one that is well, and one that fails each event's first attempts
	endpoints map[string]*endpointtest.Server
}

// promise is a 202, and when it came.
type promise struct {
	check.Accepted

	at time.Time
}

// recordRun posts events until all are accepted, then kills the process.
func recordRun(t *testing.T, program string) *powerRun {
	t.Helper()
	r := &powerRun{disk: powercut.Start(t), endpoints: map[string]*endpointtest.Server{}}
	require.NoError(t, os.Mkdir(r.disk.Dir, 0o700))
	p := startProgram(t, program, nil, filepath.Join(r.disk.Dir, "data"))
	r.place, r.begun = p.place, time.Now()
	a := app{p}
	well, e := a.listen(t, endpointtest.Config{}, "")
	troubled, f := a.listen(t, endpointtest.Config{Script: strings.Repeat("503 200 ", powerEvents)}, `,"schedule":["0s","200ms","200ms","1s","1s","1s","1s","1s"]`)
	r.endpoints[e.ID], r.endpoints[f.ID] = well, troubled
	var next atomic.Int32
	var mu sync.Mutex
	var clients sync.WaitGroup
	for range powerClients {
		clients.Go(func() {
			for n := next.Add(1); n <= powerEvents; n = next.Add(1) {
				data := fmt.Sprintf(`{"n":%d}`, n)
				if n%powerLarge == 0 {
					data = fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", 300<<10))
				}
				w := newWitness()
				if a.postData(t, w, "", data) == http.StatusAccepted {
					mu.Lock()
					r.promised = append(r.promised, promise{w.history.Accepted[0], time.Now()})
					mu.Unlock()
				}
			}
		})
	}
	clients.Wait()
	require.NotEmpty(t, r.promised)
	p.kill(syscall.SIGKILL)
	return r
}

// lostAt looks at what cuts at these moments leave: is every event that was answered before in the
// store? It answers the broken promises, in words.
func (r *powerRun) lostAt(t *testing.T, moments []int, chance *rand.Rand) (lost []string) {
	t.Helper()
	replay := r.disk.Replay()
	dir := filepath.Join("/dev/shm", filepath.Base(t.TempDir())+t.Name())
	for i, n := range moments {
		torn := chance
		if i%2 == 0 {
			torn = nil // nothing but what was synced
		}
		require.NoError(t, os.RemoveAll(dir))
		replay.To(n)
		require.NoError(t, replay.Cut(dir, torn))
		at := r.disk.At(n)
		known := stored(t, filepath.Join(dir, "disk/data/temporal.db"))
		for _, p := range r.promised {
			if p.at.Before(at) && !known[workflows.EventWorkflowID(r.place.Tenant, p.ID)] {
				lost = append(lost, fmt.Sprintf("a cut after change %d loses %s, answered %s before", n, p.ID, at.Sub(p.at)))
			}
		}
	}
	require.NoError(t, os.RemoveAll(dir))
	return lost
}

// stored are the workflows in Temporal's database, none if there is no such database yet.
func stored(t *testing.T, path string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	if _, err := os.Stat(path); err != nil {
		return known
	}
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT workflow_id FROM current_executions")
	if err != nil {
		return known // no schema yet, or damaged: then what was promised is missed
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id sql.NullString
		if rows.Scan(&id) != nil {
			return map[string]bool{}
		}
		known[id.String] = true
	}
	if rows.Err() != nil {
		return map[string]bool{}
	}
	return known
}

// startAgain starts everything on what a cut leaves. What was answered before it is delivered.
func (r *powerRun) startAgain(t *testing.T, n int, chance *rand.Rand) check.Report {
	t.Helper()
	dir, at := t.TempDir(), r.disk.At(n)
	replay := r.disk.Replay()
	replay.To(n)
	require.NoError(t, replay.Cut(dir, chance))
	w := newWitness()
	for _, p := range r.promised {
		if p.at.Before(at) {
			w.answered(http.StatusAccepted, p.ID, "", p.Data)
		}
	}
	w.history.Unanswered = powerClients
	for id, s := range r.endpoints {
		all := s.Receipts()
		before := slices.DeleteFunc(slices.Clone(all), func(r endpointtest.Receipt) bool { return r.At.After(at) })
		w.endpoints[id] = watched{s, before, len(all)}
	}
	p := start(t, filepath.Join(dir, "disk/data"))
	w.history.Faults = []check.Fault{{Name: "a power cut", From: at, Until: time.Now()}}
	t.Logf("cut after change %d, %d events promised before", n, len(w.ids()))
	v := w.judge(t, app{p}, check.Faults)
	p.kill(syscall.SIGKILL)
	return v
}

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
)

const (
	crashRounds  = 5
	crashEvents  = 300
	crashClients = 8
)

// TestKill kills the whole process at a random moment under load and starts it again: every event
// that was answered with 202 arrives, under the id of the answer.
func TestKill(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	s, _ := app{p}.listen(t, endpointtest.Config{}, "")
	duplicates := 0
	for round := range crashRounds {
		before := len(s.Receipts())
		after := int32(rand.IntN(crashEvents))
		ids := postUntilKilled(t, app{p}, after, round)
		p = start(t, data)
		got := arrivals(t, s, ids, before)
		more := len(got) - len(distinct(got))
		for id, times := range distinct(got) {
			require.LessOrEqual(t, times, 2, "%s: one crash repeats an attempt once", id)
		}
		duplicates += more
		t.Logf("round %d: killed after %d answers, %d accepted, %d duplicates", round+1, after, len(ids), more)
	}
	t.Logf("%d duplicates in %d rounds: attempts whose results were not stored yet", duplicates, crashRounds)
}

// postUntilKilled posts from several clients and kills the process once `after` were accepted. It
// answers the ids of all that were.
func postUntilKilled(t *testing.T, a app, after int32, round int) map[string]bool {
	t.Helper()
	var next, answered atomic.Int32
	var mu sync.Mutex
	ids := map[string]bool{}
	var clients, killer sync.WaitGroup
	killed := make(chan struct{})
	killer.Go(func() {
		<-killed
		a.p.kill(syscall.SIGKILL)
	})
	kill := sync.OnceFunc(func() { close(killed) })
	for range crashClients {
		clients.Go(func() {
			for n := next.Add(1); n <= crashEvents; n = next.Add(1) {
				status, body := a.try(t.Context(), http.MethodPost, "/events", fmt.Sprintf(`{"type":"crash.test","data":{"round":%d,"n":%d}}`, round, n), nil)
				var e accepted
				if status != http.StatusAccepted || json.Unmarshal(body, &e) != nil {
					continue // the process is gone
				}
				mu.Lock()
				ids[e.ID] = true
				mu.Unlock()
				if answered.Add(1) >= after {
					kill()
				}
			}
		})
	}
	clients.Wait()
	kill()
	killer.Wait()
	return ids
}

// arrivals waits until every id has come since receipt number `before`, and answers all that came.
func arrivals(t *testing.T, s *endpointtest.Server, ids map[string]bool, before int) []endpointtest.Receipt {
	t.Helper()
	for n := before + len(ids); ; n++ {
		all := receiptsUnverified(t, s, n)
		got := all[before:]
		here := distinct(got)
		missing := 0
		for id := range ids {
			if here[id] == 0 {
				missing++
			}
		}
		if missing == 0 {
			return got
		}
		n = max(n, len(all))
	}
}

// distinct counts the receipts of each id.
func distinct(receipts []endpointtest.Receipt) map[string]int {
	ids := map[string]int{}
	for _, r := range receipts {
		ids[r.ID]++
	}
	return ids
}

// TestRestart stops in good order with a delivery waiting, and starts again.
func TestRestart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	s, _ := app{p}.listen(t, endpointtest.Config{Script: "503 200"}, `,"schedule":["0s","3s"]`)
	e := app{p}.post(t, `{"type":"contact.updated","data":1}`)
	receipts(t, s, 1)
	require.Equal(t, 0, p.kill(syscall.SIGINT), p.stderr.String())
	require.NoFileExists(t, filepath.Join(data, "dev.json"))

	begun := time.Now()
	p = start(t, data)
	t.Logf("started on existing data in %s", time.Since(begun).Round(time.Millisecond))
	require.Equal(t, e.ID, receipts(t, s, 2)[1].ID)
	require.Equal(t, "delivered", app{p}.ended(t, e.ID).Status)
}

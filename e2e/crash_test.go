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

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
)

const (
	crashRounds  = 5
	crashEvents  = 300
	crashClients = 8
)

// TestKill kills the whole process at a random moment under load and starts it again: every event
// that was answered with 202 arrives, under the id of the answer. Outside of `make proof` it does
// so twice, and under a shorter load.
func TestKill(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	s, e := app{p}.listen(t, endpointtest.Config{}, "")
	duplicates, rounds, events := 0, crashRounds, int32(crashEvents)
	if !*proof {
		rounds, events = 2, 100
	}
	for round := range rounds {
		w := newWitness()
		w.watch(e.ID, s)
		after := rand.Int32N(events)
		mended := postUntilKilled(t, app{p}, w, after, events, round)
		p = start(t, data)
		mended()
		more := w.judge(t, app{p}, check.Faults).Duplicates
		duplicates += more
		t.Logf("round %d: killed after %d answers, %d accepted, %d duplicates", round+1, after, len(w.ids()), more)
	}
	t.Logf("%d duplicates in %d rounds: attempts whose results were not stored yet", duplicates, rounds)
}

// postUntilKilled posts from several clients and kills the process once `after` were accepted. What
// it gives ends the fault.
func postUntilKilled(t *testing.T, a app, w *witness, after, most int32, round int) (mended func()) {
	t.Helper()
	var next, answered atomic.Int32
	var clients, killer sync.WaitGroup
	killed := make(chan struct{})
	killer.Go(func() {
		<-killed
		mended = w.fault("the process is killed")
		a.p.kill(syscall.SIGKILL)
	})
	kill := sync.OnceFunc(func() { close(killed) })
	for range crashClients {
		clients.Go(func() {
			for n := next.Add(1); n <= most; n = next.Add(1) {
				if a.postData(t, w, "", fmt.Sprintf(`{"round":%d,"n":%d}`, round, n)) == http.StatusAccepted && answered.Add(1) >= after {
					kill()
				}
			}
		})
	}
	clients.Wait()
	kill()
	killer.Wait()
	return mended
}

// postData posts an event of a load, under a key if there is one, and tells the witness what came
// of it: the status, 0 for no answer.
func (a app) postData(t *testing.T, w *witness, key, data string) int {
	var header http.Header
	if key != "" {
		header = http.Header{"Idempotency-Key": {key}}
	}
	status, body := a.try(t.Context(), http.MethodPost, "/events", `{"type":"load.test","data":`+data+`}`, header)
	var e accepted
	if status == http.StatusAccepted && json.Unmarshal(body, &e) != nil {
		status = 0
	}
	w.answered(status, e.ID, key, data)
	return status
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

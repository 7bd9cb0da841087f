package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

var away = flag.Duration("away", 0, "how long Temporal stays away in TestEngineGone; at least until every client was told so")

const awayClients = 8

// TestEngineGone takes Temporal away under load and brings it back on the same data and port, while
// gateway and worker live on. Nothing that was accepted is lost, nothing is accepted twice, and no
// attempt is spent on our own trouble.
func TestEngineGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := startEngine(t, dir, "127.0.0.1:0")
	a := startService(t, dir, e)
	s, made := a.listen(t, endpointtest.Config{}, `,"event_types":["load.test"]`)
	troubled, _ := a.listen(t, endpointtest.Config{Script: "503:1"}, `,"schedule":["0s","20s"],"event_types":["waits.meanwhile"]`)
	waits := a.post(t, `{"type":"waits.meanwhile","data":1}`)
	receipts(t, troubled, 1)

	l := &keyedLoad{app: a, witness: newWitness(), ids: map[string]string{}}
	l.witness.watch(made.ID, s)
	l.start(t)
	eventually(t, "the load runs", func() bool { return l.count() > 100 })
	gone, mended := time.Now(), l.witness.fault("Temporal is away")
	require.NoError(t, e.Stop())
	eventually(t, "every client was told to come again", func() bool { return l.refused.Load() >= awayClients })
	requireNotReady(t, a)
	wait(t, time.Until(gone.Add(*away))) // the span of the outage, when one is asked for

	startEngine(t, dir, e.HostPort())
	t.Logf("Temporal was away for %s, %d posts were refused", time.Since(gone).Round(time.Millisecond), l.refused.Load())
	back := time.Now()
	eventually(t, "ready again", func() bool { return l.get(t, "/readyz").status == http.StatusOK })
	before := l.count()
	eventually(t, "events are accepted again", func() bool { return l.count() > before+100 })
	ids := l.finish()
	require.Empty(t, l.strays)
	mended()
	r := l.witness.judge(t, a, check.Faults, check.Refused)
	require.Zero(t, r.Counts[check.Retried], "no attempt is spent on our own trouble")
	t.Logf("%d events arrived, the last %s after Temporal was back; %d were under way when it went, and sent twice",
		len(ids), time.Since(back).Round(time.Millisecond), r.Duplicates)
	d := a.settled(t, waits.ID)
	t.Logf("the waiting one is known to be delivered %s after", time.Since(back).Round(time.Millisecond))
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 2, "the schedule went on where it was")
	arrivedAs(t, troubled, waits.ID, 2)
}

// requireNotReady: the gateway says itself that, and why, it accepts nothing.
func requireNotReady(t *testing.T, a app) {
	t.Helper()
	got := (&keyedLoad{app: a}).get(t, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, got.status)
	require.Contains(t, got.body, "temporal")
	require.NotContains(t, got.body, "registry")
	require.Equal(t, http.StatusOK, (&keyedLoad{app: a}).get(t, "/healthz").status)
}

// keyedLoad posts events from several clients, each under a key of its own, and repeats a refused
// one under the same key until it is accepted.
type keyedLoad struct {
	app     app
	witness *witness
	next    atomic.Int32
	refused atomic.Int32
	stop    atomic.Bool
	clients sync.WaitGroup

	mu     sync.Mutex
	ids    map[string]string // by key
	strays []string          // what should not have been answered
}

func (l *keyedLoad) start(t *testing.T) {
	for range awayClients {
		l.clients.Go(func() {
			again := time.NewTicker(100 * time.Millisecond) // what Retry-After asks for is too long for a test
			defer again.Stop()
			for !l.stop.Load() {
				key := fmt.Sprintf("key-%d", l.next.Add(1))
				for !l.post(t, key) {
					<-again.C
				}
			}
		})
	}
}

func (l *keyedLoad) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ids)
}

// finish lets every client get its last event accepted and answers the ids of all.
func (l *keyedLoad) finish() map[string]bool {
	l.stop.Store(true)
	l.clients.Wait()
	ids := map[string]bool{}
	for _, id := range l.ids {
		ids[id] = true
	}
	return ids
}

// answered is what came back, as a client sees it.
type answered struct {
	status int
	header http.Header
	body   string
}

// post says whether the client is done with this key.
func (l *keyedLoad) post(t *testing.T, key string) bool {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.app.p.Gateway+"/v1/tenants/acme/events",
		strings.NewReader(`{"type":"load.test","data":"`+key+`"}`))
	if err != nil {
		return true
	}
	req.Header.Set("Authorization", "Bearer "+l.app.p.Token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	got := l.do(req)
	var e struct{ ID, Code string }
	_ = json.Unmarshal([]byte(got.body), &e)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case got.status == http.StatusAccepted:
		l.witness.answered(got.status, e.ID, key, `"`+key+`"`)
		l.ids[key] = e.ID
		return true
	case got.status == http.StatusServiceUnavailable && (e.Code == "unavailable" || e.Code == "overloaded") && got.header.Get("Retry-After") != "":
		l.witness.answered(got.status, "", key, "")
		l.refused.Add(1)
		return false
	}
	l.strays = append(l.strays, fmt.Sprintf("%s: %d %s", key, got.status, got.body))
	return true
}

func (l *keyedLoad) get(t *testing.T, path string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.app.p.Gateway+path, http.NoBody)
	require.NoError(t, err)
	return l.do(req)
}

// do answers status 0 when there was no answer.
func (l *keyedLoad) do(req *http.Request) answered {
	resp, err := appClient.Do(req)
	if err != nil {
		return answered{body: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answered{body: err.Error()}
	}
	return answered{resp.StatusCode, resp.Header, string(body)}
}

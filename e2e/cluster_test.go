package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/cluster"
	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
)

const (
	clusterRound   = 60 // events around each blow
	clusterClients = 8
)

// TestCluster runs the production shape: a Temporal server and the registry on one PostgreSQL, two
// gateways and two workers. Under load each kind of process is killed in turn and started again.
// Every event that was answered 202 is delivered under the id of the answer, and only what was
// under way at a blow is sent twice.
func TestCluster(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	c := startCluster(t, cluster.Config{})
	t.Logf("ready after %s", time.Since(begun).Round(time.Millisecond))
	var gateways []app
	for _, p := range c.Gateways {
		gateways = append(gateways, app{&process{place: place{
			Gateway: p.URL(), Temporal: c.Temporal.Address, Namespace: c.Namespace, Tenant: "acme", Token: c.Token,
		}}})
	}
	s, made := gateways[0].listen(t, endpointtest.Config{}, "")
	require.Equal(t, made.ID, readEndpoint(t, gateways[1], made.ID), "what one gateway wrote the other reads")
	r := &clusterRun{t: t, gateways: gateways, endpoint: s, ids: map[string]string{}}

	require.Zero(t, r.round("nothing is killed", func(*clusterLoad) {}), "duplicates")
	require.Zero(t, r.round("a gateway is killed", func(l *clusterLoad) {
		c.Gateways[1].Kill(t)
		l.awaitRefused(1)
		c.Gateways[1].Start(t)
		c.Gateways[1].AwaitReady(t)
	}), "a gateway delivers nothing")
	r.round("a worker is killed", func(l *clusterLoad) {
		c.Workers[0].Kill(t)
		l.clients.Wait() // no client notices
		require.Zero(t, l.refused.Load())
		c.Workers[0].Start(t)
		c.Workers[0].AwaitReady(t)
	})
	r.round("Temporal is killed", func(l *clusterLoad) {
		c.Temporal.Kill(t)
		l.awaitRefused(clusterClients)
		c.Temporal.Start(t)
	})
	r.round("PostgreSQL stops at once", func(l *clusterLoad) {
		c.Postgres.StopImmediately(t)
		l.awaitRefused(clusterClients)
		c.Postgres.Restart(t)
	})
	for _, p := range c.Hookloops() {
		p.AwaitReady(t)
	}
	r.requireSameIDs()
	r.restore(c)
	t.Logf("%d events accepted, all delivered, %d sent twice, in %s", len(r.ids), r.duplicates, time.Since(begun).Round(time.Millisecond))
}

// temporalServer is its program, built once for all clusters.
var temporalServer = sync.OnceValues(func() (string, error) {
	return build(filepath.Dir(binary), "hookloop/e2e/cluster/temporal")
})

// startCluster runs a cluster of this build.
func startCluster(t *testing.T, cfg cluster.Config) *cluster.Cluster {
	t.Helper()
	var err error
	cfg.Temporal, err = temporalServer()
	require.NoError(t, err)
	cfg.Dir, cfg.Hookloop = t.TempDir(), binary
	return cluster.Start(t, cfg)
}

// clusterRun is what the rounds have in common.
type clusterRun struct {
	t          *testing.T
	gateways   []app
	endpoint   *endpointtest.Server
	ids        map[string]string // by key
	duplicates int
	paced      bool // the load goes on, slowly, until a blow ends it
	repeats    int  // how often one event may be sent at most; 0: twice
}

// round posts events, deals the blow in the midst of them, and answers how many were sent twice.
// All are delivered when it ends.
func (r *clusterRun) round(name string, blow func(*clusterLoad)) int {
	r.t.Helper()
	begun := time.Now()
	events := int32(clusterRound)
	if r.paced {
		events = math.MaxInt32
	}
	from := len(r.endpoint.Receipts())
	l := r.load(name, clusterClients, events)
	eventually(r.t, name+": the load runs", func() bool { return l.answered() >= clusterRound/3 })
	dealt, mended := time.Now(), l.witness.fault(name)
	blow(l)
	l.clients.Wait()
	mended()
	require.Empty(r.t, l.strays, name)
	require.Len(r.t, l.ids, int(l.taken.Load()), "%s: an event for each key", name)
	maps.Copy(r.ids, l.ids)
	l.witness.history.Repeats = r.repeats
	twice := r.judge(l, from)
	r.duplicates += twice
	got := r.endpoint.Receipts()
	last := got[len(got)-1].At.Sub(dealt)
	r.t.Logf("%s: %d accepted after %d refusals, all delivered, the last %s after the blow, %d sent twice, %s",
		name, len(l.ids), l.refused.Load(), last.Round(time.Millisecond), twice, time.Since(begun).Round(time.Millisecond))
	return twice
}

// judge holds a load against what the endpoint received from one receipt on. Each event was
// delivered by its one attempt on record.
func (r *clusterRun) judge(l *clusterLoad, from int) (twice int) {
	r.t.Helper()
	for _, id := range l.ids {
		l.witness.watchFrom(r.gateways[0].event(r.t, id).Deliveries[0].EndpointID, r.endpoint, from)
		break
	}
	verdict := l.witness.judge(r.t, r.gateways[0])
	require.Zero(r.t, verdict.Counts[check.Exhausted]+verdict.Counts[check.Unmatched])
	return verdict.Duplicates
}

// load starts so many clients that post so many events.
func (r *clusterRun) load(name string, clients int, events int32) *clusterLoad {
	l := &clusterLoad{
		t: r.t, gateways: r.gateways, prefix: strings.ReplaceAll(name, " ", "-"), witness: newWitness(), ids: map[string]string{},
	}
	if r.paced {
		l.pace = 400 * time.Millisecond
	}
	l.last.Store(events)
	l.start(clients)
	return l
}

// requireSameIDs posts every event again: under its key it is the one it was.
func (r *clusterRun) requireSameIDs() {
	r.t.Helper()
	sent := len(r.endpoint.Receipts())
	for key, id := range r.ids {
		require.True(r.t, r.again(key, id), key)
	}
	require.Len(r.t, r.endpoint.Receipts(), sent, "nothing is sent for it")
}

// clusterLoad is one round's clients: each posts an event to a gateway and, when it is refused, the
// same event under the same key to the next, until it is accepted.
type clusterLoad struct {
	t        *testing.T
	gateways []app
	prefix   string
	witness  *witness
	pace     time.Duration // between two events of a client
	next     atomic.Int32
	last     atomic.Int32
	taken    atomic.Int32 // keys that clients have begun with
	refused  atomic.Int32
	clients  sync.WaitGroup

	mu     sync.Mutex
	ids    map[string]string // by key
	strays []string          // what should not have been answered
}

func (l *clusterLoad) start(clients int) {
	for client := range clients {
		l.clients.Go(func() {
			again := time.NewTicker(100 * time.Millisecond) // what Retry-After asks for is too long for a test
			defer again.Stop()
			pace := time.NewTicker(max(l.pace, time.Nanosecond))
			defer pace.Stop()
			turn := client
			for n := l.next.Add(1); n <= l.last.Load(); n = l.next.Add(1) {
				l.taken.Add(1)
				for !l.post(l.gateways[turn%len(l.gateways)], fmt.Sprintf("%s-%d", l.prefix, n)) {
					turn++
					<-again.C
				}
				<-pace.C
			}
		})
	}
}

// post says whether the client is done with this key.
func (l *clusterLoad) post(to app, key string) bool {
	status, body := postKeyed(l.t, to, key)
	var e accepted
	_ = json.Unmarshal(body, &e)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch status {
	case http.StatusAccepted:
		l.witness.answered(status, e.ID, key, `"`+key+`"`)
		l.ids[key] = e.ID
		return true
	case http.StatusServiceUnavailable, 0: // told to come again, or the gateway is gone
		l.witness.answered(status, "", key, "")
		l.refused.Add(1)
		return l.t.Context().Err() != nil
	}
	l.strays = append(l.strays, fmt.Sprintf("%s: %d %s", key, status, body))
	return true
}

// answered counts what clients are done with.
func (l *clusterLoad) answered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ids) + len(l.strays)
}

func (l *clusterLoad) awaitRefused(n int32) {
	l.t.Helper()
	eventually(l.t, "clients are refused", func() bool { return l.refused.Load() >= n })
}

func postKeyed(t *testing.T, to app, key string) (int, []byte) {
	return to.try(t.Context(), http.MethodPost, "/events", `{"type":"load.test","data":"`+key+`"}`, http.Header{"Idempotency-Key": {key}})
}

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/cluster"
	"hookloop/internal/endpointtest"
)

// restore loses everything and goes back to a backup that was taken under load, registry and
// Temporal in one. What was answered before it is known and was delivered, the backlog of a paused
// endpoint is there, and an event that was answered later is accepted under its id when it is
// posted again under its key.
func (r *clusterRun) restore(c *cluster.Cluster) {
	r.t.Helper()
	const most = 20_000 // far more than the backup takes time for
	begun := time.Now()
	paused, e := r.gateways[0].listen(r.t, endpointtest.Config{}, `,"event_types":["held.test"]`)
	r.gateways[0].call(r.t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/pause", "", nil)
	from := len(r.endpoint.Receipts())
	var held []string
	for n := range 5 {
		held = append(held, r.gateways[0].post(r.t, fmt.Sprintf(`{"type":"held.test","data":%d}`, n)).ID)
	}

	l := r.load("restored", 1, most) // one client: other tests run beside it
	eventually(r.t, "the load runs", func() bool { return l.answered() >= clusterRound })
	for _, id := range held {
		l.witness.answered(http.StatusAccepted, id, "", "")
	}
	before, mended := l.known(), l.witness.fault("back to a backup")
	backup := c.Postgres.Backup(r.t)
	during := l.answered()
	eventually(r.t, "the load goes on", func() bool { return l.answered() >= during+clusterRound })
	l.last.Store(0)
	l.clients.Wait()
	require.Empty(r.t, l.strays)
	r.lose(c, backup)
	eventually(r.t, "events are taken again", func() bool {
		status, body := postKeyed(r.t, r.gateways[1], "the-first")
		var first accepted
		_ = json.Unmarshal(body, &first)
		l.witness.answered(status, first.ID, "the-first", `"the-first"`)
		return status == http.StatusAccepted
	})

	unknown := 0
	for key, id := range l.ids {
		if !r.again(key, id) {
			require.Empty(r.t, before[key], "%s was accepted before the backup", key)
			unknown++
		}
	}
	require.GreaterOrEqual(r.t, unknown, clusterRound-1, "those after the backup")

	require.Empty(r.t, paused.Receipts())
	r.gateways[0].call(r.t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/resume", "", nil)
	require.ElementsMatch(r.t, held, slices.Collect(maps.Keys(distinct(receipts(r.t, paused, len(held))))))
	mended()
	l.witness.watchFrom(e.ID, paused, 0)
	r.judge(l, from)
	r.t.Logf("restored: %d accepted before the backup, %d while it was taken, %d after it; %d were posted again, all delivered, %s",
		len(before), during-len(before), len(l.ids)-during, unknown, time.Since(begun).Round(time.Millisecond))
}

// lose kills everything and starts it again on what a backup has.
func (r *clusterRun) lose(c *cluster.Cluster, backup string) {
	r.t.Helper()
	for _, p := range append(c.Hookloops(), c.Temporal) {
		p.Kill(r.t)
	}
	c.Postgres.StopImmediately(r.t)
	c.Postgres.Restore(r.t, backup)
	c.Postgres.Restart(r.t)
	for _, p := range append([]*cluster.Process{c.Temporal}, c.Hookloops()...) {
		p.Start(r.t)
	}
	for _, p := range c.Hookloops() {
		p.AwaitReady(r.t)
	}
}

// again posts an event under the key it had, and says whether it was known.
func (r *clusterRun) again(key, id string) bool {
	r.t.Helper()
	status, body := postKeyed(r.t, r.gateways[len(r.gateways)-1], key)
	var e accepted
	require.Equal(r.t, http.StatusAccepted, status, string(body))
	require.NoError(r.t, json.Unmarshal(body, &e))
	require.Equal(r.t, id, e.ID)
	return e.Duplicate
}

// known are the ids of those that were answered, by key.
func (l *clusterLoad) known() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.ids)
}

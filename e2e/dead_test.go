package e2e

import (
	"flag"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/workflows"
)

var dead = flag.Int("dead", 200, "how many deliveries wait for the endpoint that is down")

// TestDeadEndpoint lets many deliveries wait for one endpoint that is down. Once its breaker is
// open they cost turns, but no workflow tasks: their histories stop growing.
func TestDeadEndpoint(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	e := app{p}.createEndpoint(t, fmt.Sprintf(`{"url":"http://%s/","schedule":["0s","1s","24h"]}`, closedPort(t)))
	all := postMany(t, app{p}, *dead)
	var ids []string // a sample
	for i := 0; i < len(all); i += max(1, len(all)/200) {
		ids = append(ids, all[i])
	}
	c := p.dial(t)
	waiting := func() (deferred int, history int64) {
		for _, id := range ids {
			d, err := c.DescribeWorkflowExecution(t.Context(), workflows.DeliveryWorkflowID(p.Tenant, id, e.ID), "")
			if err != nil {
				return deferred, history
			}
			history += d.GetWorkflowExecutionInfo().GetHistoryLength()
			if deferredOrDone(d) {
				deferred++
			}
		}
		return deferred, history
	}
	settled := func() bool {
		deferred, _ := waiting()
		return deferred == len(ids)
	}
	require.Eventually(t, settled, patience+time.Duration(*dead)*50*time.Millisecond, time.Second)
	_, before := waiting()
	began := time.Now()
	wait(t, 10*time.Second) // the span that is measured
	_, after := waiting()
	events := float64(after-before) / time.Since(began).Seconds() * float64(len(all)) / float64(len(ids))
	t.Logf("%d deliveries waiting: %.2f history events/s, and a workflow task is three", len(all), events)
	require.Less(t, events, 15.0)
}

// deferredOrDone: the delivery's turn is Temporal's to repeat, or its next attempt is a day away.
func deferredOrDone(d *workflowservice.DescribeWorkflowExecutionResponse) bool {
	for _, a := range d.GetPendingActivities() {
		if a.GetLastFailure() != nil {
			return true
		}
	}
	return len(d.GetPendingActivities()) == 0 && d.GetWorkflowExecutionInfo().GetHistoryLength() > 4
}

func postMany(t *testing.T, a app, n int) []string {
	t.Helper()
	ids := make([]string, n)
	var clients sync.WaitGroup
	for first := range 8 {
		clients.Go(func() {
			for i := first; i < n; i += 8 {
				ids[i] = a.post(t, `{"type":"contact.updated","data":1}`).ID
			}
		})
	}
	clients.Wait()
	return ids
}

// closedPort is an address where no program listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

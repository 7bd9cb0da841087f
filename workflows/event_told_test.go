package workflows_test

import (
	"bytes"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// ended counts deliveries that have ended, by status.
type ended struct {
	client.MetricsHandler

	mu     *sync.Mutex
	counts map[string]int64
	status string
}

func (e ended) WithTags(tags map[string]string) client.MetricsHandler {
	if s, ok := tags[workflows.MetricEndedStatus]; ok {
		e.status = s
	}
	return e
}

func (e ended) Counter(name string) client.MetricsCounter {
	return counter(func(n int64) {
		if name == workflows.MetricEnded {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.counts[e.status] += n
		}
	})
}

type counter func(int64)

func (c counter) Inc(n int64) { c(n) }

// TestWhatBecameOfAnEventIsCountedAndLogged: each delivery once, by whichever workflow ended it,
// and those to disabled endpoints.
func TestWhatBecameOfAnEventIsCountedAndLogged(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	var lines bytes.Buffer
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelInfo}))))
	e := ended{MetricsHandler: client.MetricsNopHandler, mu: &sync.Mutex{}, counts: map[string]int64{}}
	suite.SetMetricsHandler(e)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	workflows.Register(env)
	c := &consumer{scripts: map[string][]int{"ep_a": {200}, "ep_b": {500}, "ep_c": {500, 500, 200}}, schedule: webhook.Schedule{0, time.Hour, time.Hour}}
	w := &world{}
	env.RegisterActivity(&activities.Delivery{Endpoints: c, Sender: c, Events: c})
	env.RegisterActivity(&activities.Approval{Endpoints: w, Backlog: w, Events: w, Behind: time.Millisecond})
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{
		Event: anEvent(), EndpointIDs: []string{"ep_a", "ep_b", "ep_c"}, Disabled: []string{"ep_d"},
	}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Equal(t, map[string]int64{"delivered": 2, "exhausted": 1, "rejected": 1}, maps.Clone(e.counts))
	require.Contains(t, lines.String(), workflows.LogEventEnded)
	require.Contains(t, lines.String(), "tenant=demo event=evt_1 type=contact.updated status=failed")
	require.Contains(t, lines.String(), "delivered=2")
	require.NotContains(t, lines.String(), "12345678901234567890", "never its data")
}

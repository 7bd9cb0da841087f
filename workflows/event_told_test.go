package workflows_test

import (
	"bytes"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
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

// counting is an environment that counts, and the counts.
func counting(suite *testsuite.WorkflowTestSuite) (*testsuite.TestWorkflowEnvironment, ended) {
	e := ended{MetricsHandler: client.MetricsNopHandler, mu: &sync.Mutex{}, counts: map[string]int64{}}
	suite.SetMetricsHandler(e)
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute)
	workflows.Register(env)
	return env, e
}

// TestADeliveryThatCouldNotCountItselfIsCounted: it was terminated in the Temporal UI. One that was
// cancelled there counts itself.
func TestADeliveryThatCouldNotCountItselfIsCounted(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end    error
		reason string
		counts map[string]int64
	}{
		"terminated": {&temporal.TerminatedError{}, "its workflow was terminated", map[string]int64{"cancelled": 1}},
		"cancelled":  {temporal.NewCanceledError(), "cancelled", map[string]int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var suite testsuite.WorkflowTestSuite
			env, e := counting(&suite)
			c := &consumer{scripts: map[string][]int{"ep_a": {500}}, schedule: webhook.Schedule{0, time.Hour}}
			env.RegisterActivity(&activities.Delivery{Endpoints: c, Sender: c, Events: c})
			env.OnWorkflow(workflows.Delivery, mock.Anything, mock.Anything).Return(workflows.DeliveryResult{}, tc.end)
			env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a"}}, raw(data))
			require.NoError(t, env.GetWorkflowError())
			d := report(t, env).Deliveries[0]
			require.Equal(t, webhook.Cancelled, d.Status)
			require.Equal(t, tc.reason, d.Reason)
			e.mu.Lock()
			defer e.mu.Unlock()
			require.Equal(t, tc.counts, maps.Clone(e.counts))
		})
	}
}

// TestWhatBecameOfAnEventIsCountedAndLogged: each delivery once, by whichever workflow ended it,
// and those to disabled endpoints.
func TestWhatBecameOfAnEventIsCountedAndLogged(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	var lines bytes.Buffer
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelInfo}))))
	env, e := counting(&suite)
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

package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// away is a registry that is out of reach for some reads.
type away struct {
	*consumer
	times int
}

func (a *away) Endpoint(ctx context.Context, tenant, id string) (webhook.Endpoint, error) {
	a.mu.Lock()
	a.times--
	gone := a.times >= 0
	a.mu.Unlock()
	if gone {
		return webhook.Endpoint{}, errors.New("the registry is away")
	}
	return a.consumer.Endpoint(ctx, tenant, id)
}

// TestTroubleOfOursIsNoEndOfADelivery: it waits for its next turn, says why, and costs no attempt.
func TestTroubleOfOursIsNoEndOfADelivery(t *testing.T) {
	t.Parallel()
	c := &away{consumer: &consumer{}, times: 3} // the fast lane tries three times
	env := newPatientEnv()
	env.RegisterActivity(&activities.Delivery{Endpoints: c, Sender: c, Events: c})
	var waits []webhook.DeliveryReport // as they are when a timer begins
	env.SetOnTimerScheduledListener(func(string, time.Duration) { waits = append(waits, report(t, env).Deliveries[0]) })
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	end := report(t, env).Deliveries[0]
	require.Equal(t, webhook.Delivered, end.Status)
	require.Empty(t, end.Reason)
	require.Equal(t, []int{1}, c.numbers["ep_a"])
	waiting := waits[len(waits)-1]
	require.Contains(t, waiting.Reason, "the registry is away")
	require.NotNil(t, waiting.NextAttemptAt)
	require.Empty(t, end.WorkflowID, "and soon")
}

// details are what the Temporal UI shows of a workflow now.
func details(t *testing.T, env *testsuite.TestWorkflowEnvironment) string {
	t.Helper()
	v, err := env.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(t, err)
	var m sdkpb.WorkflowMetadata
	require.NoError(t, v.Get(&m))
	return m.GetCurrentDetails()
}

// TestPeopleSeeWhatAnEventWaitsFor, and in the end what became of it: also where it has so many
// deliveries that not each change is shown.
func TestPeopleSeeWhatAnEventWaitsFor(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 20, workflows.FastLane} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			c := &consumer{
				scripts: map[string][]int{}, schedule: webhook.Schedule{0, 10 * time.Second}, body: strings.Repeat("é", 1000),
			}
			var ids []string
			for i := range n {
				ids = append(ids, fmt.Sprintf("ep_%03d", i))
				if i%2 == 0 {
					c.scripts[ids[i]] = []int{503, 200}
				}
			}
			env := newEnv(t, c)
			checkAfter(t, env, 5*time.Second, func() {
				shown := details(t, env)
				require.Contains(t, shown, "**delivering**")
				require.Contains(t, shown, "- `ep_000` **retrying**, attempt 1 at 2026-01-31T12:00:00Z: HTTP 503 in 0 ms, next at ")
			})
			env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: ids}, raw(data))
			require.NoError(t, env.GetWorkflowError())
			require.Contains(t, details(t, env), "**delivered** `contact.updated`")
			require.NotContains(t, details(t, env), "**retrying**")
			for _, d := range report(t, env).Deliveries {
				require.Empty(t, d.WorkflowID, "as many as the lane has places wait here")
				require.Equal(t, webhook.Delivered, d.Status)
				require.Equal(t, c.body, d.Attempts[0].ResponseBody, "and keep what was answered")
			}
		})
	}
}

// TestPeopleSeeWhyADeliveryWaits that was handed over to a workflow of its own.
func TestPeopleSeeWhyADeliveryWaits(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{scripts: map[string][]int{"ep_a": {-1, 200}}})
	checkAfter(t, env, time.Second, func() {
		d := report(t, env).Deliveries[0]
		require.Equal(t, webhook.Held, d.Status)
		require.Equal(t, "the endpoint is paused", d.Reason)
		require.Contains(t, details(t, env), "(the endpoint is paused)")
	})
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
}

// TestACancelledEventEndsAsCancelled, with what became of each delivery: none is said to go on.
func TestACancelledEventEndsAsCancelled(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]time.Duration{"between two attempts of its own": 10 * time.Second, "while a delivery waits": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newEnv(t, &consumer{scripts: map[string][]int{"ep_a": {503}}, schedule: webhook.Schedule{0, wait, wait}})
			env.RegisterDelayedCallback(env.CancelWorkflow, 5*time.Second)
			env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a", "ep_b"}}, raw(data))
			require.True(t, temporal.IsCanceledError(env.GetWorkflowError()))
			r := report(t, env)
			require.Equal(t, webhook.EventFailed, r.Status)
			require.Equal(t, webhook.Cancelled, r.Deliveries[0].Status)
			require.Equal(t, "cancelled", r.Deliveries[0].Reason)
			require.Equal(t, webhook.Delivered, r.Deliveries[1].Status)
		})
	}
}

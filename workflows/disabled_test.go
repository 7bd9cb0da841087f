package workflows_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestDisabledEndpointsStandWithTheEvent: they wanted it and did not get it, which a person can
// make good.
func TestDisabledEndpointsStandWithTheEvent(t *testing.T) {
	t.Parallel()
	for name, active := range map[string][]string{"alone": nil, "beside others": {"ep_a", "ep_b"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &consumer{}
			env := newEnv(t, c)
			env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: active, Disabled: []string{"ep_off"}}, raw(data))
			require.NoError(t, env.GetWorkflowError())
			var report workflows.EventReport
			require.NoError(t, env.GetWorkflowResult(&report))
			require.Equal(t, webhook.EventFailed, report.Status)
			require.Len(t, report.Deliveries, len(active)+1)
			require.Equal(t, webhook.DeliveryReport{EndpointID: "ep_off", Status: webhook.Rejected, Reason: "the endpoint was disabled"}, report.Deliveries[len(active)])
			for i, id := range active {
				require.Equal(t, id, report.Deliveries[i].EndpointID)
				require.Equal(t, webhook.Delivered, report.Deliveries[i].Status)
			}
			require.Empty(t, c.sent["ep_off"])
		})
	}
}

func TestWhatEndpointHoldsOnAnEvent(t *testing.T) {
	t.Parallel()
	posted := workflows.EventInput{By: "app"}
	require.Empty(t, workflows.EndpointOf(posted))
	require.Empty(t, workflows.EndpointOf(workflows.EventInput{Event: webhook.Event{Origin: &webhook.Origin{}}}))
	posted.Disabled = []string{"ep_1"}
	require.Equal(t, "disabled ep_1", workflows.EndpointOf(posted))
	posted.Disabled = append(posted.Disabled, "ep_2")
	require.Equal(t, "disabled several", workflows.EndpointOf(posted))
	require.Equal(t, "operational", workflows.EndpointOf(workflows.EventInput{Event: webhook.Event{Operational: true}}))
}

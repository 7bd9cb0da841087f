package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestDisabledEndpointsAreKeptWithTheEvent: so that it can be redelivered to them.
func TestDisabledEndpointsAreKeptWithTheEvent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	off := r.in(webhook.EndpointDisabled, "rejected by alice")
	a, run := r.post()
	require.Len(t, a.Deliveries, 2, "those it goes to")
	var in workflows.EventInput
	var raw converter.RawValue
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(run.Input, &in, &raw))
	require.Equal(t, []string{off}, in.Disabled)
	kept, _ := run.Options.TypedSearchAttributes.GetKeyword(workflows.Endpoint)
	require.Equal(t, "disabled "+off, kept)

	run.Fresh = true
	rejected := webhook.DeliveryReport{EndpointID: off, Status: webhook.Rejected, Reason: "the endpoint was disabled", Attempts: []webhook.Attempt{}}
	require.Equal(t, rejected, r.shown(a.ID).Deliveries[2])
	run.Fresh, run.Status = false, completed
	run.Report = workflows.EventReport{Status: webhook.EventFailed, Deliveries: append(reportOf(a, "", ok, ok).Deliveries, rejected)}
	shown := r.shown(a.ID)
	require.Equal(t, "failed", shown.Status)
	require.Equal(t, rejected, shown.Deliveries[2])

	refused(t, r.do("POST", "/events/"+a.ID+"/redeliver", ""), 409, webhook.Disabled)
	_, err := r.registry.UpdateEndpoint(t.Context(), "acme", off, func(e *webhook.Endpoint) error {
		e.State = webhook.EndpointActive
		return nil
	})
	require.NoError(t, err)
	got := read[redelivered](t, r.do("POST", "/events/"+a.ID+"/redeliver", ""), 202)
	require.Equal(t, off, got.Deliveries[0].EndpointID)
	r.temporal.Run(got.Deliveries[0].WorkflowID).Fresh = true
	require.Equal(t, "delivering", r.shown(a.ID).Status)
}

func (r *rig) shown(id string) event {
	r.t.Helper()
	return read[event](r.t, r.do("GET", "/events/"+id, ""), 200)
}

// TestARedeliveryElsewhereIsShown: also one to an endpoint that the event was not accepted for.
func TestARedeliveryElsewhereIsShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := read[acceptedEvent](t, r.do("POST", "/events", `{"type":"a.b","data":1}`), 202)
	run := r.temporal.Run(a.WorkflowID)
	run.Status, run.Report = completed, workflows.EventReport{Status: webhook.EventUnmatched}
	require.Equal(t, "unmatched", r.shown(a.ID).Status)
	require.Contains(t, r.do("GET", "=/metrics", "").Body.String(), "hookloop_events_unmatched_total 1")

	later := r.endpoint(`{"url":"https://later.example","event_types":["other"]}`)
	got := read[redelivered](t, r.do("POST", "/events/"+a.ID+"/redeliver", `{"endpoint_id":"`+later+`"}`), 202)
	id := got.Deliveries[0].WorkflowID
	again := r.temporal.Run(id)
	again.Fresh = true
	shown := r.shown(a.ID)
	require.Equal(t, "delivering", shown.Status)
	require.Equal(t, []webhook.DeliveryReport{{EndpointID: later, Status: webhook.Pending, WorkflowID: id, Attempts: []webhook.Attempt{}}}, shown.Deliveries)

	delivered := webhook.DeliveryReport{EndpointID: later, Status: webhook.Delivered, WorkflowID: id, Attempts: []webhook.Attempt{{Number: 1, StatusCode: 200}}}
	again.Fresh, again.Status, again.Report = false, completed, delivered
	shown = r.shown(a.ID)
	require.Equal(t, "delivered", shown.Status)
	require.Equal(t, []webhook.DeliveryReport{delivered}, shown.Deliveries)

	r.temporal.Forget(id) // its history has gone, or it was noted and never started
	shown = r.shown(a.ID)
	require.Equal(t, "unmatched", shown.Status)
	require.Empty(t, shown.Deliveries)
}

// TestARedeliveryOfAnOpenEventIsShown: of a delivery that had ended while others go on.
func TestARedeliveryOfAnOpenEventIsShown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Report = reportOf(a, webhook.EventDelivering, ok, webhook.DeliveryReport{Status: webhook.Pending})
	endpointID := a.Deliveries[0].EndpointID
	got := read[redelivered](t, r.do("POST", "/events/"+a.ID+"/redeliver", `{"endpoint_id":"`+endpointID+`"}`), 202)
	r.temporal.Run(got.Deliveries[0].WorkflowID).Fresh = true
	shown := r.shown(a.ID)
	require.Len(t, shown.Deliveries, 2)
	require.Equal(t, webhook.DeliveryReport{
		EndpointID: endpointID, Status: webhook.Pending, WorkflowID: got.Deliveries[0].WorkflowID, Attempts: []webhook.Attempt{},
	}, shown.Deliveries[0])
	r.registry.down = errTest
	refused(t, r.do("GET", "/events/"+a.ID, ""), 503, "unavailable")
}

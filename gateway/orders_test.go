package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// unknownEvent is an id that could be an event's.
const unknownEvent = "evt_01jzc8m3v7q2w5x9y1b4d6f8hk"

const completed = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED

// carriedOn puts a delivery of an event to the i-th endpoint, and gives the path of its orders.
func (r *rig) carriedOn(a acceptedEvent, i int, run *orchestratortest.Run) (path, workflowID string) {
	endpointID := a.Deliveries[i].EndpointID
	workflowID = workflows.DeliveryWorkflowID("acme", a.ID, endpointID)
	if run != nil {
		if d, is := run.Report.(webhook.DeliveryReport); is {
			d.EndpointID, d.WorkflowID = endpointID, workflowID
			run.Report = d
		}
		r.temporal.Put(named(workflowID, run))
	}
	return "/events/" + a.ID + "/deliveries/" + endpointID, workflowID
}

func TestOrdersReachTheDelivery(t *testing.T) {
	t.Parallel()
	for verb, body := range map[string]string{"retry-now": "", "cancel": `{"reason":"wrong customer"}`} {
		r := newRig(t)
		a, _ := r.post()
		path, id := r.carriedOn(a, 0, &orchestratortest.Run{Report: webhook.DeliveryReport{Status: webhook.Retrying}})
		got := read[webhook.DeliveryReport](t, r.do("POST", path+"/"+verb, body), 202)
		require.Equal(t, webhook.DeliveryReport{
			EndpointID: a.Deliveries[0].EndpointID, Status: webhook.Retrying, WorkflowID: id, Attempts: []webhook.Attempt{},
		}, got)
		order := r.temporal.Updates[0]
		require.Equal(t, verb, order.UpdateName)
		require.Equal(t, id, order.WorkflowID)
		require.Equal(t, client.WorkflowUpdateStageCompleted, order.WaitForStage)
		want := webhook.Instruction{By: "tester"}
		if body != "" {
			want.Reason = "wrong customer"
		}
		require.Equal(t, []any{want}, order.Args)
	}
}

func TestOrdersNobodyCanFollow(t *testing.T) {
	t.Parallel()
	spent := webhook.DeliveryReport{Status: webhook.Exhausted}
	busy := webhook.DeliveryReport{Status: webhook.Pending}
	at := time.Date(2026, 11, 28, 3, 0, 5, 0, time.UTC)
	soon := webhook.DeliveryReport{Status: webhook.Retrying, NextAttemptAt: &at}
	for name, c := range map[string]struct {
		line   webhook.DeliveryReport
		run    *orchestratortest.Run
		status int
		code   webhook.Code
		says   string
	}{
		"delivered at once": {ok, nil, 409, webhook.Conflict, "it was delivered at the first attempt"},
		"in the fast lane":  {busy, nil, 409, webhook.Conflict, "an attempt is under way"},
		"comes soon":        {soon, nil, 409, webhook.Conflict, "its next attempt is at 2026-11-28T03:00:05Z"},
		"has ended":         {busy, &orchestratortest.Run{Report: spent, Status: completed}, 409, webhook.Conflict, "it has ended (exhausted)"},
		"ends over it":      {busy, &orchestratortest.Run{Refuses: temporal.NewApplicationError("internal", "AcceptedUpdateCompletedWorkflow")}, 409, webhook.Conflict, "did not take the order"},
		"no worker":         {busy, &orchestratortest.Run{Silent: context.DeadlineExceeded}, 503, api.Unavailable, "worker"},
		"worker too late":   {busy, &orchestratortest.Run{Refuses: client.NewWorkflowUpdateServiceTimeoutOrCanceledError(errTest)}, 503, api.Unavailable, "worker"},
		"not ready":         {busy, &orchestratortest.Run{Refuses: serviceerror.NewWorkflowNotReady("no")}, 503, api.Unavailable, "Temporal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, run := r.post()
			path, id := r.carriedOn(a, 1, c.run)
			if c.run != nil {
				c.line.WorkflowID = id
			}
			run.Report = reportOf(a, webhook.EventDelivering, ok, c.line)
			for _, verb := range []string{"/retry-now", "/cancel"} {
				p := refused(t, r.do("POST", path+verb, ""), c.status, c.code)
				require.Contains(t, p.Detail, c.says)
			}
		})
	}
}

func TestOrdersToDeliveriesNobodyKnows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Report = reportOf(a, webhook.EventDelivering, ok, ok)
	endpointID := a.Deliveries[0].EndpointID
	for _, path := range []string{
		"/events/evt_x/deliveries/" + endpointID,
		"/events/" + unknownEvent + "/deliveries/" + endpointID,
		"/events/" + a.ID + "/deliveries/ep_x",
		"/events/" + a.ID + "/deliveries/ep_01jzc8k0a2n4p6r8s0t2v4w6x8",
	} {
		refused(t, r.do("POST", path+"/retry-now", ""), 404, webhook.NotFound)
	}
	refused(t, r.do("POST", "=/v1/tenants/other/events/"+a.ID+"/deliveries/"+endpointID+"/cancel", ""), 404, webhook.NotFound)
	path := "/events/" + a.ID + "/deliveries/" + endpointID + "/cancel"
	for body, field := range map[string]string{
		`{"reason":7}`: "reason", `{"by":"me"}`: "by", `{"reason":"` + strings.Repeat("r", 1025) + `"}`: "reason",
	} {
		require.Equal(t, field, refused(t, r.do("POST", path, body), 422, webhook.Invalid).Errors[0].Field)
	}
	refused(t, r.do("POST", path, "nonsense"), 400, webhook.BadJSON)
	r.temporal.Down = serviceerror.NewUnavailable("no")
	refused(t, r.do("POST", path, ""), 503, api.Unavailable)
}

// redelivered is the answer to a redelivery.
type redelivered struct {
	Deliveries []struct {
		EndpointID string `json:"endpoint_id"`
		WorkflowID string `json:"workflow_id"`
	}
}

func TestRedeliverWhatWasNotDelivered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	_, id := r.carriedOn(a, 1, &orchestratortest.Run{Report: webhook.DeliveryReport{Status: webhook.Exhausted}, Status: completed})
	run.Status = completed
	run.Report = reportOf(a, webhook.EventFailed, ok, webhook.DeliveryReport{Status: webhook.Exhausted, Reason: "the schedule is spent", WorkflowID: id})

	got := read[redelivered](t, r.do("POST", "/events/"+a.ID+"/redeliver", ""), 202)
	require.Len(t, got.Deliveries, 1)
	require.Equal(t, a.Deliveries[1].EndpointID, got.Deliveries[0].EndpointID)
	require.Equal(t, id, got.Deliveries[0].WorkflowID)
	var in workflows.DeliveryInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(r.temporal.Run(id).Input, &in))
	require.Equal(t, &webhook.Instruction{By: "tester"}, in.Redelivery)
	require.Equal(t, "run-of-"+a.WorkflowID, in.EventRunID)

	// It is under way now, and the event says so.
	r.temporal.Run(id).Fresh = true
	shown := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
	require.Equal(t, "delivering", shown.Status)
	require.Equal(t, webhook.DeliveryReport{
		EndpointID: a.Deliveries[1].EndpointID, Status: webhook.Pending, WorkflowID: id, Attempts: []webhook.Attempt{},
	}, shown.Deliveries[1])
	p := refused(t, r.do("POST", "/events/"+a.ID+"/redeliver", "{}"), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "1 still under way")
	p = refused(t, r.do("POST", "/events/"+a.ID+"/redeliver", `{"endpoint_id":"`+a.Deliveries[1].EndpointID+`"}`), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "under way")
}

func TestADeliveredOneIsRedeliveredByName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Status, run.Report = completed, reportOf(a, webhook.EventDelivered, ok, ok)
	p := refused(t, r.do("POST", "/events/"+a.ID+"/redeliver", ""), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "name one as endpoint_id")

	endpointID := a.Deliveries[0].EndpointID
	got := read[redelivered](t, r.do("POST", "/events/"+a.ID+"/redeliver", `{"endpoint_id":"`+endpointID+`"}`), 202)
	id := got.Deliveries[0].WorkflowID

	again := r.temporal.Run(id)
	again.Report = webhook.DeliveryReport{EndpointID: endpointID, Status: webhook.Exhausted, Reason: "the schedule is spent", WorkflowID: id}
	again.Status = completed
	shown := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
	require.Equal(t, "failed", shown.Status)
	require.Equal(t, webhook.Exhausted, shown.Deliveries[0].Status)
	require.Empty(t, shown.Deliveries[0].Attempts)
	require.Equal(t, webhook.Delivered, shown.Deliveries[1].Status)

	// Ended undelivered, it is now one of those a redelivery without a name is about.
	require.Len(t, read[redelivered](t, r.do("POST", "/events/"+a.ID+"/redeliver", ""), 202).Deliveries, 1)
}

func TestRedeliverWhileTheEventIsOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Report = reportOf(a, webhook.EventDelivering, ok, webhook.DeliveryReport{Status: webhook.Pending})
	again := func(i int) string { return `{"endpoint_id":"` + a.Deliveries[i].EndpointID + `"}` }
	refused(t, r.do("POST", "/events/"+a.ID+"/redeliver", again(1)), 409, webhook.Conflict)
	require.Equal(t, 202, r.do("POST", "/events/"+a.ID+"/redeliver", again(0)).Code)
}

func TestRedeliverThatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	gone := webhook.DeliveryReport{Status: webhook.Cancelled, Reason: "the endpoint was deleted"}
	run.Status, run.Report = completed, reportOf(a, webhook.EventFailed, gone, ok)
	path := "/events/" + a.ID + "/redeliver"

	require.Equal(t, 204, r.do("DELETE", "/endpoints/"+a.Deliveries[0].EndpointID, "").Code)
	p := refused(t, r.do("POST", path, ""), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "1 deleted since")
	refused(t, r.do("POST", path, `{"endpoint_id":"`+a.Deliveries[0].EndpointID+`"}`), 404, webhook.NotFound)
	refused(t, r.do("POST", path, `{"endpoint_id":"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"}`), 404, webhook.NotFound)
	for _, body := range []string{`{"endpoint_id":"x"}`, `{"endpoint_id":7}`, `{"endpoint_id":""}`, `{"reason":"r"}`} {
		refused(t, r.do("POST", path, body), 422, webhook.Invalid)
	}
	p = refused(t, r.do("POST", "/events/"+unknownEvent+"/redeliver", ""), 410, webhook.Expired)
	require.Contains(t, p.Detail, "or there never was one")
	refused(t, r.do("POST", "/events/evt_x/redeliver", ""), 404, webhook.NotFound)
	r.registry.down = errTest
	refused(t, r.do("POST", path, ""), 503, api.Unavailable)
}

// TestNothingGoesToADisabledEndpoint: what a person asks for is refused with what helps, not
// started to end as rejected.
func TestNothingGoesToADisabledEndpoint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	exhausted := webhook.DeliveryReport{Status: webhook.Exhausted}
	run.Status, run.Report = completed, reportOf(a, webhook.EventFailed, exhausted, ok)
	id := r.in(webhook.EndpointDisabled, "rejected by alice")
	starts := r.temporal.Starts()
	p := refused(t, r.do("POST", "/events/"+a.ID+"/redeliver", `{"endpoint_id":"`+id+`"}`), 409, webhook.Disabled)
	require.Contains(t, p.Detail, "resume it first")
	refused(t, r.do("POST", "/endpoints/"+id+"/recover", `{"since":"1h"}`), 409, webhook.Disabled)
	refused(t, r.do("POST", "/endpoints/"+id+"/test", ""), 409, webhook.Disabled)
	require.Equal(t, starts, r.temporal.Starts())

	later := r.endpoint(`{"url":"https://later.example","event_types":["other"]}`)
	again := r.do("POST", "/events/"+a.ID+"/redeliver", `{"endpoint_id":"`+later+`"}`)
	require.Equal(t, 202, again.Code, again.Body.String())
	require.Contains(t, again.Body.String(), "delivery/acme/"+a.ID+"/"+later)
	require.Equal(t, starts+1, r.temporal.Starts())
}

// taken answers like the orchestrator when another request was faster, or Temporal went away.
type taken struct{ err error }

func (t taken) Redeliver(context.Context, string, string, string, webhook.Instruction) error {
	return t.err
}

func (t taken) Count(context.Context, webhook.Window) (int, error) { return 0, t.err }

func TestRedeliverThatSomebodyElseBegan(t *testing.T) {
	t.Parallel()
	for want, err := range map[webhook.Code]error{
		webhook.Conflict: webhook.Errorf(webhook.Conflict, "under way"),
		webhook.Expired:  webhook.Errorf(webhook.Expired, "gone"),
		api.Unavailable:  fmt.Errorf("redelivery: %w", away{}),
		api.Internal:     errors.New("secret detail"),
	} {
		r := newRigWith(t, func(c *gateway.Config) { c.Redeliveries = taken{err} })
		a, run := r.post()
		run.Status, run.Report = completed, reportOf(a, webhook.EventFailed, ok, webhook.DeliveryReport{Status: webhook.Rejected})
		p := read[api.Problem](t, r.do("POST", "/events/"+a.ID+"/redeliver", ""), map[webhook.Code]int{
			webhook.Conflict: 409, webhook.Expired: 410, api.Unavailable: 503, api.Internal: 500,
		}[want])
		require.Equal(t, want, p.Code)
		require.NotContains(t, p.Detail, "secret")
	}
}

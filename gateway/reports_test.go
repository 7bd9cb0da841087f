package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hookloop/activities"
	"hookloop/api"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// event is the answer to GET /events/{id}.
type event struct {
	ID, Type, Status, Reason string
	Timestamp                time.Time
	WorkflowID               string `json:"workflow_id"`
	RunID                    string `json:"run_id"`
	Deliveries               []webhook.DeliveryReport
}

// post accepts an event for two endpoints and gives its run.
func (r *rig) post() (acceptedEvent, *orchestratortest.Run) {
	r.t.Helper()
	r.endpoint(`{"url":"https://a.example"}`)
	r.endpoint(`{"url":"https://b.example"}`)
	a := read[acceptedEvent](r.t, r.do("POST", "/events", `{"type":"a.b","data":1}`), 202)
	return a, r.temporal.Run(a.WorkflowID)
}

func reportOf(a acceptedEvent, s webhook.EventStatus, d ...webhook.DeliveryReport) workflows.EventReport {
	for i := range d {
		d[i].EndpointID = a.Deliveries[i].EndpointID
	}
	return workflows.EventReport{Status: s, Deliveries: d}
}

const untold = ", and no worker could tell what it had done before; its history does"

var ok = webhook.DeliveryReport{Status: webhook.Delivered, Attempts: []webhook.Attempt{{Number: 1, StatusCode: 204}}}

func TestGetEvent(t *testing.T) {
	t.Parallel()
	waiting := webhook.DeliveryReport{Status: webhook.Pending}
	cancelled := func(why string) webhook.DeliveryReport {
		return webhook.DeliveryReport{Status: webhook.Cancelled, Reason: why}
	}
	for name, c := range map[string]struct {
		run    orchestratortest.Run
		report []webhook.DeliveryReport
		says   webhook.EventStatus
		status webhook.EventStatus
		want   []webhook.DeliveryReport
		reason string
	}{
		"first attempts under way": {
			run: orchestratortest.Run{Fresh: true, Silent: serviceerror.NewWorkflowNotReady("no")}, status: webhook.EventDelivering,
			want: []webhook.DeliveryReport{waiting, waiting},
		},
		"running": {
			report: []webhook.DeliveryReport{ok, waiting}, says: webhook.EventDelivering,
			status: webhook.EventDelivering, want: []webhook.DeliveryReport{ok, waiting},
		},
		"completed, and no worker": {
			run:    orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, Silent: serviceerror.NewDeadlineExceeded("no")},
			report: []webhook.DeliveryReport{ok, ok}, says: webhook.EventDelivered,
			status: webhook.EventDelivered, want: []webhook.DeliveryReport{ok, ok},
		},
		"terminated, with a worker": {
			run:    orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED},
			report: []webhook.DeliveryReport{ok, waiting}, says: webhook.EventDelivering,
			status: webhook.EventFailed, want: []webhook.DeliveryReport{ok, cancelled("its workflow was terminated")},
			reason: "its workflow was terminated",
		},
		"terminated, without a worker": {
			run:    orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, Silent: serviceerror.NewDeadlineExceeded("no")},
			status: webhook.EventFailed, reason: "its workflow was terminated",
			want: []webhook.DeliveryReport{cancelled("its workflow was terminated" + untold), cancelled("its workflow was terminated" + untold)},
		},
		"cancelled at the very end": {
			run:    orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_CANCELED},
			report: []webhook.DeliveryReport{ok, ok}, says: webhook.EventDelivered,
			status: webhook.EventDelivered, want: []webhook.DeliveryReport{ok, ok}, reason: "its workflow was cancelled",
		},
		"failed": {
			run:    orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_FAILED},
			report: []webhook.DeliveryReport{ok, waiting}, says: webhook.EventDelivering, status: webhook.EventFailed,
			want: []webhook.DeliveryReport{ok, cancelled("its workflow failed")}, reason: "its workflow failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, run := r.post()
			run.Status, run.Fresh, run.Silent = c.run.Status, c.run.Fresh, c.run.Silent
			run.Report = reportOf(a, c.says, c.report...)
			got := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
			want := reportOf(a, "", c.want...).Deliveries
			for i := range want {
				if want[i].Attempts == nil {
					want[i].Attempts = []webhook.Attempt{} // the API's lists are never null
				}
			}
			require.Equal(t, event{
				ID: a.ID, Type: "a.b", Timestamp: a.Timestamp, Status: string(c.status), Reason: c.reason,
				WorkflowID: a.WorkflowID, RunID: "run-of-" + a.WorkflowID, Deliveries: want,
			}, got)
		})
	}
}

func TestGetEventWithoutAWorkerIs503(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	for _, err := range []error{serviceerror.NewDeadlineExceeded("no"), serviceerror.NewFailedPrecondition("no poller"), context.DeadlineExceeded} {
		run.Silent = err
		p := refused(t, r.do("GET", "/events/"+a.ID, ""), 503, api.Unavailable)
		require.Contains(t, p.Detail, "worker")
	}
}

func TestGetEventNobodyKnows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, _ := r.post()
	refused(t, r.do("GET", "/events/evt_01jzc8m3v7q2w5x9y1b4d6f8hk", ""), 404, webhook.NotFound)
	refused(t, r.do("GET", "/events/"+a.ID+"'", ""), 404, webhook.NotFound)
	refused(t, r.do("GET", "=/v1/tenants/other/events/"+a.ID, ""), 404, webhook.NotFound)
}

func TestDeliveriesSpeakForThemselves(t *testing.T) {
	t.Parallel()
	soon := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	failed := webhook.Attempt{Number: 1, StatusCode: 503}
	retrying := webhook.DeliveryReport{Status: webhook.Retrying, Attempts: []webhook.Attempt{failed}, NextAttemptAt: &soon, WorkflowID: "d"}
	spent := webhook.DeliveryReport{Status: webhook.Exhausted, Attempts: []webhook.Attempt{failed}, WorkflowID: "d"}
	for name, c := range map[string]struct {
		run  *orchestratortest.Run
		want webhook.DeliveryReport
	}{
		"running":         {&orchestratortest.Run{Report: retrying}, retrying},
		"completed":       {&orchestratortest.Run{Report: spent, Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED}, spent},
		"not started yet": {nil, webhook.DeliveryReport{Status: webhook.Pending, WorkflowID: "d", Attempts: []webhook.Attempt{}}},
		"just started": {
			&orchestratortest.Run{Fresh: true, Silent: serviceerror.NewWorkflowNotReady("no")},
			webhook.DeliveryReport{Status: webhook.Pending, WorkflowID: "d", Attempts: []webhook.Attempt{}},
		},
		"terminated": {
			&orchestratortest.Run{Report: retrying, Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED},
			webhook.DeliveryReport{Status: webhook.Cancelled, Reason: "its workflow was terminated", WorkflowID: "d", Attempts: []webhook.Attempt{failed}},
		},
		"terminated, and no worker": {
			&orchestratortest.Run{Silent: serviceerror.NewDeadlineExceeded("no"), Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED},
			webhook.DeliveryReport{Status: webhook.Cancelled, Reason: "its workflow was terminated" + untold, WorkflowID: "d", Attempts: []webhook.Attempt{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, run := r.post()
			run.Report = reportOf(a, webhook.EventDelivering, ok, webhook.DeliveryReport{Status: webhook.Pending, WorkflowID: "d"})
			if c.run != nil {
				if report, is := c.run.Report.(webhook.DeliveryReport); is {
					report.EndpointID = a.Deliveries[1].EndpointID
					c.run.Report = report
				}
				r.temporal.Put(named("d", c.run))
			}
			got := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
			c.want.EndpointID = a.Deliveries[1].EndpointID
			require.Equal(t, c.want, got.Deliveries[1])
		})
	}
}

// TestADeferralIsReadFromTemporal: while Temporal repeats a deferred turn, the workflow knows
// nothing of it.
func TestADeferralIsReadFromTemporal(t *testing.T) {
	t.Parallel()
	soon := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	pending := func(s enums.PendingActivityState, message, kind string) []*workflowpb.PendingActivityInfo {
		return []*workflowpb.PendingActivityInfo{{
			State: s, NextAttemptScheduleTime: timestamppb.New(soon),
			LastFailure: &failurepb.Failure{Message: message, FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
				ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: kind},
			}},
		}}
	}
	const scheduled, started = enums.PENDING_ACTIVITY_STATE_SCHEDULED, enums.PENDING_ACTIVITY_STATE_STARTED
	for name, c := range map[string]struct {
		pending []*workflowpb.PendingActivityInfo
		reason  string
		at      *time.Time
	}{
		"deferred":      {pending(scheduled, "deferred: breaker_open", activities.TypeDeferred), "deferred: breaker_open", &soon},
		"our own fault": {pending(scheduled, "open /secret/path: disk on fire", "PathError"), "deferred: internal", &soon},
		"attempting":    {pending(started, "deferred: breaker_open", activities.TypeDeferred), "", nil},
		"on its way":    {[]*workflowpb.PendingActivityInfo{{State: scheduled}}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			a, run := r.post()
			_, id := r.carriedOn(a, 1, &orchestratortest.Run{Report: webhook.DeliveryReport{Status: webhook.Retrying}, Pending: c.pending})
			run.Report = reportOf(a, webhook.EventDelivering, ok, webhook.DeliveryReport{Status: webhook.Retrying, WorkflowID: id})
			got := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200).Deliveries[1]
			require.Equal(t, c.reason, got.Reason)
			require.Equal(t, c.at, got.NextAttemptAt)
		})
	}
}

// TestAnAttemptThatHangs: the worker has the event's task in hand for longer than a query waits.
func TestAnAttemptThatHangs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Busy, run.Silent = true, serviceerror.NewDeadlineExceeded("no")
	retrying := webhook.DeliveryReport{Status: webhook.Retrying}
	_, id := r.carriedOn(a, 1, &orchestratortest.Run{Report: retrying})
	got := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
	require.Equal(t, "delivering", got.Status)
	require.Equal(t, webhook.Pending, got.Deliveries[0].Status)
	require.Empty(t, got.Deliveries[0].WorkflowID)
	require.Equal(t, webhook.Retrying, got.Deliveries[1].Status)
	require.Equal(t, id, got.Deliveries[1].WorkflowID)
}

// TestNobodyIsLeftToBegin: the event was terminated before it could start its delivery.
func TestNobodyIsLeftToBegin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Status = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
	run.Report = reportOf(a, webhook.EventDelivering, ok, webhook.DeliveryReport{Status: webhook.Pending, WorkflowID: "never"})
	got := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
	require.Equal(t, "failed", got.Status)
	require.Equal(t, webhook.Cancelled, got.Deliveries[1].Status)
}

func TestARedeliveryThatSucceeded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	_, id := r.carriedOn(a, 1, &orchestratortest.Run{Report: ok, Status: completed})
	run.Status = completed
	run.Report = reportOf(a, webhook.EventFailed, ok, webhook.DeliveryReport{Status: webhook.Exhausted, Reason: "the schedule is spent", WorkflowID: id})
	got := read[event](t, r.do("GET", "/events/"+a.ID, ""), 200)
	require.Equal(t, "delivered", got.Status)
	require.Empty(t, got.Deliveries[1].Reason)
}

func TestAPausedWorkflowIsOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	run.Status = enums.WORKFLOW_EXECUTION_STATUS_PAUSED
	run.Report = reportOf(a, webhook.EventDelivering, ok, webhook.DeliveryReport{Status: webhook.Pending})
	require.Equal(t, "delivering", read[event](t, r.do("GET", "/events/"+a.ID, ""), 200).Status)
}

func TestAThousandDeliveriesAndOneThatNobodyTells(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, run := r.post()
	report := workflows.EventReport{Status: webhook.EventDelivering}
	for i := range 1000 {
		id := fmt.Sprint("d", i)
		d := webhook.DeliveryReport{EndpointID: id, Status: webhook.Retrying, WorkflowID: id}
		report.Deliveries = append(report.Deliveries, d)
		r.temporal.Put(named(id, &orchestratortest.Run{Report: d}))
	}
	run.Report = report
	require.Len(t, read[event](t, r.do("GET", "/events/"+a.ID, ""), 200).Deliveries, 1000)

	r.temporal.Run("d500").Silent = serviceerror.NewDeadlineExceeded("no")
	refused(t, r.do("GET", "/events/"+a.ID, ""), 503, api.Unavailable)
}

func TestListEvents(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, of := range []struct {
		outcome string
		status  enums.WorkflowExecutionStatus
	}{
		{"delivered", enums.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		{"delivering", enums.WORKFLOW_EXECUTION_STATUS_TERMINATED},
		{"delivered", enums.WORKFLOW_EXECUTION_STATUS_COMPLETED},
		{"delivering", enums.WORKFLOW_EXECUTION_STATUS_RUNNING},
	} {
		r.temporal.Put(&orchestratortest.Run{
			ID: fmt.Sprint("event/acme/evt_", 4-i), RunID: "run", Type: workflows.TypeEvent, Status: of.status,
			Start:      time.Date(2026, 1, 2, 3, 4, i, 0, time.UTC),
			Attributes: map[string]string{"Tenant": "acme", "EventType": "a.b", "Outcome": of.outcome},
		})
	}
	list := func(query string) (data, next string) {
		page := read[struct {
			Data json.RawMessage
			Next string `json:"next_cursor"`
		}](t, r.do("GET", "/events"+query, ""), 200)
		return string(page.Data), page.Next
	}
	item := func(n int, status string) string {
		return fmt.Sprintf(`{"id":"evt_%[1]d","type":"a.b","status":%[2]q,"accepted_at":"2026-01-02T03:04:0%[3]dZ","workflow_id":"event/acme/evt_%[1]d","run_id":"run"}`, n, status, 4-n)
	}
	data, next := list("?limit=3")
	require.Equal(t, "["+item(1, "delivering")+","+item(2, "delivered")+","+item(3, "failed")+"]", data)
	data, last := list("?limit=3&cursor=" + next)
	require.Equal(t, "["+item(4, "delivered")+"]", data)
	require.Empty(t, last)

	const filters = "type=a.b&status=delivered&after=2026-01-01T01:00:00%2B01:00&before=2026-02-01T00:00:00.5Z"
	before := len(r.temporal.Lists)
	data, next = list("?limit=1&" + filters)
	require.Equal(t, "["+item(2, "delivered")+"]", data)
	asked := r.temporal.Lists[before]
	require.Empty(t, asked.GetNextPageToken())
	require.Equal(t, "WorkflowType = 'Event' AND Tenant = 'acme' AND EventType = 'a.b' AND Outcome = 'delivered'"+
		" AND StartTime > '2026-01-01T00:00:00Z' AND StartTime < '2026-02-01T00:00:00.5Z' AND ExecutionStatus = 'Running'", asked.GetQuery())
	data, _ = list("?" + filters + "&cursor=" + next)
	require.Equal(t, "["+item(4, "delivered")+"]", data)

	for _, stale := range []string{next, next + "A", "bW9yZQ", "!"} {
		p := refused(t, r.do("GET", "/events?cursor="+stale, ""), 422, webhook.Invalid)
		require.Equal(t, "cursor", p.Errors[0].Field)
	}
	for query, field := range map[string]string{
		"type=a'b": "type", "status=lost": "status", "after=now": "after", "before=x": "before", "limit=0": "limit", "limit=251": "limit",
		"limit=x": "limit", "cursor=%21": "cursor", "colour=red": "colour",
	} {
		p := refused(t, r.do("GET", "/events?"+query, ""), 422, webhook.Invalid)
		require.Equal(t, field, p.Errors[0].Field, query)
	}
}

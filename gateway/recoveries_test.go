package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// recovery is how far a recovery is, and the answer to its start.
type recovery struct {
	Status, Reason, By          string
	DryRun                      bool `json:"dry_run"`
	Found, Redelivered, Skipped int
	Since, Until                time.Time
	RatePerSecond               float64 `json:"rate_per_second"`
	WorkflowID                  string  `json:"workflow_id"`
	RunID                       string  `json:"run_id"`
}

var noon = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

// recovering is a rig at noon with an endpoint, and three deliveries to it that ended undelivered.
func recovering(t *testing.T) (r *rig, path string) {
	t.Helper()
	r = newRigWith(t, func(c *gateway.Config) { c.Now = func() time.Time { return noon } })
	id := r.endpoint(`{"url":"https://example.com"}`)
	for i := range 3 {
		r.temporal.Put(&orchestratortest.Run{
			ID: workflows.DeliveryWorkflowID("acme", fmt.Sprint("evt_", i), id), Type: workflows.TypeDelivery, Status: completed, Start: noon.Add(-time.Hour),
			Attributes: map[string]string{"Tenant": "acme", "Endpoint": id, "Outcome": string(webhook.Exhausted)},
		})
	}
	return r, "/endpoints/" + id + "/recover"
}

func TestRecoverFromStartToEnd(t *testing.T) {
	t.Parallel()
	r, path := recovering(t)
	refused(t, r.do("GET", path, ""), 404, webhook.NotFound)
	refused(t, r.do("DELETE", path, ""), 404, webhook.NotFound)

	dry := read[recovery](t, r.do("POST", path, `{"since":"2026-02-02T12:00:00Z","dry_run":true}`), 202)
	require.Equal(t, recovery{DryRun: true, Found: 3}, dry)
	require.Zero(t, r.temporal.Starts())

	got := read[recovery](t, r.do("POST", path, `{"since":"2026-02-02T13:00:00+01:00","rate_per_second":0.5}`), 202)
	require.Equal(t, recovery{Found: 3, WorkflowID: got.WorkflowID, RunID: "run-of-" + got.WorkflowID}, got)
	run := r.temporal.Run(got.WorkflowID)
	var in workflows.RecoveryInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(run.Input, &in))
	endpointID := in.Window.EndpointID
	require.Equal(t, workflows.RecoveryWorkflowID("acme", endpointID), got.WorkflowID)
	require.Equal(t, workflows.RecoveryInput{
		Window:        webhook.Window{Tenant: "acme", EndpointID: endpointID, Since: noon.Add(-24 * time.Hour), Until: noon},
		RatePerSecond: 0.5, Instruction: webhook.Instruction{By: "tester"},
	}, in)
	require.Equal(t, "recover "+endpointID+" since 2026-02-02T12:00:00Z", run.Options.StaticSummary)
	require.Equal(t, workflows.TaskQueue, run.Options.TaskQueue)
	require.Equal(t, 2, run.Options.TypedSearchAttributes.Size())

	p := refused(t, r.do("POST", path, `{"since":"2026-02-02T12:00:00Z"}`), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "is running")

	run.Report = workflows.RecoveryReport{Found: 3, Redelivered: 1, Skipped: 1}
	want := recovery{
		Status: "running", By: "tester", Found: 3, Redelivered: 1, Skipped: 1, Since: noon.Add(-24 * time.Hour), Until: noon, RatePerSecond: 0.5,
		WorkflowID: got.WorkflowID, RunID: got.RunID,
	}
	require.Equal(t, want, read[recovery](t, r.do("GET", path, ""), 200))

	require.Equal(t, got.WorkflowID, read[recovery](t, r.do("DELETE", path, ""), 202).WorkflowID)
	want.Status, want.Reason = "cancelled", "its workflow was cancelled"
	require.Equal(t, want, read[recovery](t, r.do("GET", path, ""), 200))
	p = refused(t, r.do("DELETE", path, ""), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "cancelled")
	require.Equal(t, 202, r.do("POST", path, `{"since":"2026-02-02T12:00:00Z"}`).Code, "an ended one may be followed by another")
}

// TestRecoveryOfUnmatchedEvents: in place of what the endpoint missed.
func TestRecoveryOfUnmatchedEvents(t *testing.T) {
	t.Parallel()
	r, path := recovering(t)
	got := read[recovery](t, r.do("POST", path, `{"since":"1h","unmatched":true}`), 202)
	run := r.temporal.Run(got.WorkflowID)
	var in workflows.RecoveryInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(run.Input, &in))
	require.True(t, in.Window.Unmatched)
	require.Contains(t, run.Options.StaticSummary, "unmatched events for ep_")
	run.Status, run.Report = completed, workflows.RecoveryReport{Found: 2, Redelivered: 1, Stopped: "the endpoint was deleted"}
	answer := r.do("GET", path, "")
	shown := read[recovery](t, answer, 200)
	require.Equal(t, "failed: the endpoint was deleted", shown.Status+": "+shown.Reason)
	require.Contains(t, answer.Body.String(), `"unmatched":true`)
	for _, body := range []string{`{"since":"1h","unmatched":"yes"}`, `{"since":"1h","unmatched":1}`, `{"since":"1h","event_id":"evt_1","unmatched":true}`} {
		refused(t, r.do("POST", path, body), 422, webhook.Invalid)
	}
	refused(t, r.do("POST", path, `{"unmatched":true}`), 422, webhook.Invalid)
}

func TestRecoveryReports(t *testing.T) {
	t.Parallel()
	done := workflows.RecoveryReport{Found: 2, Redelivered: 2, Done: true}
	silent := serviceerror.NewDeadlineExceeded("no")
	for name, c := range map[string]struct {
		run            orchestratortest.Run
		status, reason string
		found          int
	}{
		"just started": {orchestratortest.Run{Fresh: true, Silent: silent}, "running", "", 0},
		"completed":    {orchestratortest.Run{Status: completed, Report: done, Silent: silent}, "completed", "", 2},
		"terminated":   {orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, Report: done}, "cancelled", "its workflow was terminated", 2},
		"failed":       {orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_FAILED, Report: done}, "failed", "its workflow failed", 2},
		"cancelled, and no worker": {
			orchestratortest.Run{Status: enums.WORKFLOW_EXECUTION_STATUS_CANCELED, Silent: silent}, "cancelled", "its workflow was cancelled" + untold, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, path := recovering(t)
			id := read[recovery](t, r.do("POST", path, `{"since":"2026-02-02T12:00:00Z"}`), 202).WorkflowID
			run := r.temporal.Run(id)
			run.Fresh, run.Silent, run.Status, run.Report = c.run.Fresh, c.run.Silent, c.run.Status, c.run.Report
			got := read[recovery](t, r.do("GET", path, ""), 200)
			require.Equal(t, c.status, got.Status)
			require.Equal(t, c.reason, got.Reason)
			require.Equal(t, c.found, got.Found)
		})
	}
	r, path := recovering(t)
	id := read[recovery](t, r.do("POST", path, `{"since":"2026-02-02T12:00:00Z"}`), 202).WorkflowID
	r.temporal.Run(id).Silent = silent
	refused(t, r.do("GET", path, ""), 503, api.Unavailable)
}

func TestRecoveriesThatCannotBe(t *testing.T) {
	t.Parallel()
	r, path := recovering(t)
	for body, field := range map[string]string{
		`{}`:                    "since",
		`{"since":null}`:        "since",
		`{"since":"0s"}`:        "since",
		`{"since":"-1h"}`:       "since",
		`{"since":"yesterday"}`: "since",
		`{"since":1738411200}`:  "since",
		`{"since":"2026-02-01T00:00:00Z","until":"9999-12-31T23:59:59-23:59"}`:           "until",
		`{"since":"2026-02-03T12:00:00Z"}`:                                               "since",
		`{"since":"2026-02-01T00:00:00Z","until":7}`:                                     "until",
		`{"since":"2026-02-01T00:00:00Z","till":7}`:                                      "till",
		`{"since":"2026-02-01T00:00:00Z","dry_run":"yes"}`:                               "dry_run",
		`{"since":"2026-02-01T00:00:00Z","rate_per_second":"fast"}`:                      "rate_per_second",
		`{"since":"2026-02-01T00:00:00Z","rate_per_second":0.01}`:                        "rate_per_second",
		`{"since":"2026-02-01T00:00:00Z","rate_per_second":1001}`:                        "rate_per_second",
		`{"since":"2026-02-01T00:00:00Z","until":"2026-01-31T23:00:00Z"}`:                "since",
		`{"since":"2026-02-01T00:00:00Z","since":"2026-02-01T00:00:00Z","dry_run":true}`: "since",
	} {
		p := refused(t, r.do("POST", path, body), 422, webhook.Invalid)
		require.Equal(t, field, p.Errors[0].Field, body)
	}
	refused(t, r.do("POST", path, ""), 415, api.UnsupportedMediaType)
	const since = `{"since":"2026-02-01T00:00:00Z"}`
	refused(t, r.do("POST", "/endpoints/ep_01jzc8k0a2n4p6r8s0t2v4w6x8/recover", since), 404, webhook.NotFound)
	refused(t, r.do("POST", "=/v1/tenants/other"+path, since), 404, webhook.NotFound)
	for _, method := range []string{"GET", "DELETE"} {
		refused(t, r.do(method, "/endpoints/ep_x/recover", ""), 404, webhook.NotFound)
	}
	r.temporal.Down = serviceerror.NewUnavailable("no")
	for _, method := range []string{"GET", "DELETE"} {
		refused(t, r.do(method, path, ""), 503, api.Unavailable)
	}
	refused(t, r.do("POST", path, since), 503, api.Unavailable)
	require.Zero(t, r.temporal.Starts())
}

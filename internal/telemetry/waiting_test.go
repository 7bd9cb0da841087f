package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/telemetry"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// counts answers questions; those it does not know with 0.
type counts struct {
	known map[string]int64
	err   *error
	asked *int
}

func (c counts) CountWorkflow(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	if c.asked != nil {
		*c.asked++
	}
	if c.err != nil && *c.err != nil {
		return nil, *c.err
	}
	return &workflowservice.CountWorkflowExecutionsResponse{Count: c.known[r.GetQuery()]}, nil
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var failing error
		asked, queries := 0, telemetry.Questions()
		known := map[string]int64{queries[0]: 2, queries[3]: 12345}
		told := newTold(t)
		var log bytes.Buffer
		require.NoError(t, told.Watch(counts{known, &failing, &asked}, slog.New(slog.NewTextHandler(&log, nil))))
		names := []string{"hookloop_approvals_waiting", "hookloop_deliveries_waiting"}
		seen := `
# HELP hookloop_approvals_waiting Endpoints that keep failing and wait for a person's decision.
# TYPE hookloop_approvals_waiting gauge
hookloop_approvals_waiting 2
# HELP hookloop_deliveries_waiting Deliveries that were not made at the first attempt and go on: pending, retrying, held, or awaiting-approval because their event may go in circles.
# TYPE hookloop_deliveries_waiting gauge
hookloop_deliveries_waiting{status="awaiting-approval"} 0
hookloop_deliveries_waiting{status="held"} 12345
hookloop_deliveries_waiting{status="pending"} 0
hookloop_deliveries_waiting{status="retrying"} 0
`
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(seen), names...))
		require.Equal(t, 5, asked)
		known[queries[0]] = 0
		time.Sleep(29 * time.Second) //nolint:forbidigo // of the bubble
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(seen), names...), "a busy scraper asks no more")
		require.Equal(t, 5, asked)

		failing = errors.New("no Temporal")
		time.Sleep(time.Second) //nolint:forbidigo // of the bubble
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(""), names...), "nothing rather than what was")
		require.Equal(t, 6, asked)
		require.Contains(t, log.String(), "no Temporal")

		failing = nil
		time.Sleep(30 * time.Second) //nolint:forbidigo // of the bubble
		require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(strings.Replace(seen, "waiting 2", "waiting 0", 1)), names...))
	})
}

// TestQuestions pins them to the words of the workflows: telemetry imports none of them.
func TestQuestions(t *testing.T) {
	t.Parallel()
	ask := func(kind, status string) string {
		return `WorkflowType = "` + kind + `" AND ` + workflows.Outcome.GetName() + ` = "` + status + `" AND ExecutionStatus = "Running"`
	}
	want := []string{ask("Approval", string(webhook.ApprovalAwaiting))}
	for _, s := range []webhook.DeliveryStatus{
		webhook.Pending, webhook.Retrying, webhook.Held, webhook.Delivered, webhook.Exhausted, webhook.Rejected, webhook.Cancelled,
	} {
		if !s.Ended() {
			want = append(want, ask("Delivery", string(s)))
		}
	}
	want = append(want, ask("Delivery", string(webhook.ApprovalAwaiting)))
	require.Equal(t, want, telemetry.Questions())
}

package audit_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/attemptlog"
	"hookloop/internal/audit"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// rowsOf reads the rows of one history.
func rowsOf(t *testing.T, h *historypb.History) ([]attemptlog.Row, error) {
	t.Helper()
	of := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes()
	c := orchestratortest.New()
	c.Put(&orchestratortest.Run{ID: of.GetWorkflowId(), RunID: of.GetOriginalExecutionRunId(), History: h})
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	return audit.NewAttempts(o.Histories(), nil).Rows(t.Context(), attemptlog.Run{WorkflowID: of.GetWorkflowId(), RunID: of.GetOriginalExecutionRunId()})
}

// TestEveryAttemptOfAHistoryIsARow compares with the trail, which people read.
func TestEveryAttemptOfAHistoryIsARow(t *testing.T) {
	t.Parallel()
	total, deferred := 0, 0
	for _, kind := range []string{"Event", "Delivery"} {
		files, err := filepath.Glob(histories + "/" + kind + "/*.json")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			h := recorded(t, kind+"/"+filepath.Base(file))
			rows, err := rowsOf(t, h)
			require.NoError(t, err, file)
			made := 0
			for _, r := range rows {
				require.Regexp(t, "^ep_[0-9a-z]{26}$", r.EndpointID, file)
				require.NotEmpty(t, r.EventType, file)
				require.Len(t, r.Run, 8)
				if r.Attempted() {
					made++
				} else {
					deferred++
				}
			}
			require.Equal(t, attemptsIn(t, h), made, file)
			total += made
		}
	}
	require.Greater(t, total, 50)
	require.Positive(t, deferred)
}

// attemptsIn counts results that hold an attempt, whatever holds them.
func attemptsIn(t *testing.T, h *historypb.History) (n int) {
	t.Helper()
	for _, e := range h.GetEvents() {
		all := e.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads()
		all = append(all, e.GetMarkerRecordedEventAttributes().GetDetails()["result"].GetPayloads()...)
		for _, p := range all {
			var r struct {
				Attempt *webhook.Attempt `json:"attempt"`
			}
			if converter.GetDefaultDataConverter().FromPayload(p, &r) == nil && r.Attempt != nil {
				n++
			}
		}
	}
	return n
}

// TestAResetRunHasTheAttemptsOfTheRunBeforeUnderItsName: they are not there twice.
func TestAResetRunHasTheAttemptsOfTheRunBeforeUnderItsName(t *testing.T) {
	t.Parallel()
	h := recorded(t, "Delivery/v0.1.0-probe-failed.json")
	before, err := rowsOf(t, h)
	require.NoError(t, err)
	require.Greater(t, len(before), 1)
	reset := &historypb.History{}
	for _, e := range h.GetEvents() {
		reset.Events = append(reset.Events, e)
		if e.GetActivityTaskCompletedEventAttributes() != nil && len(reset.GetEvents()) > 0 {
			break
		}
	}
	n := len(reset.GetEvents())
	reset.Events = append(reset.Events, &historypb.HistoryEvent{
		EventId: int64(n + 1), EventType: enums.EVENT_TYPE_WORKFLOW_TASK_FAILED,
		Attributes: &historypb.HistoryEvent_WorkflowTaskFailedEventAttributes{WorkflowTaskFailedEventAttributes: &historypb.WorkflowTaskFailedEventAttributes{
			Cause: enums.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW, NewRunId: "another-run",
		}},
	})
	reset.Events = append(reset.Events, h.GetEvents()[n:]...)
	rows, err := rowsOf(t, reset)
	require.NoError(t, err)
	require.Equal(t, before[0], rows[0])
	require.Len(t, rows, len(before))
	require.Equal(t, "ther-run", rows[1].Run)
}

func TestAnEncryptedHistoryHasNoRowsToRead(t *testing.T) {
	t.Parallel()
	h := recorded(t, "Event/v0.1.0-delivered.json")
	in := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()[0]
	in.Metadata[converter.MetadataEncoding] = []byte(webhook.EncodingEncrypted)
	_, err := rowsOf(t, h)
	require.ErrorIs(t, err, attemptlog.ErrShut)
}

func TestRunsThatMakeAttemptsAreListed(t *testing.T) {
	t.Parallel()
	c, event, delivery := newTemporal(t, "v0.1.0-retried")
	c.Put(&orchestratortest.Run{ID: "approval/retried/ep_1", Type: workflows.TypeApproval})
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	h := c.Run(event).History.GetEvents()
	runs, next, err := audit.NewAttempts(o.Histories(), nil).Attempted(t.Context(), "", h[0].GetEventTime().AsTime(), h[len(h)-1].GetEventTime().AsTime(), nil)
	require.NoError(t, err)
	require.Empty(t, next)
	var ids []string
	for _, r := range runs {
		ids = append(ids, r.WorkflowID)
	}
	require.ElementsMatch(t, []string{event, delivery}, ids)
}

package audit

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/activities"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// AttemptHistories lists the runs that attempts are made in, and reads what they did;
// orchestrator.Histories does.
type AttemptHistories interface {
	Events(ctx context.Context, workflowID, runID string) iter.Seq2[*historypb.HistoryEvent, error]
	Attempted(ctx context.Context, tenant string, after, before time.Time, size int, page []byte) ([]orchestrator.Execution, []byte, error)
}

// Attempts reads out of histories what the attempt log keeps.
type Attempts struct {
	histories AttemptHistories
	codec     converter.PayloadCodec
}

var _ attemptlog.Histories = (*Attempts)(nil)

// NewAttempts reads histories, and opens what is encrypted with codec.
func NewAttempts(h AttemptHistories, codec converter.PayloadCodec) *Attempts {
	return &Attempts{histories: h, codec: codec}
}

// Attempted lists runs of events and deliveries that were there at some time between two.
func (a *Attempts) Attempted(ctx context.Context, tenant string, after, before time.Time, page []byte) ([]attemptlog.Run, []byte, error) {
	listed, next, err := a.histories.Attempted(ctx, tenant, after, before, pageSize, page)
	if err != nil {
		return nil, nil, err
	}
	runs := make([]attemptlog.Run, len(listed))
	for i, x := range listed {
		runs[i] = attemptlog.Run{WorkflowID: x.WorkflowID, RunID: x.RunID}
	}
	return runs, next, nil
}

// Rows are those of the attempts that a run made.
func (a *Attempts) Rows(ctx context.Context, r attemptlog.Run) ([]attemptlog.Row, error) {
	b := &rowBuilder{scheduled: map[int64]*historypb.ActivityTaskScheduledEventAttributes{}}
	for e, err := range a.histories.Events(ctx, r.WorkflowID, r.RunID) {
		if err != nil {
			return nil, err
		}
		if _, err := Open(ctx, a.codec, e); err != nil {
			return nil, err
		}
		b.event(e)
		if b.shut {
			return nil, attemptlog.ErrShut
		}
	}
	return b.rows, nil
}

// rowBuilder reads a history.
type rowBuilder struct {
	trailBuilder // reads payloads

	rows      []attemptlog.Row
	run       string        // that made what the events at hand tell
	of        webhook.Event // that the workflow is about
	accepted  time.Time     // when its workflow started
	scheduled map[int64]*historypb.ActivityTaskScheduledEventAttributes
}

func (b *rowBuilder) event(e *historypb.HistoryEvent) {
	switch e.GetEventType() {
	case enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		b.began(e)
	case enums.EVENT_TYPE_WORKFLOW_TASK_FAILED:
		// A run that was reset begins with a copy of the run before it.
		if f := e.GetWorkflowTaskFailedEventAttributes(); f.GetCause() == enums.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW {
			b.run = f.GetNewRunId()
		}
	case enums.EVENT_TYPE_MARKER_RECORDED:
		b.marker(e)
	case enums.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
		b.scheduled[e.GetEventId()] = e.GetActivityTaskScheduledEventAttributes()
	case enums.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
		done := e.GetActivityTaskCompletedEventAttributes()
		asked := b.scheduled[done.GetScheduledEventId()]
		if asked.GetActivityType().GetName() != workflows.AttemptActivity {
			return
		}
		t, _ := read[activities.Turn](&b.trailBuilder, only(asked.GetInput()))
		if r, _ := read[activities.TurnResult](&b.trailBuilder, only(done.GetResult())); r.Attempt != nil {
			b.rows = append(b.rows, attemptlog.NewRow(t.Event, t.EndpointID, b.run, *r.Attempt))
		}
	default:
	}
}

// began reads what the workflow is about.
func (b *rowBuilder) began(e *historypb.HistoryEvent) {
	a := e.GetWorkflowExecutionStartedEventAttributes()
	b.run, b.accepted = a.GetOriginalExecutionRunId(), e.GetEventTime().AsTime()
	if a.GetWorkflowType().GetName() == workflows.TypeEvent {
		in, _ := read[workflows.EventInput](&b.trailBuilder, only(a.GetInput()))
		b.of = in.Event
	}
}

// marker reads a turn of the fast lane, of which the summary alone says whose it was: arguments are
// not recorded.
func (b *rowBuilder) marker(e *historypb.HistoryEvent) {
	m := e.GetMarkerRecordedEventAttributes()
	if m.GetMarkerName() != "LocalActivity" || m.GetFailure() != nil {
		return
	}
	turn, endpointID, ok := strings.Cut(b.summary(e), " → ")
	if !ok || !strings.HasPrefix(turn, "attempt ") {
		return
	}
	r, _ := read[activities.TurnResult](&b.trailBuilder, only(m.GetDetails()["result"]))
	var number int
	_, _ = fmt.Sscanf(turn, "attempt %d", &number)
	switch {
	case r.Attempt != nil:
		b.rows = append(b.rows, attemptlog.NewRow(b.of, endpointID, b.run, *r.Attempt))
	case r.Deferral != nil && number == 1:
		b.rows = append(b.rows, attemptlog.NewDeferral(b.of, endpointID, b.run, b.accepted, *r.Deferral))
	}
}

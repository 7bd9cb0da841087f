package audit

import (
	"context"
	"iter"
	"slices"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// pageSize is how many deliveries with a workflow of their own are read for one page.
const pageSize = 100

// Histories finds runs of workflows and reads what they did; orchestrator.Histories does. Its
// errors carry webhook.NotFound when Temporal does not know a run, or no more.
type Histories interface {
	Events(ctx context.Context, workflowID, runID string) iter.Seq2[*historypb.HistoryEvent, error]
	// Deliveries lists the runs of an event's deliveries.
	Deliveries(ctx context.Context, tenant, eventID string, size int, page []byte) ([]orchestrator.Execution, []byte, error)
	// During lists the runs of a tenant that were there after one time and before another; a zero
	// time is no bound.
	During(ctx context.Context, tenant string, after, before time.Time, size int, page []byte) ([]orchestrator.Execution, []byte, error)
}

// Audits reads what Temporal still has. What has passed its retention is in an archive, if there is
// one.
type Audits struct {
	histories Histories
	codec     converter.PayloadCodec
}

// New reads histories, and opens what is encrypted with codec.
func New(h Histories, codec converter.PayloadCodec) *Audits {
	return &Audits{histories: h, codec: codec}
}

// Page is a part of an event's trail, the oldest line first.
type Page struct {
	Lines     []Line
	Encrypted bool   // some of it did not open
	Next      []byte // asks for the next part; nil: this is the last
}

// Event tells what happened to an event: what its own workflow did, and those of its deliveries,
// redeliveries too. The first part has the event's own lines and those of the first hundred
// workflows of deliveries, the next part those of the next hundred. The error carries
// webhook.NotFound when Temporal does not know the event, or no more.
func (a *Audits) Event(ctx context.Context, tenant, id string, after []byte) (p Page, err error) {
	var own []*historypb.HistoryEvent
	if len(after) == 0 {
		if own, err = a.read(ctx, run{id: workflows.EventWorkflowID(tenant, id)}, &p); err != nil {
			return p, err
		}
	}
	listed, next, err := a.histories.Deliveries(ctx, tenant, id, pageSize, after)
	if err != nil {
		return p, err
	}
	p.Next = next
	var runs []run
	if len(next) == 0 {
		runs = children(own)
	}
	return p, a.readAll(ctx, append(runs, runsOf(listed)...), &p)
}

// run is one run of a workflow; without a run id, the latest.
type run struct{ id, runID string }

func runsOf(listed []orchestrator.Execution) []run {
	all := make([]run, len(listed))
	for i, x := range listed {
		all[i] = run{x.WorkflowID, x.RunID}
	}
	return all
}

// children are the deliveries an event has started: visibility may not have heard of them yet.
func children(events []*historypb.HistoryEvent) (all []run) {
	for _, e := range events {
		if x := e.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution(); x != nil {
			all = append(all, run{x.GetWorkflowId(), x.GetRunId()})
		}
	}
	return all
}

// readAll reads each run once. One that is gone, by retention or because a person deleted it, is
// left out.
func (a *Audits) readAll(ctx context.Context, runs []run, into *Page) error {
	done := map[run]bool{}
	for _, r := range runs {
		if done[r] {
			continue
		}
		done[r] = true
		if _, err := a.read(ctx, r, into); err != nil && webhook.CodeOf(err) != webhook.NotFound {
			return err
		}
	}
	slices.SortStableFunc(into.Lines, func(x, y Line) int { return x.At.Compare(y.At) })
	return nil
}

func (a *Audits) read(ctx context.Context, r run, into *Page) (events []*historypb.HistoryEvent, err error) {
	for e, err := range a.histories.Events(ctx, r.id, r.runID) {
		if err != nil {
			return nil, err
		}
		if _, err := Open(ctx, a.codec, e); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil, nil
	}
	l := NewTrail(&historypb.History{Events: events})
	lines := slices.DeleteFunc(l.Lines, func(l Line) bool { return l.copied })
	for i := range lines {
		lines[i].EventID, lines[i].WorkflowID = eventIn(r.id), r.id
	}
	into.Lines, into.Encrypted = append(into.Lines, lines...), into.Encrypted || l.Encrypted
	return events, nil
}

package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/workflows"
)

// pageSize is how many deliveries with a workflow of their own are read for one page.
const pageSize = 100

// Client is the part of the Temporal client that is needed here; client.Client is one.
type Client interface {
	GetWorkflowHistory(ctx context.Context, workflowID, runID string, longPoll bool, filter enums.HistoryEventFilterType) client.HistoryEventIterator
	ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
}

var _ Client = client.Client(nil)

// Audits reads what Temporal still has. What has passed its retention is in an archive, if there is one.
type Audits struct {
	client Client
	codec  converter.PayloadCodec
}

// New reads through c, and opens what is encrypted with codec.
func New(c Client, codec converter.PayloadCodec) *Audits { return &Audits{client: c, codec: codec} }

// Page is a part of an event's ledger, the oldest line first.
type Page struct {
	Lines     []Line
	Encrypted bool   // some of it did not open
	Next      []byte // asks for the next part; nil: this is the last
}

// Event tells what happened to an event: what its own workflow did, and those of its deliveries, redeliveries too.
// The first part has the event's own lines and those of the first hundred workflows of deliveries, the next
// part those of the next hundred. The error is Temporal's; NotFound is an event it does not know, or no more.
func (a *Audits) Event(ctx context.Context, tenant, id string, after []byte) (p Page, err error) {
	var own []*historypb.HistoryEvent
	if len(after) == 0 {
		if own, err = a.read(ctx, run{id: workflows.EventWorkflowID(tenant, id)}, &p); err != nil {
			return p, err
		}
	}
	listed, err := a.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowId STARTS_WITH '%s'", workflows.DeliveryWorkflowID(tenant, id, "")), PageSize: pageSize, NextPageToken: after,
	})
	if err != nil {
		return p, err
	}
	p.Next = listed.GetNextPageToken()
	var runs []run
	if len(p.Next) == 0 {
		runs = children(own)
	}
	for _, x := range listed.GetExecutions() {
		runs = append(runs, run{x.GetExecution().GetWorkflowId(), x.GetExecution().GetRunId()})
	}
	return p, a.readAll(ctx, runs, &p)
}

// run is one run of a workflow; without a run id, the latest.
type run struct{ id, runID string }

// children are the deliveries an event has started: visibility may not have heard of them yet.
func children(events []*historypb.HistoryEvent) (all []run) {
	for _, e := range events {
		if x := e.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution(); x != nil {
			all = append(all, run{x.GetWorkflowId(), x.GetRunId()})
		}
	}
	return all
}

// readAll reads each run once. One that is gone, by retention or by somebody's hand, is left out.
func (a *Audits) readAll(ctx context.Context, runs []run, into *Page) error {
	done := map[run]bool{}
	for _, r := range runs {
		if done[r] {
			continue
		}
		done[r] = true
		_, err := a.read(ctx, r, into)
		if _, gone := errors.AsType[*serviceerror.NotFound](err); err != nil && !gone {
			return err
		}
	}
	slices.SortStableFunc(into.Lines, func(x, y Line) int { return x.At.Compare(y.At) })
	return nil
}

func (a *Audits) read(ctx context.Context, r run, into *Page) (events []*historypb.HistoryEvent, err error) {
	for it := a.client.GetWorkflowHistory(ctx, r.id, r.runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		e, err := it.Next()
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
	l := NewLedger(&historypb.History{Events: events})
	lines := slices.DeleteFunc(l.Lines, func(l Line) bool { return l.copied })
	for i := range lines {
		lines[i].EventID, lines[i].WorkflowID = eventIn(r.id), r.id
	}
	into.Lines, into.Encrypted = append(into.Lines, lines...), into.Encrypted || l.Encrypted
	return events, nil
}

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

// pageSize is how many runs of workflows are read for one page, if not said otherwise, and logLines
// how many lines of the change log for each of them.
const (
	pageSize = 100
	logLines = 5
)

// Histories finds runs of workflows and reads what they did; orchestrator.Histories does. Its
// errors carry webhook.NotFound when Temporal does not know a run, or no more.
type Histories interface {
	Events(ctx context.Context, workflowID, runID string) iter.Seq2[*historypb.HistoryEvent, error]
	// Deliveries lists the runs of an event's deliveries.
	Deliveries(ctx context.Context, tenant, eventID string, size int, page []byte) ([]orchestrator.Execution, []byte, error)
	// During lists the runs of a tenant that were there after one time and before another; a zero
	// time is no bound.
	During(ctx context.Context, tenant string, after, before time.Time, size int, page []byte) ([]orchestrator.Execution, []byte, error)
	// Episodes lists the runs of an endpoint's approvals that were there between two times.
	Episodes(ctx context.Context, tenant, endpointID string, after, before time.Time, size int) ([]orchestrator.Execution, error)
	// Proves says whether the id of an update proves that Hookloop sent it on this behalf.
	Proves(id, workflowID, update, by string, at time.Time) bool
}

// ChangeLog tells what became of settings, and who looked at secrets and payloads; the registry
// keeps it.
type ChangeLog interface {
	// Changes lists the oldest lines that lie behind a time; the zero time is no bound.
	Changes(ctx context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) ([]Line, error)
}

// Audits reads what Temporal still has, and the change log. What has passed Temporal's retention is
// in an archive, if there is one.
type Audits struct {
	histories Histories
	log       ChangeLog
	codec     converter.PayloadCodec
	now       func() time.Time
}

// changes are lines of the change log, with a sentence each.
func (a *Audits) changes(ctx context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) ([]Line, error) {
	if a.log == nil {
		return nil, nil
	}
	all, err := a.log.Changes(ctx, tenant, q, after, limit)
	return sentences(all), err
}

// changesOf are those lines, and beside them the ones about every tenant. Both lists are in the
// order of their times; a page ends between two times.
func (a *Audits) changesOf(ctx context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) ([]Line, bool, error) {
	own, err := a.changes(ctx, tenant, q, after, limit)
	if err != nil || q.EndpointID != "" || q.SourceID != "" || q.EventID != "" {
		return own, len(own) == limit, err
	}
	every, err := a.changes(ctx, webhook.EveryTenant, q, after, limit)
	full := len(own) == limit || len(every) == limit
	all := append(own, every...)
	sortLines(all)
	if !full && len(all) <= limit {
		return all, false, err
	}
	for end := min(limit, len(all)); end > 0; end-- {
		if end == len(all) || all[end].At.After(all[end-1].At) {
			return all[:end], true, err
		}
	}
	return all, true, err
}

// New reads histories and the change log (nil: there is none), and opens what is encrypted with
// codec.
func New(h Histories, log ChangeLog, codec converter.PayloadCodec) *Audits {
	return &Audits{histories: h, log: log, codec: codec, now: time.Now}
}

// Page is a part of what happened, the oldest line first.
type Page struct {
	Lines     []Line
	Encrypted bool   // some of it did not open
	Next      []byte // asks for the next part; nil: this is the last
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
	t := newTrail(events, trailBuilder{proves: a.histories.Proves})
	into.Lines, into.Encrypted = append(into.Lines, t.Lines...), into.Encrypted || t.Encrypted
	return events, nil
}

func sortLines(all []Line) {
	slices.SortStableFunc(all, func(x, y Line) int { return x.At.Compare(y.At) })
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

// left is what the change log has of an event that Temporal does not know any more: who read its
// data, and who had it erased. Of one that it never knew there is nothing.
func (a *Audits) left(ctx context.Context, tenant, id string, notFound error) (Page, error) {
	lines, err := a.changes(ctx, tenant, webhook.AuditQuery{EventID: id}, time.Time{}, logOfEndpoint)
	if err == nil && len(lines) == 0 {
		err = notFound
	}
	return Page{Lines: lines}, err
}

// Event tells what happened to an event: what its own workflow did and those of its deliveries,
// redeliveries too, the episodes of the endpoints that it met, and what became of their settings
// meanwhile. The first part has the event's own lines and what belongs to the first hundred
// workflows of deliveries, the next part what belongs to the next hundred. Of an event
// that Temporal does not know any more it tells what the change log has. The error carries
// webhook.NotFound when that is nothing.
func (a *Audits) Event(ctx context.Context, tenant, id string, after []byte) (p Page, err error) {
	var own []*historypb.HistoryEvent
	if len(after) == 0 {
		own, err = a.read(ctx, run{id: workflows.EventWorkflowID(tenant, id)}, &p)
		if webhook.CodeOf(err) == webhook.NotFound {
			return a.left(ctx, tenant, id, err)
		}
		if err != nil {
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
	if err := a.readAll(ctx, append(runs, runsOf(listed)...), &p); err != nil {
		return p, err
	}
	sortLines(p.Lines)
	if err := a.around(ctx, tenant, id, len(after) == 0, &p); err != nil {
		return p, err
	}
	sortLines(p.Lines)
	return p, nil
}

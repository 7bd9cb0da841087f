package orchestrator

import (
	"context"
	"fmt"
	"iter"
	"time"

	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Histories finds runs and reads their histories whole, as Temporal has them: what is encrypted
// stays so.
type Histories struct{ link }

// Histories is the part that reads histories.
func (o *Orchestrator) Histories() *Histories { return &Histories{o.link} }

// Events reads the history of a run, page by page; without a run id that of the latest. An error
// ends it: it carries webhook.NotFound when Temporal has no such run, or no more.
func (h *Histories) Events(ctx context.Context, workflowID, runID string) iter.Seq2[*historypb.HistoryEvent, error] {
	return func(yield func(*historypb.HistoryEvent, error) bool) {
		for it := h.client.GetWorkflowHistory(ctx, workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
			e, err := it.Next()
			if unknown(err) {
				err = webhook.Errorf(webhook.NotFound, "Temporal has no history of %s, or no more", workflowID)
			} else {
				err = failed(err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Deliveries lists the runs of an event's deliveries, redeliveries too: at most size of them, and
// where the next page begins; nil: that was the last. As every list it is a moment behind.
func (h *Histories) Deliveries(ctx context.Context, tenant, eventID string, size int, page []byte) ([]Execution, []byte, error) {
	return h.found(ctx, idBegins(workflows.DeliveryWorkflowID(tenant, eventID, "")), size, page)
}

// During lists the runs of a tenant that were there at some time after one and before another; a
// zero time is no bound.
func (h *Histories) During(ctx context.Context, tenant string, after, before time.Time, size int, page []byte) ([]Execution, []byte, error) {
	parts := []query{is(workflows.Tenant, tenant)}
	if !before.IsZero() {
		parts = append(parts, started("<", before))
	}
	if !after.IsZero() {
		parts = append(parts, either(closed(">", after), running))
	}
	return h.found(ctx, where(parts...), size, page)
}

// Attempted lists the runs of events and deliveries, which alone make attempts, that were there at
// some time after one and before another, of one tenant or, empty, of all.
func (h *Histories) Attempted(ctx context.Context, tenant string, after, before time.Time, size int, page []byte) ([]Execution, []byte, error) {
	parts := []query{
		ofType(workflows.TypeEvent, workflows.TypeDelivery), started("<", before), either(closed(">", after), running),
	}
	if tenant != "" {
		parts = append(parts, is(workflows.Tenant, tenant))
	}
	return h.found(ctx, where(parts...), size, page)
}

// Episodes lists the runs of an endpoint's approvals that were there after one time and before
// another, at most size of them.
func (h *Histories) Episodes(ctx context.Context, tenant, endpointID string, after, before time.Time, size int) ([]Execution, error) {
	all, _, err := h.found(ctx, where(
		ofType(workflows.TypeApproval), is(workflows.Tenant, tenant), is(workflows.Endpoint, endpointID),
		started("<", before), either(closed(">", after), running),
	), size, nil)
	return all, err
}

// Ended lists the runs of our workflows that ended in [from, to), of one tenant or, empty, of all.
// Others may live in the namespace; they are left out.
func (h *Histories) Ended(ctx context.Context, tenant string, from, to time.Time, size int, page []byte) ([]Execution, []byte, error) {
	parts := []query{
		ofType(workflows.TypeEvent, workflows.TypeDelivery, workflows.TypeApproval, workflows.TypeRecovery), closed(">=", from), closed("<", to),
	}
	if tenant != "" {
		parts = append(parts, is(workflows.Tenant, tenant))
	}
	return h.found(ctx, where(parts...), size, page)
}

func (h *Histories) found(ctx context.Context, q query, size int, page []byte) ([]Execution, []byte, error) {
	all, next, err := h.list(ctx, q, size, page)
	return all, next, failed(err)
}

// Known says whether Temporal still has an event.
func (h *Histories) Known(ctx context.Context, tenant, eventID string) (bool, error) {
	_, err := h.client.DescribeWorkflowExecution(ctx, workflows.EventWorkflowID(tenant, eventID), "")
	if unknown(err) {
		return false, nil
	}
	return err == nil, failed(err)
}

// Retention is how long Temporal keeps what has ended.
func (h *Histories) Retention(ctx context.Context) (time.Duration, error) {
	ns, err := h.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: h.namespace})
	if err != nil {
		return 0, fmt.Errorf("namespace %s: %w", h.namespace, err)
	}
	return ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(), nil
}

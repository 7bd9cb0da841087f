package redelivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

const (
	// pageSize is how many deliveries Undelivered looks at in one go: a recovery of ten a second
	// works on one page for ten seconds.
	pageSize = 100

	// countSize is the page of Count; its ids go into one query.
	countSize = 500

	// exactUpTo bounds what Count does for an exact number: two hundred queries, a few seconds.
	exactUpTo = 50_000
)

// Undelivered gives a page of the events of a window that were not delivered to its endpoint, and
// where the next page begins; a nil next was the last. A page may be empty without being the last.
// It asks for every delivery on the page how it ended last, so one that was redelivered meanwhile
// is not among them. An event that was stopped before its first attempt had no Delivery and is not
// found.
func (r *Redeliveries) Undelivered(ctx context.Context, w webhook.Window, page []byte) (eventIDs []string, next []byte, err error) {
	query, err := undelivered(w)
	if err != nil {
		return nil, nil, err
	}
	found, next, err := r.list(ctx, w, query, pageSize, page)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for _, id := range found {
		if seen[id] { // a delivery has a run for each redelivery
			continue
		}
		seen[id] = true
		still, err := r.endedUndelivered(ctx, workflows.DeliveryWorkflowID(w.Tenant, id, w.EndpointID))
		if err != nil {
			return nil, nil, err
		}
		if still {
			eventIDs = append(eventIDs, id)
		}
	}
	return eventIDs, next, nil
}

// Count says how many events Undelivered would give in all, as far as the visibility store knows,
// which is a moment behind. Beyond 50,000 runs it is not worked out which were redelivered
// meanwhile: the number is then an upper bound.
func (r *Redeliveries) Count(ctx context.Context, w webhook.Window) (int, error) {
	query, err := undelivered(w)
	if err != nil {
		return 0, err
	}
	runs, err := r.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	if err != nil {
		return 0, fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, err)
	}
	if n := int(runs.GetCount()); n == 0 || n > exactUpTo {
		return n, nil
	}
	all := map[string]bool{}
	for page := []byte(nil); ; {
		var found []string
		if found, page, err = r.list(ctx, w, query, countSize, page); err != nil {
			return 0, err
		}
		if err := r.tally(ctx, w, found, all); err != nil {
			return 0, err
		}
		if len(page) == 0 {
			return countTrue(all), nil
		}
	}
}

// tally notes of each event whether it still is undelivered: no other run of its delivery is under
// way or delivered it.
func (r *Redeliveries) tally(ctx context.Context, w webhook.Window, found []string, all map[string]bool) error {
	if len(found) == 0 {
		return nil
	}
	ids := make([]string, len(found))
	for i, id := range found {
		ids[i] = quoted(workflows.DeliveryWorkflowID(w.Tenant, id, w.EndpointID))
		all[id] = true
	}
	settled := fmt.Sprintf("WorkflowId IN (%s) AND (%s = 'delivered' OR ExecutionStatus = 'Running')",
		strings.Join(ids, ", "), workflows.Outcome.GetName())
	for page := []byte(nil); ; {
		var others []string
		var err error
		if others, page, err = r.list(ctx, w, settled, countSize, page); err != nil {
			return err
		}
		for _, id := range others {
			all[id] = false
		}
		if len(page) == 0 {
			return nil
		}
	}
}

func countTrue(all map[string]bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// list gives the event ids of one page of deliveries.
func (r *Redeliveries) list(ctx context.Context, w webhook.Window, query string, size int32, page []byte) ([]string, []byte, error) {
	found, err := r.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: size, NextPageToken: page, Query: query,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, err)
	}
	before, after, _ := strings.Cut(workflows.DeliveryWorkflowID(w.Tenant, "*", w.EndpointID), "*")
	ids := make([]string, len(found.GetExecutions()))
	for i, x := range found.GetExecutions() {
		ids[i] = strings.TrimSuffix(strings.TrimPrefix(x.GetExecution().GetWorkflowId(), before), after)
	}
	return ids, found.GetNextPageToken(), nil
}

// endedUndelivered asks for the latest run of a delivery. A history that is gone cannot be
// redelivered and so is no longer undelivered.
func (r *Redeliveries) endedUndelivered(ctx context.Context, workflowID string) (bool, error) {
	described, err := r.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", workflowID, err)
	}
	info := described.GetWorkflowExecutionInfo()
	return info.GetCloseTime() != nil && info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW &&
		r.outcome(info) != webhook.Delivered, nil
}

func (r *Redeliveries) outcome(info *workflowpb.WorkflowExecutionInfo) webhook.DeliveryStatus {
	var value string
	if payload := info.GetSearchAttributes().GetIndexedFields()[workflows.Outcome.GetName()]; payload != nil {
		_ = r.attributes.FromPayload(payload, &value) // an attribute of another type is not ours
	}
	return webhook.DeliveryStatus(value)
}

// undelivered is a window in visibility's language. A run that was terminated kept the Outcome it
// had; one that continued as new stands for the run after it.
func undelivered(w webhook.Window) (string, error) {
	if err := webhook.CheckTenant(w.Tenant); err != nil {
		return "", err
	}
	if w.EndpointID == "" || strings.ContainsAny(w.EndpointID, `'"\`) {
		return "", webhook.Invalidf("endpoint_id", "is not an endpoint's")
	}
	return strings.Join([]string{
		"WorkflowType = " + quoted(deliveryWorkflow),
		workflows.Tenant.GetName() + " = " + quoted(w.Tenant),
		workflows.Endpoint.GetName() + " = " + quoted(w.EndpointID),
		"ExecutionStatus != 'Running'",
		workflows.Outcome.GetName() + " != " + quoted(string(webhook.Delivered)),
		"StartTime >= " + quoted(w.Since.UTC().Format(time.RFC3339Nano)),
		"StartTime < " + quoted(w.Until.UTC().Format(time.RFC3339Nano)),
	}, " AND "), nil
}

func quoted(s string) string { return "'" + s + "'" }

package redelivery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/temporal"

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

	// readUpTo bounds the histories that Count reads for an exact number: a second or two.
	readUpTo = 500
)

// Undelivered gives a page of the events of a window that did not reach its endpoint, and where the next page
// begins; a nil next was the last. A page may be empty without being the last. It asks for every delivery
// on the page how it ended last, so one that was redelivered meanwhile is not among them. An event that was
// stopped before its first attempt had no Delivery and is not found.
func (r *Redeliveries) Undelivered(ctx context.Context, w webhook.Window, page []byte) (eventIDs []string, next []byte, err error) {
	lists, err := r.lists(ctx, w)
	if err != nil {
		return nil, nil, err
	}
	n, token, err := openPage(page, len(lists))
	if err != nil {
		return nil, nil, err
	}
	all, token, err := r.list(ctx, w, lists[n].query, pageSize, token)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for _, f := range all {
		if seen[f.eventID] { // a delivery has a run for each redelivery
			continue
		}
		seen[f.eventID] = true
		missed, err := r.missed(ctx, w, lists[n], f)
		if err != nil {
			return nil, nil, err
		}
		if missed {
			eventIDs = append(eventIDs, f.eventID)
		}
	}
	return eventIDs, nextPage(n, token, len(lists)), nil
}

// missed says of one that a list has whether it is to be redelivered now.
func (r *Redeliveries) missed(ctx context.Context, w webhook.Window, l list, f found) (bool, error) {
	concerned, err := r.concerns(ctx, w, l, f)
	if err != nil || !concerned {
		return false, err
	}
	return r.undelivered(ctx, w, l, f.eventID)
}

// Count says how many events Undelivered would give in all, as far as the visibility store knows,
// which is a moment behind. Beyond 50,000 runs it is not worked out which were redelivered
// meanwhile: the number is then an upper bound. It is one, too, beyond 500 events that were accepted while
// several endpoints were disabled: which ones, their histories alone say.
func (r *Redeliveries) Count(ctx context.Context, w webhook.Window) (int, error) {
	lists, err := r.lists(ctx, w)
	if err != nil {
		return 0, err
	}
	beyond, all := 0, map[string]bool{}
	for _, l := range lists {
		runs, err := r.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: l.query})
		if err != nil {
			return 0, fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, err)
		}
		n := int(runs.GetCount())
		if n > exactUpTo {
			beyond += n
			continue
		}
		l.unread = n > readUpTo
		if n == 0 {
			continue
		}
		if err := r.countIn(ctx, w, l, all); err != nil {
			return 0, err
		}
	}
	return beyond + countTrue(all), nil
}

// countIn notes the events of one list.
func (r *Redeliveries) countIn(ctx context.Context, w webhook.Window, l list, all map[string]bool) error {
	for page := []byte(nil); ; {
		listed, next, err := r.list(ctx, w, l.query, countSize, page)
		if err != nil {
			return err
		}
		var ids []string
		for _, f := range listed {
			if _, known := all[f.eventID]; known {
				continue
			}
			concerned, err := r.concerns(ctx, w, l, f)
			if err != nil {
				return err
			}
			if concerned {
				ids = append(ids, f.eventID)
			}
		}
		if err := r.tally(ctx, w, ids, all); err != nil {
			return err
		}
		if page = next; len(page) == 0 {
			return nil
		}
	}
}

// tally notes of each event whether it still is undelivered: no other run of its delivery is under
// way or delivered it.
func (r *Redeliveries) tally(ctx context.Context, w webhook.Window, ids []string, all map[string]bool) error {
	if len(ids) == 0 {
		return nil
	}
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = quoted(workflows.DeliveryWorkflowID(w.Tenant, id, w.EndpointID))
		all[id] = true
	}
	settled := fmt.Sprintf("WorkflowId IN (%s) AND (%s = 'delivered' OR ExecutionStatus = 'Running')",
		strings.Join(names, ", "), workflows.Outcome.GetName())
	for page := []byte(nil); ; {
		var others []found
		var err error
		if others, page, err = r.list(ctx, w, settled, countSize, page); err != nil {
			return err
		}
		for _, f := range others {
			all[f.eventID] = false
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

// found is a run that a list has.
type found struct {
	eventID   string
	eventType string
	endpoint  string // the search attribute
}

// list gives one page of runs.
func (r *Redeliveries) list(ctx context.Context, w webhook.Window, query string, size int32, page []byte) ([]found, []byte, error) {
	listed, err := r.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: size, NextPageToken: page, Query: query,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, err)
	}
	all := make([]found, len(listed.GetExecutions()))
	for i, x := range listed.GetExecutions() {
		all[i] = found{
			eventID:   eventIn(x.GetExecution().GetWorkflowId(), w),
			eventType: r.attribute(x, workflows.EventType), endpoint: r.attribute(x, workflows.Endpoint),
		}
	}
	return all, listed.GetNextPageToken(), nil
}

// eventIn is the event that a workflow is about: its delivery to the endpoint, or its own.
func eventIn(workflowID string, w webhook.Window) string {
	if id, own := strings.CutPrefix(workflowID, workflows.EventWorkflowID(w.Tenant, "")); own {
		return id
	}
	before, after, _ := strings.Cut(workflows.DeliveryWorkflowID(w.Tenant, "*", w.EndpointID), "*")
	return strings.TrimSuffix(strings.TrimPrefix(workflowID, before), after)
}

// undelivered asks for the latest run of a delivery. A Delivery whose history is gone cannot be redelivered
// and so is no longer undelivered; an event that never had one is.
func (r *Redeliveries) undelivered(ctx context.Context, w webhook.Window, l list, eventID string) (bool, error) {
	workflowID := workflows.DeliveryWorkflowID(w.Tenant, eventID, w.EndpointID)
	described, err := r.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if _, gone := errors.AsType[*serviceerror.NotFound](err); gone {
		return l.kind != deliveries, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", workflowID, err)
	}
	info := described.GetWorkflowExecutionInfo()
	if began := info.GetStartTime().AsTime(); l.kind == disabled && !began.Before(w.Since) && began.Before(w.Until) {
		return false, nil // the list of deliveries has it
	}
	return info.GetCloseTime() != nil && info.GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW &&
		webhook.DeliveryStatus(r.attribute(info, workflows.Outcome)) != webhook.Delivered, nil
}

func (r *Redeliveries) attribute(info *workflowpb.WorkflowExecutionInfo, k temporal.SearchAttributeKeyKeyword) string {
	var value string
	if payload := info.GetSearchAttributes().GetIndexedFields()[k.GetName()]; payload != nil {
		_ = r.attributes.FromPayload(payload, &value) // an attribute of another type is not ours
	}
	return value
}

package orchestrator

import (
	"context"
	"fmt"

	"go.temporal.io/api/enums/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

const (
	// undeliveredPage is how many deliveries Undelivered looks at in one go: a recovery of ten a
	// second works on one page for ten seconds.
	undeliveredPage = 100

	// countSize is the page of Count; its ids go into one query.
	countSize = 500

	// exactUpTo bounds what Count does for an exact number: two hundred queries, a few seconds.
	exactUpTo = 50_000

	// readUpTo bounds the histories that Count reads for an exact number: a second or two.
	readUpTo = 500
)

// Undelivered gives a page of the events of a window that did not reach its endpoint, and where the
// next page begins; a nil next was the last. A page may be empty without being the last. It asks
// for every delivery on the page how it ended last, so one that was redelivered meanwhile is not
// among them. An event that was stopped before its first attempt had no Delivery and is not found.
func (r *Redeliveries) Undelivered(ctx context.Context, w webhook.Window, page []byte) (eventIDs []string, next []byte, err error) {
	lists, err := r.lists(ctx, w)
	if err != nil {
		return nil, nil, err
	}
	n, token, err := openPage(page, len(lists))
	if err != nil {
		return nil, nil, err
	}
	all, token, err := r.look(ctx, w, lists[n].query, undeliveredPage, token)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for _, f := range all {
		id := f.eventID(w.Tenant, w.EndpointID)
		if seen[id] { // a delivery has a run for each redelivery
			continue
		}
		seen[id] = true
		missed, err := r.missed(ctx, w, lists[n], f)
		if err != nil {
			return nil, nil, err
		}
		if missed {
			eventIDs = append(eventIDs, id)
		}
	}
	return eventIDs, nextPage(n, token, len(lists)), nil
}

// missed says of one that a list has whether it is to be redelivered now.
func (r *Redeliveries) missed(ctx context.Context, w webhook.Window, l windowList, f Execution) (bool, error) {
	concerned, err := r.concerns(ctx, w, l, f)
	if err != nil || !concerned {
		return false, err
	}
	return r.undelivered(ctx, w, l, f.eventID(w.Tenant, w.EndpointID))
}

// Count says how many events Undelivered would give in all, as far as the visibility store knows,
// which is a moment behind. Beyond 50,000 runs it is not worked out which were redelivered
// meanwhile: the number is then an upper bound. It is one, too, beyond 500 events that were
// accepted while several endpoints were disabled: which ones, their histories alone say.
func (r *Redeliveries) Count(ctx context.Context, w webhook.Window) (int, error) {
	lists, err := r.lists(ctx, w)
	if err != nil {
		return 0, err
	}
	beyond, all := 0, map[string]bool{}
	for _, l := range lists {
		n, err := r.count(ctx, l.query)
		if err != nil {
			return 0, fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, failed(err))
		}
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
func (r *Redeliveries) countIn(ctx context.Context, w webhook.Window, l windowList, all map[string]bool) error {
	for page := []byte(nil); ; {
		listed, next, err := r.look(ctx, w, l.query, countSize, page)
		if err != nil {
			return err
		}
		var ids []string
		for _, f := range listed {
			id := f.eventID(w.Tenant, w.EndpointID)
			if _, known := all[id]; known {
				continue
			}
			concerned, err := r.concerns(ctx, w, l, f)
			if err != nil {
				return err
			}
			if concerned {
				ids = append(ids, id)
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
		names[i] = workflows.DeliveryWorkflowID(w.Tenant, id, w.EndpointID)
		all[id] = true
	}
	settled := where(idIn(names), either(is(workflows.Outcome, string(webhook.Delivered)), running))
	for f, err := range r.every(ctx, settled, countSize) {
		if err != nil {
			return fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, failed(err))
		}
		all[f.eventID(w.Tenant, w.EndpointID)] = false
	}
	return nil
}

func countTrue(all map[string]bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// look gives one page of the runs of a list.
func (r *Redeliveries) look(ctx context.Context, w webhook.Window, q query, size int, page []byte) ([]Execution, []byte, error) {
	found, next, err := r.list(ctx, q, size, page)
	if err != nil {
		return nil, nil, fmt.Errorf("undelivered to endpoint %s: %w", w.EndpointID, failed(err))
	}
	return found, next, nil
}

// undelivered asks for the latest run of a delivery. A Delivery whose history is gone cannot be
// redelivered and so is no longer undelivered; an event that never had one is.
func (r *Redeliveries) undelivered(ctx context.Context, w webhook.Window, l windowList, eventID string) (bool, error) {
	workflowID := workflows.DeliveryWorkflowID(w.Tenant, eventID, w.EndpointID)
	described, err := r.client.DescribeWorkflowExecution(ctx, workflowID, "")
	if unknown(err) {
		return l.kind != deliveries, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", workflowID, failed(err))
	}
	x := execution(described.GetWorkflowExecutionInfo())
	if l.kind == disabled && !x.Start.Before(w.Since) && x.Start.Before(w.Until) {
		return false, nil // the list of deliveries has it
	}
	return !x.End.IsZero() && x.status != enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW && x.outcome() != webhook.Delivered, nil
}

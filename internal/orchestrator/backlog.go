package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// backlogPage is how many deliveries of a backlog are listed at once.
const backlogPage = 500

// Backlog is what waits for one endpoint: it finds the deliveries that are held, and passes on to
// them what was decided. When and in which order is the Approval's to say, through an interface of
// the activities.
type Backlog struct{ link }

// Backlog is the part that speaks to deliveries.
func (o *Orchestrator) Backlog() *Backlog { return &Backlog{o.link} }

// Held counts the deliveries that are held, as the visibility store knows it.
func (b *Backlog) Held(ctx context.Context, tenant, endpointID string) (int, error) {
	n, err := b.count(ctx, held(tenant, endpointID))
	if err != nil {
		return 0, fmt.Errorf("deliveries held for %s: %w", endpointID, err)
	}
	return n, nil
}

// Count counts the deliveries that wait for the endpoint, of every status, as the visibility store
// knows it. A delivery that a person must let go, because its event goes in circles, waits for that
// person and is left out.
func (b *Backlog) Count(ctx context.Context, tenant, endpointID string) (int, error) {
	n, err := b.count(ctx, where(underWay(tenant, endpointID), isNot(workflows.Outcome, string(webhook.ApprovalAwaiting))))
	if err != nil {
		return 0, fmt.Errorf("deliveries that wait for %s: %w", endpointID, err)
	}
	return n, nil
}

// Oldest gives the events of the deliveries that are held, at most limit, those first that were
// accepted first.
func (b *Backlog) Oldest(ctx context.Context, tenant, endpointID string, limit int) ([]string, error) {
	ids, err := b.oldest(ctx, tenant, endpointID, held(tenant, endpointID), limit)
	if err != nil {
		return nil, fmt.Errorf("deliveries held for %s: %w", endpointID, err)
	}
	return ids, nil
}

// mostWaiting bounds what Waiting gives: some 10 MiB. A caller that has come to the end of it asks
// again.
const mostWaiting = 100_000

// Waiting gives the events of the deliveries under way that are not held, those first that were
// accepted first.
func (b *Backlog) Waiting(ctx context.Context, tenant, endpointID string) ([]string, error) {
	ids, err := b.oldest(ctx, tenant, endpointID, where(underWay(tenant, endpointID), notHeld), mostWaiting)
	if err != nil {
		return nil, fmt.Errorf("deliveries that wait for %s: %w", endpointID, err)
	}
	return ids, nil
}

// listed is a delivery of a list.
type listed struct{ eventID, accepted string }

// oldest gives the events of the deliveries that a query finds, at most limit, those first that
// were accepted first. The store lists in another order, so all of them are looked through; limit
// bounds what is kept.
func (b *Backlog) oldest(ctx context.Context, tenant, endpointID string, q query, limit int) ([]string, error) {
	var found []listed
	for x, err := range b.every(ctx, q, backlogPage) {
		if err != nil {
			return nil, err
		}
		if found = append(found, listed{x.eventID(tenant, endpointID), x.accepted()}); len(found) > 2*limit+backlogPage {
			found = first(found, limit)
		}
	}
	found = first(found, limit)
	ids := make([]string, len(found))
	for i, l := range found {
		ids[i] = l.eventID
	}
	return ids, nil
}

// first sorts by acceptance and keeps so many.
func first(found []listed, limit int) []listed {
	slices.SortStableFunc(found, func(a, b listed) int { return strings.Compare(a.accepted, b.accepted) })
	return found[:min(limit, len(found))]
}

// Running gives a page of the deliveries under way to an endpoint that began before a time, with or
// without those that are held, and where the next page begins.
func (b *Backlog) Running(ctx context.Context, tenant, endpointID string, before time.Time, held bool, page []byte) ([]string, []byte, error) {
	q := where(underWay(tenant, endpointID), started("<", before))
	if !held {
		q = where(q, notHeld)
	}
	all, next, err := b.list(ctx, q, backlogPage, page)
	if err != nil {
		return nil, nil, fmt.Errorf("deliveries to %s: %w", endpointID, err)
	}
	return eventIDs(tenant, endpointID, all), next, nil
}

// Probe lets one held delivery make its next attempt, and waits for what came of it. A delivery
// that is not held makes none. The key makes it one probe, however often it is asked for.
func (b *Backlog) Probe(ctx context.Context, tenant, eventID, endpointID, key string) (p webhook.Probe, err error) {
	err = b.updateHeld(ctx, tenant, eventID, endpointID, client.UpdateWorkflowOptions{UpdateID: key, UpdateName: workflows.UpdateProbe}, &p)
	if errors.Is(err, errNotHeld) {
		return webhook.Probe{}, nil
	}
	return p, err
}

// Release lets one delivery go; false says that it was not held, or has ended.
func (b *Backlog) Release(ctx context.Context, tenant, eventID, endpointID string) (bool, error) {
	err := b.updateHeld(ctx, tenant, eventID, endpointID, client.UpdateWorkflowOptions{UpdateName: workflows.UpdateRelease}, nil)
	if errors.Is(err, errNotHeld) {
		return false, nil
	}
	return err == nil, err
}

// RecheckDeferred gives a delivery its turn now if its last one was deferred: Temporal waits to
// retry its activity then. One that waits for its schedule has no activity; false says so, and that
// it is held or has ended.
func (b *Backlog) RecheckDeferred(ctx context.Context, tenant, eventID, endpointID string) (bool, error) {
	id := workflows.DeliveryWorkflowID(tenant, eventID, endpointID)
	_, err := b.client.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
		Namespace: b.namespace,
		Execution: &commonpb.WorkflowExecution{WorkflowId: id},
		Activity:  &workflowservice.ResetActivityRequest_Type{Type: workflows.AttemptActivity},
	})
	if unknown(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", id, err)
	}
	return true, nil
}

// Recheck tells a delivery to read its endpoint now. One that has ended need not.
func (b *Backlog) Recheck(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) error {
	return b.signal(ctx, workflows.DeliveryWorkflowID(tenant, eventID, endpointID), workflows.SignalRecheck, why)
}

var errNotHeld = errors.New("the delivery is not held")

func (b *Backlog) updateHeld(ctx context.Context, tenant, eventID, endpointID string, o client.UpdateWorkflowOptions, answer any) error {
	o.WorkflowID = workflows.DeliveryWorkflowID(tenant, eventID, endpointID)
	err := b.update(ctx, o, webhook.ByHookloop, answer)
	if unknown(err) {
		return errNotHeld
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && endedOrNotHeld(app) {
		return errNotHeld
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.WorkflowID, err)
	}
	return nil
}

// endedOrNotHeld says whether a delivery refused because there is nothing to let go. Temporal
// aborts an update that was accepted when its workflow ends before it.
func endedOrNotHeld(app *temporal.ApplicationError) bool {
	return app.Type() == workflows.TypeNotHeld || app.Type() == "AcceptedUpdateCompletedWorkflow"
}

// underWay is the deliveries to an endpoint that have not ended.
func underWay(tenant, endpointID string) query {
	return where(ofType(workflows.TypeDelivery), is(workflows.Tenant, tenant), is(workflows.Endpoint, endpointID), running)
}

// notHeld leaves out the deliveries that are held.
var notHeld = isNot(workflows.Outcome, string(webhook.Held))

func held(tenant, endpointID string) query {
	return where(underWay(tenant, endpointID), is(workflows.Outcome, string(webhook.Held)))
}

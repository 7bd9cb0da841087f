// Package backlog is what waits for one endpoint: it finds the deliveries that are held, and passes on
// to them what was decided. When and in which order is the Approval's to say, through an interface
// of the activities; cmd puts them together.
package backlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// pageSize is how many deliveries are listed at once.
const pageSize = 500

// Client is the part of the Temporal client that is needed here; client.Client is one.
type Client interface {
	CountWorkflow(ctx context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error)
	ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	SignalWorkflow(ctx context.Context, workflowID, runID, signal string, arg any) error
	UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error)
	WorkflowService() workflowservice.WorkflowServiceClient
}

var _ Client = client.Client(nil)

// Backlog keeps nothing: what it says is what Temporal knows.
type Backlog struct {
	client    Client
	namespace string
}

// New works through c, a client of a namespace.
func New(c Client, namespace string) *Backlog { return &Backlog{client: c, namespace: namespace} }

// Held counts the deliveries that are held, as the visibility store knows it.
func (b *Backlog) Held(ctx context.Context, tenant, endpointID string) (int, error) {
	n, err := b.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: held(tenant, endpointID)})
	if err != nil {
		return 0, fmt.Errorf("deliveries held for %s: %w", endpointID, err)
	}
	return int(n.GetCount()), nil
}

// Count counts the deliveries that wait for the endpoint, whatever their status, as the visibility store knows it.
// One that a person must let go, whose event goes in circles, waits for that person.
func (b *Backlog) Count(ctx context.Context, tenant, endpointID string) (int, error) {
	n, err := b.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: running(tenant, endpointID) + notParked})
	if err != nil {
		return 0, fmt.Errorf("deliveries that wait for %s: %w", endpointID, err)
	}
	return int(n.GetCount()), nil
}

// Oldest gives the events of the deliveries that are held, at most limit, those first that were accepted first.
func (b *Backlog) Oldest(ctx context.Context, tenant, endpointID string, limit int) ([]string, error) {
	ids, err := b.oldest(ctx, held(tenant, endpointID), limit)
	if err != nil {
		return nil, fmt.Errorf("deliveries held for %s: %w", endpointID, err)
	}
	return events(tenant, endpointID, ids), nil
}

// mostWaiting bounds what Waiting gives: some 10 MiB. A caller that has come to the end of it asks again.
const mostWaiting = 100_000

// Waiting gives the events of the deliveries under way that are not held, those first that were accepted first.
func (b *Backlog) Waiting(ctx context.Context, tenant, endpointID string) ([]string, error) {
	ids, err := b.oldest(ctx, running(tenant, endpointID)+notHeld, mostWaiting)
	if err != nil {
		return nil, fmt.Errorf("deliveries that wait for %s: %w", endpointID, err)
	}
	return events(tenant, endpointID, ids), nil
}

// listed is a delivery of a list.
type listed struct{ id, accepted string }

// oldest gives the workflows that a query finds, at most limit, those first that were accepted first. The store
// lists in another order, so all of them are looked through; limit bounds what is kept.
func (b *Backlog) oldest(ctx context.Context, query string, limit int) ([]string, error) {
	var found []listed
	for page, more := []byte(nil), true; more; more = len(page) > 0 {
		r, err := b.list(ctx, query, page)
		if err != nil {
			return nil, err
		}
		for _, x := range r.GetExecutions() {
			found = append(found, listed{x.GetExecution().GetWorkflowId(), accepted(x)})
		}
		if page = r.GetNextPageToken(); len(found) > 2*limit+pageSize {
			found = first(found, limit)
		}
	}
	found = first(found, limit)
	ids := make([]string, len(found))
	for i, l := range found {
		ids[i] = l.id
	}
	return ids, nil
}

// first sorts by acceptance and keeps so many.
func first(found []listed, limit int) []listed {
	slices.SortStableFunc(found, func(a, b listed) int { return strings.Compare(a.accepted, b.accepted) })
	return found[:min(limit, len(found))]
}

// accepted is when the event of a delivery was accepted, or when the delivery began where that is not said.
func accepted(x *workflowpb.WorkflowExecutionInfo) string {
	at := x.GetStartTime().AsTime().UTC().Format(workflows.AcceptedFormat)
	if p := x.GetSearchAttributes().GetIndexedFields()[workflows.Accepted.GetName()]; p != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(p, &at) // what is no text leaves it
	}
	return at
}

// Running gives a page of the deliveries under way to an endpoint that began before a time, with or
// without those that are held, and where the next page begins.
func (b *Backlog) Running(ctx context.Context, tenant, endpointID string, before time.Time, held bool, page []byte) ([]string, []byte, error) {
	query := fmt.Sprintf("%s AND StartTime < '%s'", running(tenant, endpointID), before.UTC().Format(time.RFC3339Nano))
	if !held {
		query += notHeld
	}
	r, err := b.list(ctx, query, page)
	if err != nil {
		return nil, nil, fmt.Errorf("deliveries to %s: %w", endpointID, err)
	}
	return events(tenant, endpointID, workflowIDs(r.GetExecutions())), r.GetNextPageToken(), nil
}

func (b *Backlog) list(ctx context.Context, query string, page []byte) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	return b.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: pageSize, NextPageToken: page, Query: query,
	})
}

// Probe lets one held delivery make its next attempt, and waits for what came of it. A delivery that
// is not held makes none. The key makes it one probe, however often it is asked for.
func (b *Backlog) Probe(ctx context.Context, tenant, eventID, endpointID, key string) (p webhook.Probe, err error) {
	err = b.update(ctx, tenant, eventID, endpointID, client.UpdateWorkflowOptions{UpdateID: key, UpdateName: workflows.UpdateProbe}, &p)
	if errors.Is(err, errNotHeld) {
		return webhook.Probe{}, nil
	}
	return p, err
}

// Release lets one delivery go; false says that it was not held, or has ended.
func (b *Backlog) Release(ctx context.Context, tenant, eventID, endpointID string) (bool, error) {
	err := b.update(ctx, tenant, eventID, endpointID, client.UpdateWorkflowOptions{UpdateName: workflows.UpdateRelease}, nil)
	if errors.Is(err, errNotHeld) {
		return false, nil
	}
	return err == nil, err
}

// Recheck gives a delivery its turn now if its last one was deferred: Temporal waits to retry its activity then.
// One that waits for its schedule has no activity; false says so, and that it is held or has ended.
func (b *Backlog) Recheck(ctx context.Context, tenant, eventID, endpointID string) (bool, error) {
	id := workflows.DeliveryWorkflowID(tenant, eventID, endpointID)
	_, err := b.client.WorkflowService().ResetActivity(ctx, &workflowservice.ResetActivityRequest{
		Namespace: b.namespace,
		Execution: &commonpb.WorkflowExecution{WorkflowId: id},
		Activity:  &workflowservice.ResetActivityRequest_Type{Type: workflows.AttemptActivity},
	})
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", id, err)
	}
	return true, nil
}

// Look tells a delivery to look at its endpoint now. One that has ended need not.
func (b *Backlog) Look(ctx context.Context, tenant, eventID, endpointID string, v webhook.Verb) error {
	id := workflows.DeliveryWorkflowID(tenant, eventID, endpointID)
	err := b.client.SignalWorkflow(ctx, id, "", workflows.SignalLook, v)
	if _, ended := errors.AsType[*serviceerror.NotFound](err); ended || err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", id, err)
}

var errNotHeld = errors.New("the delivery is not held")

func (b *Backlog) update(ctx context.Context, tenant, eventID, endpointID string, o client.UpdateWorkflowOptions, answer any) error {
	o.WorkflowID, o.WaitForStage = workflows.DeliveryWorkflowID(tenant, eventID, endpointID), client.WorkflowUpdateStageCompleted
	handle, err := b.client.UpdateWorkflow(ctx, o)
	if err == nil {
		err = handle.Get(ctx, answer)
	}
	if _, ended := errors.AsType[*serviceerror.NotFound](err); ended {
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

// endedOrNotHeld says whether a delivery refused because there is nothing to let go. Temporal aborts
// an update that was accepted when its workflow ends before it.
func endedOrNotHeld(app *temporal.ApplicationError) bool {
	return app.Type() == workflows.TypeNotHeld || app.Type() == "AcceptedUpdateCompletedWorkflow"
}

// events turns the workflow ids of deliveries to one endpoint into those of their events.
func events(tenant, endpointID string, ids []string) []string {
	before, after, _ := strings.Cut(workflows.DeliveryWorkflowID(tenant, "*", endpointID), "*")
	for i, id := range ids {
		ids[i] = strings.TrimSuffix(strings.TrimPrefix(id, before), after)
	}
	return ids
}

func workflowIDs(all []*workflowpb.WorkflowExecutionInfo) []string {
	ids := make([]string, len(all))
	for i, x := range all {
		ids[i] = x.GetExecution().GetWorkflowId()
	}
	return ids
}

// running is the deliveries under way to an endpoint in visibility's language. Tenants and endpoints
// have ids without quotes.
func running(tenant, endpointID string) string {
	return fmt.Sprintf("WorkflowType = 'Delivery' AND %s = '%s' AND %s = '%s' AND ExecutionStatus = 'Running'",
		workflows.Tenant.GetName(), tenant, workflows.Endpoint.GetName(), endpointID)
}

// These go behind running.
var (
	notHeld   = fmt.Sprintf(" AND %s != '%s'", workflows.Outcome.GetName(), webhook.Held)
	notParked = fmt.Sprintf(" AND %s != '%s'", workflows.Outcome.GetName(), webhook.ApprovalAwaiting)
)

func held(tenant, endpointID string) string {
	return fmt.Sprintf("%s AND %s = '%s'", running(tenant, endpointID), workflows.Outcome.GetName(), webhook.Held)
}

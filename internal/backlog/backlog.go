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

	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
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
}

var _ Client = client.Client(nil)

// Backlog keeps nothing: what it says is what Temporal knows.
type Backlog struct{ client Client }

// New works through c.
func New(c Client) *Backlog { return &Backlog{client: c} }

// Held counts the deliveries that are held, as the visibility store knows it.
func (b *Backlog) Held(ctx context.Context, tenant, endpointID string) (int, error) {
	n, err := b.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: held(tenant, endpointID)})
	if err != nil {
		return 0, fmt.Errorf("deliveries held for %s: %w", endpointID, err)
	}
	return int(n.GetCount()), nil
}

// Oldest gives the events of the deliveries held longest, at most limit. The store lists the latest
// first, so all of them are looked through; limit bounds what is kept.
func (b *Backlog) Oldest(ctx context.Context, tenant, endpointID string, limit int) ([]string, error) {
	var found []*workflowpb.WorkflowExecutionInfo
	for page, more := []byte(nil), true; more; more = len(page) > 0 {
		r, err := b.list(ctx, held(tenant, endpointID), page)
		if err != nil {
			return nil, fmt.Errorf("deliveries held for %s: %w", endpointID, err)
		}
		found = append(found, r.GetExecutions()...)
		if drop := len(found) - limit - pageSize; drop > 0 {
			found = slices.Delete(found, 0, drop)
		}
		page = r.GetNextPageToken()
	}
	slices.SortStableFunc(found, func(a, b *workflowpb.WorkflowExecutionInfo) int {
		return a.GetStartTime().AsTime().Compare(b.GetStartTime().AsTime())
	})
	return events(tenant, endpointID, found[:min(limit, len(found))]), nil
}

// Running gives a page of the deliveries under way to an endpoint that began before a time, with or
// without those that are held, and where the next page begins.
func (b *Backlog) Running(ctx context.Context, tenant, endpointID string, before time.Time, held bool, page []byte) ([]string, []byte, error) {
	query := fmt.Sprintf("%s AND StartTime < '%s'", running(tenant, endpointID), before.UTC().Format(time.RFC3339Nano))
	if !held {
		query += fmt.Sprintf(" AND %s != '%s'", workflows.Outcome.GetName(), webhook.Held)
	}
	r, err := b.list(ctx, query, page)
	if err != nil {
		return nil, nil, fmt.Errorf("deliveries to %s: %w", endpointID, err)
	}
	return events(tenant, endpointID, r.GetExecutions()), r.GetNextPageToken(), nil
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

// events gives the event ids of deliveries to one endpoint.
func events(tenant, endpointID string, all []*workflowpb.WorkflowExecutionInfo) []string {
	before, after, _ := strings.Cut(workflows.DeliveryWorkflowID(tenant, "*", endpointID), "*")
	ids := make([]string, len(all))
	for i, x := range all {
		ids[i] = strings.TrimSuffix(strings.TrimPrefix(x.GetExecution().GetWorkflowId(), before), after)
	}
	return ids
}

// running is the deliveries under way to an endpoint in visibility's language. Tenants and endpoints
// have ids without quotes.
func running(tenant, endpointID string) string {
	return fmt.Sprintf("WorkflowType = 'Delivery' AND %s = '%s' AND %s = '%s' AND ExecutionStatus = 'Running'",
		workflows.Tenant.GetName(), tenant, workflows.Endpoint.GetName(), endpointID)
}

func held(tenant, endpointID string) string {
	return fmt.Sprintf("%s AND %s = '%s'", running(tenant, endpointID), workflows.Outcome.GetName(), webhook.Held)
}

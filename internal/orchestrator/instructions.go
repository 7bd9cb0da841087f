package orchestrator

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// ErrNotWaiting says that a delivery has no workflow that could take an instruction: why, the
// event's State tells.
var ErrNotWaiting = errors.New("the delivery is not waiting")

// RetryNow has a waiting delivery make its next attempt now, and gives how the delivery stood then.
// The error is ErrNotWaiting, carries webhook.Conflict when the delivery did not take it, or is an
// AwayError.
func (e *Events) RetryNow(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) (webhook.DeliveryReport, error) {
	return e.instruct(ctx, workflows.DeliveryWorkflowID(tenant, eventID, endpointID), workflows.UpdateRetryNow, why)
}

// CancelDelivery ends a waiting delivery. Its answers are those of RetryNow.
func (e *Events) CancelDelivery(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) (webhook.DeliveryReport, error) {
	return e.instruct(ctx, workflows.DeliveryWorkflowID(tenant, eventID, endpointID), workflows.UpdateCancel, why)
}

func (e *Events) instruct(ctx context.Context, workflowID, update string, why webhook.Instruction) (r webhook.DeliveryReport, err error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	err = e.update(ctx, client.UpdateWorkflowOptions{WorkflowID: workflowID, UpdateName: update, Args: []any{why}}, why.By, &r)
	return r, instructionErr(workflowID, err)
}

// instructionErr gives a failed update its meaning.
func instructionErr(workflowID string, err error) error {
	if err == nil {
		return nil
	}
	if unknown(err) { // or ended
		return ErrNotWaiting
	}
	if late, ok := errors.AsType[*client.WorkflowUpdateServiceTimeoutOrCanceledError](err); ok {
		return &AwayError{what: "a worker that could do it", cause: late}
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok { // it ended over it, or runs older code
		return fmt.Errorf("%w (%s: %w)", webhook.Errorf(webhook.Conflict, "the delivery did not take the order; look at the event and try again"), workflowID, app)
	}
	return fmt.Errorf("update of %s: %w", workflowID, failed(err))
}

package orchestrator

import (
	"context"
	"fmt"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/workflows"
)

// input reads what a run was started with: the first event of its history has it. Without a run id
// it is the latest run's. The error is Temporal's, or says that it cannot be decoded.
func (l link) input(ctx context.Context, workflowID, runID string, into ...any) error {
	first, err := l.client.GetWorkflowHistory(ctx, workflowID, runID, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT).Next()
	if err != nil {
		return err
	}
	if err := l.converter.FromPayloads(first.GetWorkflowExecutionStartedEventAttributes().GetInput(), into...); err != nil {
		return fmt.Errorf("input of %s: %w", workflowID, err)
	}
	return nil
}

// eventInput reads what an event was accepted with. data is what its history holds: its data, or
// where it lies.
func (l link) eventInput(ctx context.Context, workflowID, runID string) (in workflows.EventInput, data converter.RawValue, err error) {
	err = l.input(ctx, workflowID, runID, &in, &data)
	return in, data, err
}

package orchestrator

import (
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Execution is one run of a workflow, as lists have it.
type Execution struct {
	WorkflowID, RunID string
	Type              string // one of workflows.TypeEvent and its like, or a type that is not ours

	// The search attributes; empty: it has none, or it is not a keyword.
	Tenant, EventType, Endpoint, Outcome, Accepted string

	Status     string    // Temporal's: Running, Completed, Terminated, ContinuedAsNew …
	Start, End time.Time // a zero End: it runs

	status enums.WorkflowExecutionStatus
}

// Running says whether the run has not ended.
func (x Execution) Running() bool { return x.status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING }

func execution(x *workflowpb.WorkflowExecutionInfo) Execution {
	e := Execution{
		WorkflowID: x.GetExecution().GetWorkflowId(), RunID: x.GetExecution().GetRunId(), Type: x.GetType().GetName(),
		Tenant: attribute(x, workflows.Tenant), EventType: attribute(x, workflows.EventType), Endpoint: attribute(x, workflows.Endpoint),
		Outcome: attribute(x, workflows.Outcome), Accepted: attribute(x, workflows.Accepted),
		Status: x.GetStatus().String(), Start: x.GetStartTime().AsTime(), status: x.GetStatus(),
	}
	if end := x.GetCloseTime(); end != nil {
		e.End = end.AsTime()
	}
	return e
}

// attribute reads a search attribute. They are never encrypted, and one of another type is not
// ours.
func attribute(x *workflowpb.WorkflowExecutionInfo, k temporal.SearchAttributeKeyKeyword) (value string) {
	if p := x.GetSearchAttributes().GetIndexedFields()[k.GetName()]; p != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(p, &value)
	}
	return value
}

// over says whether a run has come to an end that is the workflow's own: one that continued as new
// has not.
func (x Execution) over() bool {
	switch x.status {
	case enums.WORKFLOW_EXECUTION_STATUS_RUNNING, enums.WORKFLOW_EXECUTION_STATUS_PAUSED, enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
		return false
	default:
		return true
	}
}

// abandoned says how the workflow ended without coming to its own end; empty if it did not.
func (x Execution) abandoned() string {
	switch x.status {
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "its workflow was terminated"
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "its workflow was cancelled"
	case enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "its workflow timed out"
	case enums.WORKFLOW_EXECUTION_STATUS_FAILED:
		return "its workflow failed"
	default:
		return ""
	}
}

// accepted is when the event of a delivery was accepted, as text that sorts; when the delivery
// began where that is not said.
func (x Execution) accepted() string {
	if x.Accepted != "" {
		return x.Accepted
	}
	return x.Start.UTC().Format(workflows.AcceptedFormat)
}

// eventID is the event whose delivery to an endpoint the run is, or which it is itself.
func (x Execution) eventID(tenant, endpointID string) string {
	if id, own := strings.CutPrefix(x.WorkflowID, workflows.EventWorkflowID(tenant, "")); own {
		return id
	}
	before, after, _ := strings.Cut(workflows.DeliveryWorkflowID(tenant, "*", endpointID), "*")
	return strings.TrimSuffix(strings.TrimPrefix(x.WorkflowID, before), after)
}

// eventIDs are those of many, of deliveries to one endpoint.
func eventIDs(tenant, endpointID string, all []Execution) []string {
	ids := make([]string, len(all))
	for i, x := range all {
		ids[i] = x.eventID(tenant, endpointID)
	}
	return ids
}

// outcome is a delivery's, as it was when its run last said so.
func (x Execution) outcome() webhook.DeliveryStatus { return webhook.DeliveryStatus(x.Outcome) }

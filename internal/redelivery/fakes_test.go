package redelivery_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// run is one run of a workflow. Those of one id stand in the order in which they began.
type run struct {
	id      string
	status  enums.WorkflowExecutionStatus
	outcome webhook.DeliveryStatus
	input   []any

	eventType, endpoint, began string // of an event's search attributes, and when it or a delivery began
}

func (r run) running() bool { return r.status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING }

func (r run) info() *workflowpb.WorkflowExecutionInfo {
	fields := map[string]*commonpb.Payload{}
	for name, value := range map[string]string{"Outcome": string(r.outcome), "EventType": r.eventType, "Endpoint": r.endpoint} {
		fields[name], _ = converter.GetDefaultDataConverter().ToPayload(value)
	}
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: r.id, RunId: "run-of-" + r.id}, Status: r.status,
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
	if began, err := time.Parse(time.RFC3339, r.began); err == nil {
		info.StartTime = timestamppb.New(began)
	}
	if !r.running() {
		info.CloseTime = timestamppb.Now()
	}
	return info
}

// fakeTemporal keeps runs, and lists them as visibility would: not those of the same window, but by
// what the queries of this package are about.
type fakeTemporal struct {
	runs    []run
	queries []string
	started []client.StartWorkflowOptions
	inputs  []workflows.DeliveryInput
	down    error

	endpoints map[string]webhook.Endpoint // others are active, and want everything
	noted     []string
	away      error // the registry
}

func (f *fakeTemporal) Endpoint(_ context.Context, tenant, id string) (webhook.Endpoint, error) {
	if e, ok := f.endpoints[id]; ok || f.away != nil {
		if e.State == "" && f.away == nil {
			return e, webhook.Errorf(webhook.NotFound, "endpoint %s does not exist", id)
		}
		return e, f.away
	}
	return webhook.Endpoint{Tenant: tenant, ID: id, State: webhook.EndpointActive}, nil
}

func (f *fakeTemporal) NoteRedelivery(_ context.Context, tenant, eventID, endpointID string, _ time.Time) error {
	f.noted = append(f.noted, tenant+" "+eventID+" "+endpointID)
	return f.away
}

func (f *fakeTemporal) latest(id string) *run {
	for i := range slices.Backward(f.runs) {
		if f.runs[i].id == id {
			return &f.runs[i]
		}
	}
	return nil
}

func (f *fakeTemporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	if f.down != nil {
		return nil, f.down
	}
	if r := f.latest(o.ID); r != nil && r.running() {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "run")
	}
	f.started = append(f.started, o)
	f.inputs = append(f.inputs, args[0].(workflows.DeliveryInput))
	f.runs = append(f.runs, run{id: o.ID, status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING, outcome: webhook.Pending})
	return nil, nil
}

func (f *fakeTemporal) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	r := f.latest(id)
	switch {
	case f.down != nil:
		return nil, f.down
	case r == nil:
		return nil, serviceerror.NewNotFound("workflow not found")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: r.info()}, nil
}

func (f *fakeTemporal) GetWorkflowHistory(_ context.Context, id, _ string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	return history{f.latest(id)}
}

type history struct{ run *run }

func (h history) HasNext() bool { return true }

func (h history) Next() (*historypb.HistoryEvent, error) {
	input, err := converter.GetDefaultDataConverter().ToPayloads(h.run.input...)
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: input},
	}}, err
}

func (f *fakeTemporal) match(query string) []run {
	var found []run
	for _, r := range f.runs {
		is := strings.HasPrefix(r.id, "delivery/") && !r.running() && r.outcome != webhook.Delivered
		switch {
		case strings.HasPrefix(query, "WorkflowType = 'Event'"):
			is = strings.HasPrefix(r.id, "event/") && (strings.Contains(query, "Endpoint IN ") && r.endpoint != "" && strings.Contains(query, "'"+r.endpoint+"'") ||
				strings.Contains(query, "Outcome = 'unmatched'") && r.outcome == "unmatched")
		case strings.HasPrefix(query, "WorkflowId IN"):
			is = strings.Contains(query, "'"+r.id+"'") && (r.running() || r.outcome == webhook.Delivered)
		}
		if is {
			found = append(found, r)
		}
	}
	return found
}

func (f *fakeTemporal) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if f.down != nil {
		return nil, f.down
	}
	f.queries = append(f.queries, r.GetQuery())
	found := f.match(r.GetQuery())
	from, _ := strconv.Atoi(string(r.GetNextPageToken()))
	until := min(from+int(r.GetPageSize()), len(found))
	out := &workflowservice.ListWorkflowExecutionsResponse{}
	for _, x := range found[from:until] {
		out.Executions = append(out.Executions, x.info())
	}
	if until < len(found) {
		out.NextPageToken = []byte(strconv.Itoa(until))
	}
	return out, nil
}

func (f *fakeTemporal) CountWorkflow(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return &workflowservice.CountWorkflowExecutionsResponse{Count: int64(len(f.match(r.GetQuery())))}, f.down
}

// event accepts an event for these endpoints.
func (f *fakeTemporal) event(t *testing.T, id string, endpoints ...string) webhook.Event {
	t.Helper()
	e := webhook.Event{Tenant: "acme", ID: id, Type: "contact.updated"}
	data := converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(`{"a": 1.10}`),
	})
	require.Nil(t, f.latest("event/acme/"+id))
	f.runs = append(f.runs, run{
		id: "event/acme/" + id, status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
		input: []any{workflows.EventInput{Event: e, EndpointIDs: endpoints}, data},
	})
	return e
}

// ended adds a run of a delivery to ep_1.
func (f *fakeTemporal) ended(eventID string, s enums.WorkflowExecutionStatus, outcome webhook.DeliveryStatus) {
	f.runs = append(f.runs, run{id: "delivery/acme/" + eventID + "/ep_1", status: s, outcome: outcome})
}

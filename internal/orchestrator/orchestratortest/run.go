package orchestratortest

import (
	"context"
	"encoding/json"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Run is one run of a workflow. Its zero values are those of one that runs and answers.
type Run struct {
	ID, RunID  string // without a run id: run-of-<id>
	Type       string
	Status     enums.WorkflowExecutionStatus // zero: it runs
	Attributes map[string]string             // the search attributes, by name
	Start, End time.Time                     // a run that has ended and says not when, ended now

	Options client.StartWorkflowOptions // of one that was started
	Input   *commonpb.Payloads
	History *historypb.History // nil: the first event, with Input
	Breaks  error              // how reading the history ends, half way; nil: it is read to its end

	Hidden  bool  // visibility has not heard of it yet
	Fresh   bool  // its first workflow task is under way
	Busy    bool  // a later workflow task is under way
	Report  any   // the answer to queries and updates, and the result
	Silent  error // the answer to a query or an update; nil: Report
	Refuses error // how an update ends; nil: with Report
	Pending []*workflowpb.PendingActivityInfo
}

func started(o client.StartWorkflowOptions, workflow any, args []any) (*Run, error) {
	input, err := Payloads(args...)
	if err != nil {
		return nil, err
	}
	r := &Run{ID: o.ID, Options: o, Input: input, Start: time.Now(), Attributes: map[string]string{}}
	r.Type, _ = workflow.(string)
	for k, v := range o.TypedSearchAttributes.GetUntypedValues() {
		r.Attributes[k.GetName()], _ = v.(string)
	}
	return r, nil
}

// Payloads are arguments as a history holds them.
func Payloads(args ...any) (*commonpb.Payloads, error) {
	return converter.GetDefaultDataConverter().ToPayloads(args...)
}

// RawJSON is a payload that holds JSON byte for byte.
func RawJSON(data string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(data),
	})
}

// Read decodes what the run was started with.
func (r *Run) Read(into ...any) error {
	return converter.GetDefaultDataConverter().FromPayloads(r.Input, into...)
}

func (r *Run) running() bool {
	return r.Status == enums.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED || r.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING ||
		r.Status == enums.WORKFLOW_EXECUTION_STATUS_PAUSED
}

func (r *Run) status() enums.WorkflowExecutionStatus {
	if r.Status == enums.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED {
		return enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	return r.Status
}

// end is zero while it runs.
func (r *Run) end() time.Time {
	if r.End.IsZero() && !r.running() {
		return time.Now()
	}
	return r.End
}

func (r *Run) info() *workflowpb.WorkflowExecutionInfo {
	fields := map[string]*commonpb.Payload{}
	for name, value := range r.Attributes {
		fields[name], _ = converter.GetDefaultDataConverter().ToPayload(value)
	}
	info := &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: r.ID, RunId: r.RunID}, Type: &commonpb.WorkflowType{Name: r.Type},
		Status: r.status(), HistoryLength: 10, SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
	if !r.Start.IsZero() {
		info.StartTime = timestamppb.New(r.Start)
	}
	if end := r.end(); !end.IsZero() {
		info.CloseTime = timestamppb.New(end)
	}
	if r.Fresh {
		info.HistoryLength = 3
	}
	return info
}

func (r *Run) described() *workflowservice.DescribeWorkflowExecutionResponse {
	d := &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: r.info(), PendingActivities: r.Pending}
	if r.Fresh || r.Busy {
		d.PendingWorkflowTask = &workflowpb.PendingWorkflowTaskInfo{State: enums.PENDING_WORKFLOW_TASK_STATE_STARTED}
	}
	return d
}

// events are copies: what reads a history may decrypt it in place.
func (r *Run) events() []*historypb.HistoryEvent {
	if r.History != nil {
		return proto.Clone(r.History).(*historypb.History).GetEvents()
	}
	return []*historypb.HistoryEvent{{EventId: 1, EventType: enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			Input: r.Input, WorkflowId: r.ID, WorkflowType: &commonpb.WorkflowType{Name: r.Type}, OriginalExecutionRunId: r.RunID,
		},
	}}}
}

// iterator ends with breaks when half of a history is read, if that is not nil.
type iterator struct {
	left   []*historypb.HistoryEvent
	read   int
	err    error // of the whole history
	breaks error
}

func (i *iterator) HasNext() bool { return i.err != nil || len(i.left) > 0 }

func (i *iterator) Next() (*historypb.HistoryEvent, error) {
	if i.err != nil {
		return nil, i.err
	}
	if i.breaks != nil && i.read >= len(i.left) {
		return nil, i.breaks
	}
	e := i.left[0]
	i.left, i.read = i.left[1:], i.read+1
	return e, nil
}

// answer is a value that went over the wire.
type answer struct{ value any }

func (a answer) HasValue() bool { return a.value != nil }

func (a answer) Get(into any) error {
	if into == nil || a.value == nil {
		return nil
	}
	wire, err := json.Marshal(a.value)
	if err != nil {
		return err
	}
	return json.Unmarshal(wire, into)
}

// update is one that has come to its end.
type update struct {
	client.WorkflowUpdateHandle
	answer

	err error
}

func (u update) Get(_ context.Context, into any) error {
	if u.err != nil {
		return u.err
	}
	return u.answer.Get(into)
}

// result is that of a run which has ended.
type result struct {
	client.WorkflowRun

	run *Run
}

func (r result) GetRunID() string { return r.run.RunID }

func (r result) Get(_ context.Context, into any) error {
	if r.run == nil {
		return notFound()
	}
	return answer{r.run.Report}.Get(into)
}

package gateway_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
)

// fakeTemporal keeps what was started as the server would: by workflow id, once, encoded.
type fakeTemporal struct {
	mu      sync.Mutex
	started map[string]*fakeRun
	starts  int
	down    error                          // what every call answers, when set
	found   int64                          // what a count answers
	orders  []client.UpdateWorkflowOptions // the updates that reached a workflow
	list    func(*workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
}

// fakeRun is one workflow. The zero values are those of a workflow that runs and answers.
type fakeRun struct {
	options client.StartWorkflowOptions
	input   *commonpb.Payloads
	status  enums.WorkflowExecutionStatus // zero: running
	fresh   bool                          // its first workflow task is under way
	report  any                           // the answer to a query, and the result
	silent  error                         // the answer to a query or an update, when set
	refuses error                         // how an update ends, when set
	busy    bool                          // a later workflow task is under way
	pending []*workflowpb.PendingActivityInfo
}

func (r *fakeRun) running() bool {
	return r.status == 0 || r.status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
}

func newFakeTemporal() *fakeTemporal { return &fakeTemporal{started: map[string]*fakeRun{}} }

func (f *fakeTemporal) run(id string) *fakeRun {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started[id]
}

func (f *fakeTemporal) put(id string, r *fakeRun) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.started[id] = r
}

func (f *fakeTemporal) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

func (f *fakeTemporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, args ...any) (client.WorkflowRun, error) {
	if f.down != nil {
		return nil, f.down
	}
	input, err := converter.GetDefaultDataConverter().ToPayloads(args...)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.started[o.ID]
	if old != nil && (old.running() || o.WorkflowIDReusePolicy == enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "run")
	}
	f.started[o.ID] = &fakeRun{options: o, input: input}
	f.starts++
	return finished{id: o.ID}, nil
}

func (f *fakeTemporal) GetWorkflowHistory(_ context.Context, id, _ string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	return &fakeHistory{run: f.run(id), err: f.down}
}

func (f *fakeTemporal) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if f.down != nil {
		return nil, f.down
	}
	r := f.run(id)
	if r == nil {
		return nil, serviceerror.NewNotFound("workflow not found")
	}
	status, length := r.status, int64(10)
	if status == 0 {
		status = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	}
	d := &workflowservice.DescribeWorkflowExecutionResponse{PendingActivities: r.pending}
	if r.fresh {
		length = 3
	}
	if r.fresh || r.busy {
		d.PendingWorkflowTask = &workflowpb.PendingWorkflowTaskInfo{State: enums.PENDING_WORKFLOW_TASK_STATE_STARTED}
	}
	d.WorkflowExecutionInfo = &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: "run-of-" + id}, Status: status, HistoryLength: length,
	}
	return d, nil
}

func (f *fakeTemporal) QueryWorkflow(_ context.Context, id, _, _ string, _ ...any) (converter.EncodedValue, error) {
	r := f.run(id)
	switch {
	case f.down != nil:
		return nil, f.down
	case r == nil:
		return nil, serviceerror.NewNotFound("workflow not found")
	case r.silent != nil:
		return nil, r.silent
	}
	return answered{r.report}, nil
}

func (f *fakeTemporal) UpdateWorkflow(_ context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error) {
	r := f.run(o.WorkflowID)
	switch {
	case f.down != nil:
		return nil, f.down
	case r == nil:
		return nil, serviceerror.NewNotFound("workflow not found")
	case !r.running():
		return nil, serviceerror.NewNotFound("workflow execution already completed")
	case r.silent != nil:
		return nil, client.NewWorkflowUpdateServiceTimeoutOrCanceledError(r.silent)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, o)
	return updated{answered: answered{r.report}, err: r.refuses}, nil
}

// updated is an update that has come to its end.
type updated struct {
	client.WorkflowUpdateHandle
	answered

	err error
}

func (u updated) Get(_ context.Context, into any) error {
	if u.err != nil {
		return u.err
	}
	return u.answered.Get(into)
}

func (f *fakeTemporal) CancelWorkflow(_ context.Context, id, _ string) error {
	r := f.run(id)
	switch {
	case f.down != nil:
		return f.down
	case r == nil || !r.running():
		return serviceerror.NewNotFound("workflow execution already completed")
	}
	r.status = enums.WORKFLOW_EXECUTION_STATUS_CANCELED
	return nil
}

func (f *fakeTemporal) CountWorkflow(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return &workflowservice.CountWorkflowExecutionsResponse{Count: f.found}, f.down
}

func (f *fakeTemporal) GetWorkflow(_ context.Context, id, _ string) client.WorkflowRun {
	return finished{answered: answered{f.run(id).report}}
}

func (f *fakeTemporal) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	if f.down != nil {
		return nil, f.down
	}
	return f.list(r)
}

func (f *fakeTemporal) CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error) {
	return &client.CheckHealthResponse{}, f.down
}

// answered is a value that went over the wire.
type answered struct{ value any }

func (a answered) HasValue() bool { return a.value != nil }

func (a answered) Get(into any) error {
	wire, err := json.Marshal(a.value)
	if err != nil {
		return err
	}
	return json.Unmarshal(wire, into)
}

// finished is a workflow that has come to its end.
type finished struct {
	client.WorkflowRun
	answered

	id string
}

func (f finished) GetRunID() string { return "run-of-" + f.id }

func (f finished) Get(_ context.Context, into any) error { return f.answered.Get(into) }

// fakeHistory is a history of one event, the first.
type fakeHistory struct {
	run  *fakeRun
	err  error
	read bool
}

func (h *fakeHistory) HasNext() bool { return !h.read }

func (h *fakeHistory) Next() (*historypb.HistoryEvent, error) {
	h.read = true
	if h.err != nil {
		return nil, h.err
	}
	if h.run == nil {
		return nil, serviceerror.NewNotFound("workflow not found")
	}
	return &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: h.run.input},
	}}, nil
}

// fakeRegistry keeps endpoints in memory.
type fakeRegistry struct {
	mu   sync.Mutex
	all  map[string]webhook.Endpoint
	down error

	redelivered map[string][]string
	creations   map[string]webhook.Creation
}

func newFakeRegistry() *fakeRegistry {
	return &fakeRegistry{all: map[string]webhook.Endpoint{}, redelivered: map[string][]string{}, creations: map[string]webhook.Creation{}}
}

func (f *fakeRegistry) CreateEndpoint(_ context.Context, e webhook.Endpoint) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all[e.Tenant+"/"+e.ID] = e
	return f.down
}

func (f *fakeRegistry) CreateEndpointOnce(ctx context.Context, e webhook.Endpoint, c webhook.Creation) (webhook.Creation, error) {
	if made, ok := f.creations[e.Tenant+"/"+c.Name]; ok || f.down != nil {
		return made, f.down
	}
	f.creations[e.Tenant+"/"+c.Name] = c
	return c, f.CreateEndpoint(ctx, e)
}

func (f *fakeRegistry) Created(_ context.Context, tenant string, c webhook.Creation) (bool, error) {
	_, made := f.creations[tenant+"/"+c.Name]
	return made, f.down
}

func (f *fakeRegistry) Endpoint(_ context.Context, tenant, id string) (webhook.Endpoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.all[tenant+"/"+id]
	if f.down == nil && !ok {
		return e, webhook.Errorf(webhook.NotFound, "no endpoint %s", id)
	}
	return e, f.down
}

func (f *fakeRegistry) Endpoints(_ context.Context, tenant, after string, limit int) ([]webhook.Endpoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []webhook.Endpoint
	for _, e := range f.all {
		if e.Tenant == tenant && e.ID > after {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b webhook.Endpoint) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return found[:min(limit, len(found))], f.down
}

func (f *fakeRegistry) CountEndpoints(_ context.Context, tenant string) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.all {
		if e.Tenant == tenant {
			n++
		}
	}
	return n, f.down
}

func (f *fakeRegistry) UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	e, err := f.Endpoint(ctx, tenant, id)
	if err != nil {
		return e, err
	}
	if err := change(&e); err != nil {
		return e, err
	}
	e.Version++
	return e, f.CreateEndpoint(ctx, e)
}

func (f *fakeRegistry) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	_, err := f.Endpoint(ctx, tenant, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, tenant+"/"+id)
	return err
}

func (f *fakeRegistry) Match(_ context.Context, tenant, eventType string) (m webhook.Match, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.all {
		if e.Tenant == tenant && e.Wants(eventType) {
			m.Add(e.ID, e.State == webhook.EndpointDisabled)
		}
	}
	slices.Sort(m.IDs)
	slices.Sort(m.Disabled)
	return m, f.down
}

func (f *fakeRegistry) NoteRedelivery(_ context.Context, tenant, eventID, endpointID string, _ time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.redelivered[tenant+"/"+eventID] = append(f.redelivered[tenant+"/"+eventID], endpointID)
	return f.down
}

func (f *fakeRegistry) Redelivered(_ context.Context, tenant, eventID string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(f.redelivered[tenant+"/"+eventID]))), f.down
}

func (f *fakeRegistry) Ping(context.Context) error { return f.down }

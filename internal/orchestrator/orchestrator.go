// Package orchestrator is the one way to Temporal for all that is neither a workflow nor a worker:
// it starts workflows, passes on what people and endpoints say to them, and reads what became of
// them. It speaks the language of webhook and workflows on one side and Temporal's requests,
// records and errors on the other. What should happen is its callers' to decide: the gateway, the
// activities, health, audit and archive each reach it through an interface of their own, and cmd
// puts them together.
package orchestrator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// Client is the part of Temporal's client that is used; client.Client is one.
type Client interface {
	ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	SignalWithStartWorkflow(ctx context.Context, workflowID, signal string, arg any, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
	SignalWorkflow(ctx context.Context, workflowID, runID, signal string, arg any) error
	UpdateWorkflow(ctx context.Context, o client.UpdateWorkflowOptions) (client.WorkflowUpdateHandle, error)
	CancelWorkflow(ctx context.Context, workflowID, runID string) error
	QueryWorkflow(ctx context.Context, workflowID, runID, queryType string, args ...any) (converter.EncodedValue, error)
	GetWorkflow(ctx context.Context, workflowID, runID string) client.WorkflowRun
	GetWorkflowHistory(ctx context.Context, workflowID, runID string, longPoll bool, filter enums.HistoryEventFilterType) client.HistoryEventIterator
	DescribeWorkflowExecution(ctx context.Context, workflowID, runID string) (*workflowservice.DescribeWorkflowExecutionResponse, error)
	ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error)
	CountWorkflow(ctx context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error)
	CheckHealth(ctx context.Context, r *client.CheckHealthRequest) (*client.CheckHealthResponse, error)
	WorkflowService() workflowservice.WorkflowServiceClient
}

var _ Client = client.Client(nil)

// Config says where Temporal is.
type Config struct {
	Client    Client
	Namespace string                  // of the client; empty: client.DefaultNamespace
	Converter converter.DataConverter // the client's; nil: the SDK's default
	Prover    *Prover                 // of who sent updates; nil: nothing is proven
}

// Orchestrator speaks to one namespace. It keeps nothing: what its parts say is what Temporal
// knows.
type Orchestrator struct{ link }

// New says so if there is no client.
func New(c Config) (*Orchestrator, error) {
	if c.Client == nil {
		return nil, errors.New("orchestrator: Client is missing")
	}
	c.Namespace = cmp.Or(c.Namespace, client.DefaultNamespace)
	if c.Converter == nil {
		c.Converter = converter.GetDefaultDataConverter()
	}
	return &Orchestrator{link{client: c.Client, namespace: c.Namespace, converter: c.Converter, prover: c.Prover}}, nil
}

// link is what every part speaks through.
type link struct {
	client    Client
	namespace string
	converter converter.DataConverter
	prover    *Prover
}

// list gives a page of the runs that a query finds, and where the next page begins; nil: that was
// the last.
func (l link) list(ctx context.Context, q query, size int, page []byte) ([]Execution, []byte, error) {
	found, err := l.client.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: int32(size), NextPageToken: page, Query: string(q),
	})
	if err != nil {
		return nil, nil, err
	}
	all := make([]Execution, len(found.GetExecutions()))
	for i, x := range found.GetExecutions() {
		all[i] = execution(x)
	}
	if next := found.GetNextPageToken(); len(next) > 0 {
		return all, next, nil
	}
	return all, nil, nil
}

// every gives all the runs that a query finds, read so many at a time. An error ends it.
func (l link) every(ctx context.Context, q query, size int) iter.Seq2[Execution, error] {
	return func(yield func(Execution, error) bool) {
		for page, more := []byte(nil), true; more; more = len(page) > 0 {
			var found []Execution
			var err error
			if found, page, err = l.list(ctx, q, size, page); err != nil {
				yield(Execution{}, err)
				return
			}
			for _, x := range found {
				if !yield(x, nil) {
					return
				}
			}
		}
	}
}

// signal tells a workflow that may not run, which is fine.
func (l link) signal(ctx context.Context, workflowID, signal string, arg any) error {
	err := l.client.SignalWorkflow(ctx, workflowID, "", signal, arg)
	if err == nil || unknown(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", workflowID, err)
}

// count counts the runs that a query finds, as far as the visibility store knows: it is a moment
// behind.
func (l link) count(ctx context.Context, q query) (int, error) {
	n, err := l.client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: string(q)})
	return int(n.GetCount()), err
}

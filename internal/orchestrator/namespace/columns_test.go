package namespace_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"hookloop/internal/orchestrator/namespace"
)

// pages is a cluster with one namespace on each.
type pages struct {
	workflowservice.WorkflowServiceClient

	columns []map[string]string
}

func (p pages) WorkflowService() workflowservice.WorkflowServiceClient { return p }

func (p pages) OperatorService() operatorservice.OperatorServiceClient { return nil }

func (p pages) ListNamespaces(_ context.Context, r *workflowservice.ListNamespacesRequest, _ ...grpc.CallOption) (*workflowservice.ListNamespacesResponse, error) {
	n := len(r.GetNextPageToken())
	answer := &workflowservice.ListNamespacesResponse{Namespaces: []*workflowservice.DescribeNamespaceResponse{
		{Config: &namespacepb.NamespaceConfig{CustomSearchAttributeAliases: p.columns[n]}},
	}}
	if n+1 < len(p.columns) {
		answer.NextPageToken = make([]byte, n+1)
	}
	return answer, nil
}

func TestColumnsOfEveryNamespace(t *testing.T) {
	t.Parallel()
	got, err := namespace.Columns(t.Context(), pages{columns: []map[string]string{
		{"Keyword02": "Tenant", "Int01": "Size"}, nil, {"Keyword09": "Customer"},
	}})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"Keyword02", "Int01", "Keyword09"}, got)
}

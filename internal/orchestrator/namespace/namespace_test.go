package namespace_test

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	"hookloop/internal/orchestrator/namespace"
	"hookloop/internal/webhook"
)

// cluster is a Temporal with at most one namespace.
type cluster struct {
	workflowservice.WorkflowServiceClient
	operatorservice.OperatorServiceClient

	exists     bool
	retention  time.Duration
	attributes map[string]enums.IndexedValueType
	updates    int

	raced     bool      // another Prepare registers the namespace in between
	denied    bool      // search attributes are made elsewhere
	knownFrom time.Time // before, frontends refuse the search attributes
}

func newCluster() *cluster {
	return &cluster{attributes: map[string]enums.IndexedValueType{}}
}

func (c *cluster) WorkflowService() workflowservice.WorkflowServiceClient { return c }

func (c *cluster) OperatorService() operatorservice.OperatorServiceClient { return c }

func (c *cluster) DescribeNamespace(context.Context, *workflowservice.DescribeNamespaceRequest, ...grpc.CallOption) (*workflowservice.DescribeNamespaceResponse, error) {
	if !c.exists {
		return nil, serviceerror.NewNamespaceNotFound("hookloop")
	}
	return &workflowservice.DescribeNamespaceResponse{
		Config: &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(c.retention)},
	}, nil
}

func (c *cluster) RegisterNamespace(_ context.Context, r *workflowservice.RegisterNamespaceRequest, _ ...grpc.CallOption) (*workflowservice.RegisterNamespaceResponse, error) {
	c.exists = true
	if c.raced {
		return nil, serviceerror.NewNamespaceAlreadyExists("hookloop")
	}
	c.retention = r.GetWorkflowExecutionRetentionPeriod().AsDuration()
	return &workflowservice.RegisterNamespaceResponse{}, nil
}

func (c *cluster) UpdateNamespace(_ context.Context, r *workflowservice.UpdateNamespaceRequest, _ ...grpc.CallOption) (*workflowservice.UpdateNamespaceResponse, error) {
	c.updates++
	c.retention = r.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	return &workflowservice.UpdateNamespaceResponse{}, nil
}

func (c *cluster) CountWorkflowExecutions(context.Context, *workflowservice.CountWorkflowExecutionsRequest, ...grpc.CallOption) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	if time.Now().Before(c.knownFrom) {
		return nil, serviceerror.NewInvalidArgument("no such search attribute")
	}
	return &workflowservice.CountWorkflowExecutionsResponse{}, nil
}

func (c *cluster) ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error) {
	return &operatorservice.ListSearchAttributesResponse{CustomAttributes: c.attributes}, nil
}

func (c *cluster) AddSearchAttributes(_ context.Context, r *operatorservice.AddSearchAttributesRequest, _ ...grpc.CallOption) (*operatorservice.AddSearchAttributesResponse, error) {
	if c.denied {
		return nil, serviceerror.NewPermissionDenied("not here", "")
	}
	maps.Copy(c.attributes, r.GetSearchAttributes())
	return &operatorservice.AddSearchAttributesResponse{}, nil
}

var wanted = namespace.Config{Namespace: "hookloop", SearchAttributes: []string{"Tenant", "Outcome"}}

func TestPrepareMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		c.attributes["Outcome"] = enums.INDEXED_VALUE_TYPE_KEYWORD
		r, err := namespace.Prepare(t.Context(), c, wanted)
		require.NoError(t, err)
		require.Equal(t, namespace.Result{Created: true, Retention: 30 * 24 * time.Hour, Added: []string{"Tenant"}}, r)
		require.Equal(t, webhook.DefaultRetention, c.retention)
		require.Equal(t, enums.INDEXED_VALUE_TYPE_KEYWORD, c.attributes["Tenant"])

		r, err = namespace.Prepare(t.Context(), c, wanted)
		require.NoError(t, err)
		require.Equal(t, namespace.Result{Retention: 30 * 24 * time.Hour}, r, "nothing is missing any more")
		require.Zero(t, c.updates)
	})
}

func TestPrepareSetsTheRetentionThatIsAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, cfg := newCluster(), wanted
		c.exists, c.retention = true, 3*24*time.Hour
		r, err := namespace.Prepare(t.Context(), c, cfg)
		require.NoError(t, err)
		require.Equal(t, 3*24*time.Hour, r.Retention, "as it is")

		for range 2 {
			cfg.Retention = 90 * 24 * time.Hour
			r, err = namespace.Prepare(t.Context(), c, cfg)
			require.NoError(t, err)
			require.Equal(t, 90*24*time.Hour, r.Retention)
			require.Equal(t, 90*24*time.Hour, c.retention)
			require.Equal(t, 1, c.updates)
		}
	})
}

// TestPrepareTwiceAtOnce: the other one was first.
func TestPrepareTwiceAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		c.raced = true
		_, err := namespace.Prepare(t.Context(), c, wanted)
		require.NoError(t, err)
	})
}

// TestPrepareWaitsForTheWholeCluster: a frontend refuses what it has not heard of yet, for a minute
// at most.
func TestPrepareWaitsForTheWholeCluster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, began := newCluster(), time.Now()
		c.knownFrom = began.Add(10 * time.Second)
		_, err := namespace.Prepare(t.Context(), c, wanted)
		require.NoError(t, err)
		require.Equal(t, 10*time.Second, time.Since(began))

		c.knownFrom = time.Now().Add(time.Hour)
		_, err = namespace.Prepare(t.Context(), c, wanted)
		require.ErrorContains(t, err, "not known everywhere after 1m0s")
		require.ErrorContains(t, err, "no such search attribute")
	})
}

func TestPrepareExplainsWhatItCannotMake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		c.denied = true
		_, err := namespace.Prepare(t.Context(), c, wanted)
		require.ErrorContains(t, err, "make these keywords where you manage the namespace: [Tenant Outcome]")

		c = newCluster()
		c.attributes["Tenant"] = enums.INDEXED_VALUE_TYPE_INT
		_, err = namespace.Prepare(t.Context(), c, wanted)
		require.EqualError(t, err, "search attributes of hookloop: Tenant exists and is no keyword, but Int")
	})
}

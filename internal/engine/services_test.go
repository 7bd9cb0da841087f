package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/service"
	"go.temporal.io/server/temporal"

	"hookloop/internal/engine"
)

// TestServicesAreThoseOfTemporal fails when a release of Temporal starts more, or passes calls
// through more, than services.go knows of.
func TestServicesAreThoseOfTemporal(t *testing.T) {
	t.Parallel()
	ours := regexp.MustCompile(`hookloop/internal/engine\.[\w.]*(history|matching|frontend)Service\.func\d+\(\)`).ReplaceAllStringFunc(engine.ServerModule(), func(name string) string {
		for _, service := range []string{"History", "Matching", "Frontend"} {
			if strings.Contains(name, strings.ToLower(service)+"Service") {
				return "go.temporal.io/server/temporal." + service + "ServiceProvider()"
			}
		}
		return name
	})
	require.Equal(t, fmt.Sprint(temporal.TopLevelModule), ours)
	var fields []string
	for f := range reflect.TypeFor[service.GrpcServerOptionsParams]().Fields() {
		fields = append(fields, f.Name)
	}
	require.Equal(t, []string{
		"In", "Logger", "RPCFactory", "ServiceErrorInterceptor", "RetryableInterceptor", "TelemetryInterceptor",
		"NamespaceRateLimitInterceptor", "RateLimitInterceptor", "TracingStatsHandler", "MetricsStatsHandler",
		"ContextMetadataInterceptor", "AdditionalInterceptors", "AdditionalStreamInterceptors",
	}, fields)
}

func TestAClientInTheProcessNeedsNoNetwork(t *testing.T) {
	t.Parallel()
	e := sharedEngine(t)
	c := connect(t, e, client.Options{
		HostPort:          "127.0.0.1:1", // nothing listens there
		ConnectionOptions: client.ConnectionOptions{DialOptions: e.DialOptions()},
	})
	work(t, c)
	runEvent(t, c, "event/acme/without-network")
	_, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: e.Namespace()})
	require.NoError(t, err)
}

// TestErrorsAreTheSameWithoutTheNetwork holds the interceptors of the frontend to both ways in.
func TestErrorsAreTheSameWithoutTheNetwork(t *testing.T) {
	t.Parallel()
	e := sharedEngine(t)
	inside, outside := dial(t, e), connect(t, e, client.Options{})
	for what, ask := range map[string]func(context.Context, client.Client) error{
		"no such workflow": func(ctx context.Context, c client.Client) error {
			_, err := c.DescribeWorkflowExecution(ctx, "none", "")
			return err
		},
		"wrong run id": func(ctx context.Context, c client.Client) error {
			_, err := c.DescribeWorkflowExecution(ctx, "none", "not-an-id")
			return err
		},
		"signal without a receiver": func(ctx context.Context, c client.Client) error {
			return c.SignalWorkflow(ctx, "none", "", "hello", nil)
		},
		"wrong filter": func(ctx context.Context, c client.Client) error {
			_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: "Colour = 'red'"})
			return err
		},
		"name that is too long": func(ctx context.Context, c client.Client) error {
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: strings.Repeat("x", 5000), TaskQueue: taskQueue}, "none")
			return err
		},
		"too much": func(ctx context.Context, c client.Client) error {
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "large", TaskQueue: taskQueue}, "none", strings.Repeat("x", 3<<20))
			return err
		},
		"no time": func(ctx context.Context, c client.Client) error {
			ctx, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
			defer cancel()
			_, err := c.DescribeWorkflowExecution(ctx, "none", "")
			return err
		},
	} {
		want, got := ask(t.Context(), outside), ask(t.Context(), inside)
		require.Error(t, want, what)
		require.Equal(t, kinds(want), kinds(got), what)
		require.Equal(t, want.Error(), got.Error(), what)
	}
}

func TestStartingTwiceIsRefusedWithoutTheNetwork(t *testing.T) {
	t.Parallel()
	e := sharedEngine(t)
	c := dial(t, e)
	work(t, c)
	runEvent(t, c, "event/acme/once")
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "event/acme/once", TaskQueue: taskQueue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDReusePolicy: enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
	}, bareEvent, nil)
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	require.ErrorAs(t, err, &started)
	require.NotEmpty(t, started.RunId, "the details of the error")
}

func connect(tb testing.TB, e *engine.Engine, o client.Options) client.Client {
	tb.Helper()
	if o.HostPort == "" {
		o.HostPort = e.HostPort()
	}
	o.Namespace, o.Logger = e.Namespace(), quiet
	c, err := client.Dial(o)
	require.NoError(tb, err)
	tb.Cleanup(c.Close)
	return c
}

// kinds are the types of an error and of what it wraps.
func kinds(err error) (all []string) {
	for ; err != nil; err = errors.Unwrap(err) {
		all = append(all, fmt.Sprintf("%T", err))
	}
	return all
}

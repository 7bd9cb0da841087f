package gateway_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/orchestrator/orchestratortest"
)

// fullTemporal answers, and takes nothing while it refuses: its database is full.
type fullTemporal struct {
	*orchestratortest.Temporal

	refuses error
}

func (f *fullTemporal) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	if f.refuses != nil {
		return nil, f.refuses
	}
	return f.Temporal.ExecuteWorkflow(ctx, o, workflow, args...)
}

func TestNotReadyWhileTemporalTakesNothing(t *testing.T) {
	t.Parallel()
	now := time.Now()
	full := &fullTemporal{Temporal: orchestratortest.New()}
	r := newRigOver(t, func(b *behind) { b.temporal = full }, func(c *gateway.Config) { c.Now = func() time.Time { return now } })
	post := func() int { return r.do("POST", "/events", `{"type":"a.b","data":1}`).Code }
	ready := func() int { return r.do("GET", "=/readyz", "").Code }

	full.refuses = serviceerror.NewUnavailable("no space left on device")
	require.Equal(t, 200, ready(), "it is not known yet")
	require.Equal(t, 503, post())
	p := refused(t, r.do("GET", "=/readyz", ""), 503, api.Unavailable)
	require.Equal(t, "temporal takes no events", p.Detail)
	now = now.Add(16 * time.Second)
	require.Equal(t, 200, ready(), "or no event would ever show that it is over")
	require.Equal(t, 503, post())
	require.Equal(t, 503, ready())
	full.refuses = nil
	require.Equal(t, 202, post())
	require.Equal(t, 200, ready())
	full.refuses = serviceerror.NewCanceled("the client has gone")
	require.Equal(t, 503, post())
	require.Equal(t, 200, ready(), "that says nothing about Temporal")
}

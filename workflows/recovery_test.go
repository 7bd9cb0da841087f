package workflows_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// archive holds so many undelivered deliveries, a hundred on a page.
type archive struct {
	mu      sync.Mutex
	size    int
	started map[string]int
	refuse  map[string]error
}

func (a *archive) Undelivered(_ context.Context, _ webhook.Window, page []byte) (ids []string, next []byte, err error) {
	from, _ := strconv.Atoi(string(page))
	for i := from; i < min(from+100, a.size); i++ {
		ids = append(ids, fmt.Sprintf("evt_%05d", i))
	}
	if from+100 < a.size {
		next = []byte(strconv.Itoa(from + 100))
	}
	return ids, next, nil
}

func (a *archive) Redeliver(_ context.Context, _, eventID, _ string, _ webhook.Instruction) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.refuse[eventID]; err != nil {
		return err
	}
	if a.started == nil {
		a.started = map[string]int{}
	}
	a.started[eventID]++
	return nil
}

func recoveryEnv(t *testing.T, a *archive) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env := newEnv(t, &consumer{})
	env.RegisterActivity(&activities.Recovery{Deliveries: a})
	return env
}

var recovery = workflows.RecoveryInput{
	Window:        webhook.Window{Tenant: "demo", EndpointID: "ep_a", Since: happened, Until: happened.Add(time.Hour)},
	RatePerSecond: 1e6,
}

// TestRecoveryHasNoCap: peers stop silently at ten thousand.
func TestRecoveryHasNoCap(t *testing.T) {
	t.Parallel()
	a := &archive{size: 12_000, refuse: map[string]error{
		"evt_00007": webhook.Errorf(webhook.Conflict, "under way"),
		"evt_11999": webhook.Errorf(webhook.Expired, "gone"),
	}}
	env := recoveryEnv(t, a)
	env.ExecuteWorkflow(workflows.Recovery, recovery)
	require.NoError(t, env.GetWorkflowError())
	var report workflows.RecoveryReport
	require.NoError(t, env.GetWorkflowResult(&report))
	require.Equal(t, workflows.RecoveryReport{Found: 12_000, Redelivered: 11_998, Skipped: 2, Done: true}, report)
	require.Len(t, a.started, 11_998)
	for id, times := range a.started {
		require.Equal(t, 1, times, id)
	}
}

// TestRecoveryStopsWithItsEndpoint: what was not started is not counted as if it had been.
func TestRecoveryStopsWithItsEndpoint(t *testing.T) {
	t.Parallel()
	a := &archive{size: 500, refuse: map[string]error{"evt_00150": webhook.Errorf(webhook.Disabled, "disabled")}}
	env := recoveryEnv(t, a)
	env.ExecuteWorkflow(workflows.Recovery, recovery)
	var report workflows.RecoveryReport
	require.NoError(t, env.GetWorkflowResult(&report))
	require.Equal(t, 150, report.Redelivered)
	require.Len(t, a.started, 150)
	require.False(t, report.Done)
	require.Contains(t, report.Stopped, "the endpoint was disabled")
}

func TestRecoveryOfNothing(t *testing.T) {
	t.Parallel()
	env := recoveryEnv(t, &archive{})
	env.ExecuteWorkflow(workflows.Recovery, recovery)
	var report workflows.RecoveryReport
	require.NoError(t, env.GetWorkflowResult(&report))
	require.Equal(t, workflows.RecoveryReport{Done: true}, report)
}

func TestCancelledRecoveryStops(t *testing.T) {
	t.Parallel()
	a := &archive{size: 500}
	env := recoveryEnv(t, a)
	env.RegisterDelayedCallback(env.CancelWorkflow, 0)
	env.ExecuteWorkflow(workflows.Recovery, recovery)
	require.True(t, temporal.IsCanceledError(env.GetWorkflowError()))
	require.Less(t, len(a.started), 500)
}

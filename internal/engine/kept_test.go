package engine_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// kept is KeptWorkflows in these tests, whose engines share a process.
const kept = 256

// TestKeepsSoManyWorkflows: Temporal's own workers start before those of Hookloop, and the first
// decides how many workflows a process keeps.
func TestKeepsSoManyWorkflows(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, config(t)))
	var inMemory, begun atomic.Int64
	waits := func(ctx workflow.Context) error {
		begun.Add(1)
		inMemory.Add(1)
		defer inMemory.Add(-1) // also when it is dropped
		workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
		return nil
	}
	w := worker.New(c, "waits", worker.Options{})
	w.RegisterWorkflowWithOptions(waits, workflow.RegisterOptions{Name: "waits"})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	const all = kept + 50
	for n := range all {
		_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: fmt.Sprintf("waits-%d", n), TaskQueue: "waits"}, "waits")
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return begun.Load() >= all && inMemory.Load() <= kept }, patience, 10*time.Millisecond)
}

package workflows_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"hookloop/workflows"
)

// TestReplay holds this code against histories of the code before it. A failure means that running
// deliveries would not survive the change: gate it as docs/style.md says.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Event", "Delivery", "Recovery", "Approval"} {
		files, err := filepath.Glob(filepath.Join("testdata", "histories", name, "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, files, name)
		for _, file := range files {
			t.Run(filepath.Join(name, filepath.Base(file)), func(t *testing.T) {
				t.Parallel()
				replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
					DisableDeadlockDetection: true, // a second may pass on a busy machine
				})
				require.NoError(t, err)
				workflows.Register(replayer)
				require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(nil, file))
			})
		}
	}
}

package workflows_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/workflows"
)

// BenchmarkEvent is an event whose first attempts all succeed. Nearly all that grows faster than
// the number of its endpoints is what its details in the UI cost.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{1, 10, 64, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var ids []string
			for i := range n {
				ids = append(ids, fmt.Sprintf("ep_%04d", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				env := newEnv(b, &consumer{})
				env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: ids}, raw(data))
				require.NoError(b, env.GetWorkflowError())
			}
		})
	}
}

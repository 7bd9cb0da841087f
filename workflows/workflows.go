// Package workflows decides what happens next: Event makes the first attempt to every endpoint,
// Delivery carries on with one that did not take the event, Approval asks a person about an
// endpoint that keeps failing, Recovery starts finished deliveries again. Code here must replay to
// the same commands: no clock, randomness, map order, goroutines, environment or configuration.
package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register makes the workflows known to a worker, a replayer or a test environment. Where workers
// have versions (worker.Deployment), an Event ends on the version it began with. The others may
// last for months and go on with the current version, which the replay tests allow.
func Register(r worker.WorkflowRegistry) {
	pinned := workflow.RegisterOptions{VersioningBehavior: workflow.VersioningBehaviorPinned}
	upgraded := workflow.RegisterOptions{VersioningBehavior: workflow.VersioningBehaviorAutoUpgrade}
	r.RegisterWorkflowWithOptions(Event, pinned)
	r.RegisterWorkflowWithOptions(Delivery, upgraded)
	r.RegisterWorkflowWithOptions(Recovery, upgraded)
	r.RegisterWorkflowWithOptions(Approval, upgraded)
}

// Package workflows decides what happens next: Event makes the first attempt to every endpoint,
// Delivery carries on with one that did not take the event, Approval asks a person about an endpoint
// that keeps failing, Recovery starts finished deliveries again. Code here must replay to the same
// commands: no clock, randomness, map order, goroutines, environment or configuration.
package workflows

import "go.temporal.io/sdk/worker"

// Register makes the workflows known to a worker, a replayer or a test environment.
func Register(r worker.WorkflowRegistry) {
	r.RegisterWorkflow(Event)
	r.RegisterWorkflow(Delivery)
	r.RegisterWorkflow(Recovery)
	r.RegisterWorkflow(Approval)
}

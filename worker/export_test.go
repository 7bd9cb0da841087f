package worker

import "go.temporal.io/sdk/worker"

// Options is what the SDK is told of the worker's version.
func (d Deployment) Options() worker.DeploymentOptions { return d.options() }

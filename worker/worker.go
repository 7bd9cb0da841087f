// Package worker runs workflows and activities until it is told to stop. It registers them on
// their task queue and bounds what runs at once; what they do is theirs.
package worker

import (
	"errors"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"hookloop/activities"
	"hookloop/workflows"
)

// stopTimeout lets attempts under way finish, and their results be recorded, before the worker
// ends. What takes longer is handed back to be made again: orchestrators kill after 30 s.
const stopTimeout = 25 * time.Second

// Pollers of one kind: of workflow tasks, of sticky ones, of activities.
const (
	leastPollers = 8
	mostPollers  = 50
)

// What runs at once. The sender decides how many attempts there are, by tenant and endpoint, and
// lets others wait or defers them: so the SDK's own limits, which know neither, must never be the
// ones that are met first.
const (
	// A workflow task lasts as long as its first attempts. The sender makes 2,048 of those at once
	// and lets 4,096 wait; each may be an event of its own. One that is under way and waits costs
	// some 50 KiB.
	mostWorkflowTasks = 8192
	// One event has up to 64 first attempts at once. What finds none waits in the SDK, in the order
	// in which it came.
	mostLocalActivities = 16384
	// Retries, which the sender bounds likewise, and beside them releases, recoveries and
	// approvals.
	mostActivities = 8192
)

// KeptWorkflows are kept in memory between two of their tasks, at some 40 KiB each, by all workers
// of a process together; the first of them decides. One that waits for days need not stay: it is
// replayed from a short history. But an event whose attempts take longer than eight seconds, and
// whose task reports meanwhile, must not be dropped, or they would be made twice: so there are more
// than attempts.
const KeptWorkflows = 4096

// deadlockAfter is how long a workflow may compute until the SDK takes it for one that hangs and
// fails its task. First attempts are made within that task, so what had been sent is sent again
// then. Ours compute for milliseconds, but a worker that gets no turn of a busy machine stands
// still for longer than the SDK's second. A task that takes ten seconds has run out anyway.
const deadlockAfter = 8 * time.Second

// Deployment is the version of a worker, for Temporal's worker versioning.
type Deployment struct {
	Name    string // of all versions, "hookloop"
	BuildID string // of this one, "0.2.0"
}

// Config is what a worker needs. All fields but the last are required.
type Config struct {
	Client     client.Client // shared with the gateway, or events are not started eagerly
	Deliveries *activities.Delivery
	Recoveries *activities.Recovery
	Approvals  *activities.Approval
	Deployment Deployment // zero: the worker has no version, and works off whatever comes
}

// Worker works off Hookloop's task queue.
type Worker struct{ worker worker.Worker }

// New registers everything; nothing runs yet.
func New(cfg Config) (*Worker, error) {
	if cfg.Client == nil || cfg.Deliveries == nil || cfg.Recoveries == nil || cfg.Approvals == nil {
		return nil, errors.New("worker: Client, Deliveries, Recoveries and Approvals are required")
	}
	worker.SetStickyWorkflowCacheSize(KeptWorkflows)
	w := worker.New(cfg.Client, workflows.TaskQueue, worker.Options{
		WorkerStopTimeout:           stopTimeout,
		DeadlockDetectionTimeout:    deadlockAfter,
		DisableRegistrationAliasing: true,
		WorkflowTaskPollerBehavior:  pollers(),
		ActivityTaskPollerBehavior:  pollers(),

		MaxConcurrentWorkflowTaskExecutionSize:  mostWorkflowTasks,
		MaxConcurrentLocalActivityExecutionSize: mostLocalActivities,
		MaxConcurrentActivityExecutionSize:      mostActivities,

		DeploymentOptions: cfg.Deployment.options(),
	})
	workflows.Register(w)
	w.RegisterActivity(cfg.Deliveries)
	w.RegisterActivity(cfg.Recoveries)
	w.RegisterActivity(cfg.Approvals)
	return &Worker{worker: w}, nil
}

// options leave it to each workflow what becomes of it when there is a new version
// (workflows.Register).
func (d Deployment) options() (o worker.DeploymentOptions) {
	if d != (Deployment{}) {
		o.UseVersioning = true
		o.Version = worker.WorkerDeploymentVersion{DeploymentName: d.Name, BuildID: d.BuildID}
	}
	return o
}

// pollers are as many as there is work for. Never fewer than there are partitions in a task queue,
// which are four unless an operator changed it: a poll that waits in one of them does not see the
// tasks of the others while their way through the root is broken, as it is for a minute after
// Temporal was killed. With the SDK's two, events waited for that minute in one restart out of
// four; with eight, in none of eight.
func pollers() worker.PollerBehavior {
	return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
		InitialNumberOfPollers: leastPollers, MinimumNumberOfPollers: leastPollers, MaximumNumberOfPollers: mostPollers,
	})
}

// Start begins to poll. Stop ends it, after the attempts under way have ended.
func (w *Worker) Start() error { return w.worker.Start() }

// Stop ends polling and waits for what runs.
func (w *Worker) Stop() { w.worker.Stop() }

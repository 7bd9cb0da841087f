package telemetry

// prefix begins the SDK's names of its metrics.
const prefix = "temporal_"

// The tags of Temporal's SDK that become labels. Namespace and client are the same for all, and a
// task queue may bear a process's own name: they are left out, and so is every tag that is not
// listed.
const (
	operation = iota
	statusCode
	cause
	workflowType
	activityType
	workerType
	pollerType
	failureReason
	deliveryStatus
	tagCount
)

var tags = map[string]int{
	"operation": operation, "status_code": statusCode, "cause": cause, "workflow_type": workflowType,
	"activity_type": activityType, "worker_type": workerType, "poller_type": pollerType, "failure_reason": failureReason,
	"status": deliveryStatus,
}

// kind is a kind of metric.
type kind int

const (
	counter kind = iota
	gauge
	timer
)

// own are metrics of our workflows: they count through the SDK, which knows what is a replay.
func own() []family {
	return []family{
		{
			kind: counter, name: "hookloop_deliveries_ended", help: "Deliveries that have ended, by how.", labels: []int{deliveryStatus},
			values: []string{"delivered", "exhausted", "rejected", "cancelled"},
		},
	}
}

// family is one metric of the SDK, by its name there. Each is listed here, so their number is
// fixed, even if a release of the SDK adds some.
type family struct {
	kind   kind
	name   string
	help   string
	labels []int
	long   bool     // lasts up to days, not seconds
	values []string // of its only label, shown from the start: of a series that begins with 1 Prometheus sees no increase
}

func families() []family {
	return []family{
		{counter, "request", "Requests to Temporal.", []int{operation}, false, nil},
		{counter, "request_failure", "Requests to Temporal that failed.", []int{operation, statusCode}, false, nil},
		{counter, "request_resource_exhausted", "Requests to Temporal that it refused as too many.", []int{operation, cause}, false, nil},
		{timer, "request_latency", "Time until Temporal answered.", []int{operation}, false, nil},
		{counter, "long_request_failure", "Polls that failed.", []int{operation, statusCode}, false, nil},
		{counter, "workflow_completed", "Workflows that ended.", []int{workflowType}, false, nil},
		{counter, "workflow_failed", "Workflows that failed.", []int{workflowType}, false, nil},
		{counter, "workflow_canceled", "Workflows that were cancelled.", []int{workflowType}, false, nil},
		{timer, "workflow_endtoend_latency", "From a workflow's start to its end: of an Event, from its acceptance until all deliveries have ended.", []int{workflowType}, true, nil},
		{timer, "workflow_task_schedule_to_start_latency", "Time until a worker took a workflow task.", nil, false, nil},
		{timer, "workflow_task_execution_latency", "Time a workflow task took, with the first attempts it made.", []int{workflowType}, false, nil},
		{counter, "workflow_task_execution_failed", "Workflow tasks that failed, and come again.", []int{workflowType, failureReason}, false, nil},
		{counter, "workflow_task_queue_poll_succeed", "Polls that brought a workflow task.", nil, false, nil},
		{counter, "workflow_task_queue_poll_empty", "Polls that brought none.", nil, false, nil},
		{timer, "activity_schedule_to_start_latency", "Time until a worker took an activity.", []int{activityType}, false, nil},
		{timer, "activity_execution_latency", "Time an activity took.", []int{activityType}, false, nil},
		{counter, "activity_execution_failed", "Activities that ended with an error and come again; deferrals are among them.", []int{activityType}, false, nil},
		{counter, "local_activity_total", "Local activities: first attempts.", []int{activityType}, false, nil},
		{counter, "local_activity_execution_failed", "Local activities that ended with an error.", []int{activityType}, false, nil},
		{gauge, "worker_task_slots_available", "Tasks the worker could take more.", []int{workerType}, false, nil},
		{gauge, "worker_task_slots_used", "Tasks under way.", []int{workerType}, false, nil},
		{gauge, "num_pollers", "Polls under way.", []int{pollerType}, false, nil},
		{gauge, "sticky_cache_size", "Workflows kept in memory.", nil, false, nil},
		{counter, "sticky_cache_hit", "Workflow tasks that found their workflow in memory.", nil, false, nil},
		{counter, "sticky_cache_miss", "Workflow tasks that replayed a history first.", nil, false, nil},
		{counter, "sticky_cache_total_forced_eviction", "Workflows dropped from memory for others.", nil, false, nil},
	}
}

var (
	shortBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	longBuckets  = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 43200, 86400, 3 * 86400}
)

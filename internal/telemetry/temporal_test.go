package telemetry_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"hookloop/internal/telemetry"
)

func newTold(t testing.TB) *telemetry.Telemetry {
	t.Helper()
	told, err := telemetry.New(t.Context(), telemetry.Config{})
	require.NoError(t, err)
	return told
}

// everyFamily makes every metric appear, whichever kind it is: what it is not is ignored.
func everyFamily(told *telemetry.Telemetry) {
	for _, name := range telemetry.Families() {
		told.Temporal().Counter(name).Inc(1)
		told.Temporal().Gauge(name).Update(1)
		told.Temporal().Timer(name).Record(time.Second)
	}
}

func TestTemporalMetrics(t *testing.T) {
	t.Parallel()
	told := newTold(t)
	request := told.Temporal().WithTags(map[string]string{"namespace": "default", "client_name": "temporal_go", "task_queue": "host:4711"}).
		WithTags(map[string]string{"operation": "StartWorkflowExecution"})
	request.Counter("temporal_request").Inc(2)
	request.WithTags(map[string]string{"status_code": "UNAVAILABLE"}).Counter("temporal_request_failure").Inc(1)
	request.Counter("temporal_request_attempt").Inc(1)
	request.Counter("of_tomorrow").Inc(1)
	request.Gauge("of_tomorrow").Update(1)
	request.Timer("temporal_request").Record(time.Second)
	told.Temporal().WithTags(map[string]string{"worker_type": "WorkflowWorker"}).Gauge("temporal_worker_task_slots_used").Update(3)
	told.Temporal().WithTags(map[string]string{"activity_type": "FastAttempt"}).Counter("temporal_local_activity_total").Inc(1)
	request.WithTags(map[string]string{"status": "exhausted"}).Counter("hookloop_deliveries_ended").Inc(2)
	require.NoError(t, testutil.GatherAndCompare(told.Metrics(), strings.NewReader(`
# HELP hookloop_deliveries_ended_total Deliveries that have ended, by how.
# TYPE hookloop_deliveries_ended_total counter
hookloop_deliveries_ended_total{status="cancelled"} 0
hookloop_deliveries_ended_total{status="delivered"} 0
hookloop_deliveries_ended_total{status="exhausted"} 2
hookloop_deliveries_ended_total{status="rejected"} 0
# HELP temporal_local_activity_total Local activities: first attempts.
# TYPE temporal_local_activity_total counter
temporal_local_activity_total{activity_type="FastAttempt"} 1
# HELP temporal_request_failure_total Requests to Temporal that failed.
# TYPE temporal_request_failure_total counter
temporal_request_failure_total{operation="StartWorkflowExecution",status_code="UNAVAILABLE"} 1
# HELP temporal_request_total Requests to Temporal.
# TYPE temporal_request_total counter
temporal_request_total{operation="StartWorkflowExecution"} 2
# HELP temporal_worker_task_slots_used Tasks under way.
# TYPE temporal_worker_task_slots_used gauge
temporal_worker_task_slots_used{worker_type="WorkflowWorker"} 3
`), "hookloop_deliveries_ended_total", "temporal_local_activity_total", "temporal_request_failure_total", "temporal_request_total", "temporal_worker_task_slots_used"))
	names := 0
	all, err := told.Metrics().Gather()
	require.NoError(t, err)
	for _, family := range all {
		if strings.HasPrefix(family.GetName(), "temporal_") {
			names++
		}
	}
	require.Equal(t, 4, names)

	request.Timer("temporal_request_latency").Record(30 * time.Millisecond)
	require.Equal(t, 1, testutil.CollectAndCount(told.Metrics(), "temporal_request_latency_seconds"))
}

// TestTemporalNames: the SDK's names are constants of an internal package; a release that renames
// one would only leave a graph empty.
func TestTemporalNames(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "go.temporal.io/sdk").Output()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "internal", "common", "metrics", "constants.go"))
	require.NoError(t, err)
	said := strings.NewReplacer(
		`TemporalMetricsPrefix + "`, `"temporal_`, `TemporalRequest + "`, `"temporal_request`, `TemporalLongRequest + "`, `"temporal_long_request`,
	).Replace(string(source))
	for _, name := range append(telemetry.Families(), telemetry.Tags()...) {
		require.Contains(t, said, `"`+name+`"`)
	}
}

// BenchmarkTemporalMetrics is what one request to Temporal costs beyond the SDK's own.
func BenchmarkTemporalMetrics(b *testing.B) {
	for _, run := range []struct {
		name    string
		handler client.MetricsHandler
	}{{"none", client.MetricsNopHandler}, {"shown", newTold(b).Temporal()}} {
		b.Run(run.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h := run.handler.WithTags(map[string]string{"operation": "StartWorkflowExecution", "namespace": "default"})
				h.Counter("temporal_request").Inc(1)
				h.Timer("temporal_request_latency").Record(time.Millisecond)
			}
		})
	}
}

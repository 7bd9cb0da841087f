package workflows_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var happened = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

var dataConverter = converter.GetDefaultDataConverter()

const data = `{"b":1.10,  "a":12345678901234567890}`

func anEvent() webhook.Event {
	return webhook.Event{Tenant: "demo", ID: "evt_1", Type: "contact.updated", Timestamp: happened}
}

func raw(s string) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     []byte(s),
	})
}

// consumer stands in for everything outside: each endpoint answers by a script of status codes,
// the last of which repeats; 0 defers.
type consumer struct {
	mu       sync.Mutex
	scripts  map[string][]int
	schedule webhook.Schedule
	gone     map[string]bool
	body     string              // of each answer
	full     int                 // turns during which the endpoint has no place
	paused   int                 // turns during which the endpoint is paused
	sent     map[string][]string // bodies by endpoint
	numbers  map[string][]int    // of the attempts made, by endpoint
	sending  func()              // while each attempt is under way
}

func (c *consumer) Endpoint(_ context.Context, tenant, id string) (webhook.Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone[id] {
		return webhook.Endpoint{}, webhook.Errorf(webhook.NotFound, "endpoint %s does not exist", id)
	}
	return webhook.Endpoint{ID: id, Tenant: tenant, Schedule: c.schedule, State: webhook.EndpointActive}, nil
}

func (c *consumer) EventContent(context.Context, webhook.Event, string) (webhook.Content, error) {
	return webhook.Content{Data: []byte(data)}, nil
}

func (c *consumer) Send(_ context.Context, d webhook.Delivery, n int) (webhook.Attempt, error) {
	if c.sending != nil {
		c.sending()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full > 0 {
		c.full--
		return webhook.Attempt{}, &webhook.Deferral{Reason: webhook.DeferConcurrency, Detail: "no place", WaitMS: 20_000}
	}
	if c.paused > 0 {
		c.paused--
		return webhook.Attempt{}, &webhook.Deferral{Reason: webhook.DeferState, Detail: "the endpoint is paused"}
	}
	id := d.Endpoint.ID
	status := 200
	if script := c.scripts[id]; len(script) > 0 {
		status = script[0]
		if len(script) > 1 {
			c.scripts[id] = script[1:]
		}
	}
	switch status {
	case 0:
		return webhook.Attempt{}, &webhook.Deferral{Reason: webhook.DeferBreaker}
	case -1:
		return webhook.Attempt{}, &webhook.Deferral{Reason: webhook.DeferState, Detail: "the endpoint is paused"}
	}
	if c.sent == nil {
		c.sent, c.numbers = map[string][]string{}, map[string][]int{}
	}
	c.numbers[id] = append(c.numbers[id], n)
	c.sent[id] = append(c.sent[id], string(d.Content.Data))
	return webhook.Attempt{Number: n, At: happened, StatusCode: status, ResponseBody: c.body}, nil
}

func newEnv(t testing.TB, c *consumer) *testsuite.TestWorkflowEnvironment {
	t.Helper()
	env, _ := telling(t, c)
	return env
}

// checkAfter makes a check while the workflow runs, and fails the test if the workflow ends before.
func checkAfter(t *testing.T, env interface{ RegisterDelayedCallback(func(), time.Duration) }, after time.Duration, check func()) {
	t.Helper()
	made := false
	env.RegisterDelayedCallback(func() {
		made = true
		check()
	}, after)
	t.Cleanup(func() { require.True(t, made, "the workflow ended before the check after %s", after) })
}

// telling is an environment in which deliveries are made, and the world that announcements go to.
func telling(t testing.TB, c *consumer) (*testsuite.TestWorkflowEnvironment, *world) {
	t.Helper()
	env, w := newPatientEnv(), &world{}
	env.RegisterActivity(&activities.Delivery{Endpoints: c, Sender: c, Events: c})
	env.RegisterActivity(&activities.Approval{Endpoints: w, Backlog: w, Events: w, Behind: time.Millisecond})
	return env, w
}

// newPatientEnv is an environment with our workflows. What it takes for stuck after 3 s, and for a
// deadlock after 1 s, may be a slow machine.
func newPatientEnv() *testsuite.TestWorkflowEnvironment {
	const patience = time.Minute
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(patience)
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: patience})
	workflows.Register(env)
	return env
}

func runEvent(t *testing.T, c *consumer, endpoints ...string) workflows.EventReport {
	t.Helper()
	env := newEnv(t, c)
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: endpoints}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	var report workflows.EventReport
	require.NoError(t, env.GetWorkflowResult(&report))
	return report
}

func TestEventDeliversInTheFastLane(t *testing.T) {
	t.Parallel()
	c := &consumer{}
	report := runEvent(t, c, "ep_a", "ep_b")
	require.Equal(t, webhook.EventDelivered, report.Status)
	for i, id := range []string{"ep_a", "ep_b"} {
		d := report.Deliveries[i]
		require.Equal(t, id, d.EndpointID)
		require.Equal(t, webhook.Delivered, d.Status)
		require.Len(t, d.Attempts, 1)
		require.Empty(t, d.WorkflowID, "the fast lane needs no workflow of its own")
		require.Equal(t, []string{data}, c.sent[id], "data arrives byte for byte, once")
	}
}

func TestEventHandsTroubleToADelivery(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {503, 500, 200}}, schedule: webhook.Schedule{0, time.Hour, time.Hour}}
	report := runEvent(t, c, "ep_a", "ep_b")
	require.Equal(t, webhook.EventDelivered, report.Status)
	require.Equal(t, "delivery/demo/evt_1/ep_a", report.Deliveries[0].WorkflowID)
	require.Empty(t, report.Deliveries[0].Attempts, "the Delivery's report has them")
	require.Equal(t, []string{data, data, data}, c.sent["ep_a"])
	require.Empty(t, report.Deliveries[1].WorkflowID)
}

// TestEventMakesEarlyRetriesItself: an endpoint that takes half of what it gets would have a
// Delivery for half of all events.
func TestEventMakesEarlyRetriesItself(t *testing.T) {
	t.Parallel()
	soon := webhook.Schedule{0, time.Second, time.Second, time.Second, time.Second, time.Second}
	c := &consumer{scripts: map[string][]int{"ep_a": {503, 500, 200}, "ep_b": {500}}, schedule: soon}
	report := runEvent(t, c, "ep_a", "ep_b")
	a, b := report.Deliveries[0], report.Deliveries[1]
	require.Equal(t, webhook.Delivered, a.Status)
	require.Empty(t, a.WorkflowID)
	require.Nil(t, a.NextAttemptAt)
	require.Len(t, a.Attempts, 3)
	for i, made := range a.Attempts {
		require.Equal(t, i+1, made.Number)
	}
	require.Equal(t, webhook.Exhausted, b.Status)
	require.NotEmpty(t, b.WorkflowID, "what fails for longer is found by its workflow")
	require.Len(t, c.sent["ep_b"], len(soon))
}

// TestAttemptsGoOnWhereTheEventStopped when one of its early retries is deferred for longer.
func TestAttemptsGoOnWhereTheEventStopped(t *testing.T) {
	t.Parallel()
	for name, script := range map[string][]int{"breaker": {500, 0, 0, 200}, "paused": {500, -1, 200}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &consumer{scripts: map[string][]int{"ep_a": script}, schedule: webhook.Schedule{0, time.Second, time.Hour}}
			report := runEvent(t, c, "ep_a")
			require.Equal(t, webhook.EventDelivered, report.Status)
			require.NotEmpty(t, report.Deliveries[0].WorkflowID)
			require.Equal(t, []int{1, 2}, c.numbers["ep_a"])
		})
	}
}

// TestEventWaitsOutAShortDeferral: a Delivery of its own would cost several times a timer. A second
// one is no accident.
func TestEventWaitsOutAShortDeferral(t *testing.T) {
	t.Parallel()
	c := &consumer{full: 1}
	env := newEnv(t, c)
	began := env.Now()
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a"}}, raw(data))
	var report workflows.EventReport
	require.NoError(t, env.GetWorkflowResult(&report))
	require.Equal(t, webhook.EventDelivered, report.Status)
	require.Empty(t, report.Deliveries[0].WorkflowID)
	require.Empty(t, report.Deliveries[0].Reason)
	require.Nil(t, report.Deliveries[0].NextAttemptAt)
	waited := env.Now().Sub(began) // the environment's clock also runs while an attempt is made
	require.GreaterOrEqual(t, waited, 20*time.Second)
	require.Less(t, waited, time.Minute)

	report = runEvent(t, &consumer{full: 2}, "ep_a")
	require.Equal(t, webhook.EventDelivered, report.Status)
	require.NotEmpty(t, report.Deliveries[0].WorkflowID)
}

// TestDeliveryBehindABreakerIsAnActivity that Temporal retries, so that a recheck reaches it when
// the breaker closes.
func TestDeliveryBehindABreakerIsAnActivity(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {0, 0, 200}}}
	report := runEvent(t, c, "ep_a")
	require.Equal(t, webhook.EventDelivered, report.Status)
	require.NotEmpty(t, report.Deliveries[0].WorkflowID)
}

func TestEventFailsWhenAScheduleIsSpent(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {500}}, schedule: webhook.Schedule{0, time.Hour, time.Hour}}
	report := runEvent(t, c, "ep_a", "ep_b")
	require.Equal(t, webhook.EventFailed, report.Status)
	require.Equal(t, webhook.Exhausted, report.Deliveries[0].Status)
	require.Equal(t, "the schedule is spent", report.Deliveries[0].Reason)
	require.Equal(t, webhook.Delivered, report.Deliveries[1].Status)
	require.Len(t, c.sent["ep_a"], 3)
}

func TestEventToMoreEndpointsThanTheLaneHasPlaces(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 3 * workflows.FastLane {
		ids = append(ids, fmt.Sprintf("ep_%03d", i))
	}
	report := runEvent(t, &consumer{body: strings.Repeat("é", 1000), scripts: map[string][]int{"ep_100": {500, 200}}}, ids...)
	require.Equal(t, webhook.EventDelivered, report.Status)
	for i, d := range report.Deliveries {
		require.Equal(t, i == 100, d.WorkflowID != "", "delivery %d", i)
		for _, a := range d.Attempts {
			require.Equal(t, strings.Repeat("é", 64), a.ResponseBody, "many answers, little of each")
		}
	}
}

func TestEventCancelsADeletedEndpoint(t *testing.T) {
	t.Parallel()
	report := runEvent(t, &consumer{gone: map[string]bool{"ep_a": true}}, "ep_a")
	require.Equal(t, webhook.EventFailed, report.Status)
	require.Equal(t, webhook.Cancelled, report.Deliveries[0].Status)
	require.Equal(t, "the endpoint was deleted", report.Deliveries[0].Reason)
	require.Empty(t, report.Deliveries[0].WorkflowID)
}

func TestDeferralSpendsNoAttempt(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {0, 0, 0, 200}}, schedule: webhook.Schedule{0}}
	report := runEvent(t, c, "ep_a")
	require.Equal(t, webhook.EventDelivered, report.Status)
	require.Len(t, c.sent["ep_a"], 1)
}

func TestScheduleMayWaitBeforeTheFirstAttempt(t *testing.T) {
	t.Parallel()
	c := &consumer{schedule: webhook.Schedule{time.Hour}}
	env := newEnv(t, c)
	started := env.Now()
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	require.InDelta(t, time.Hour.Seconds(), env.Now().Sub(started).Seconds(), 0.21*3600)
	require.Len(t, c.sent["ep_a"], 1)
}

func TestDeliveryReportsWhileItWaits(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {200}}}
	env := newEnv(t, c)
	checkAfter(t, env, time.Second, func() {
		answer, err := env.QueryWorkflow(workflows.QueryReport)
		require.NoError(t, err)
		var report webhook.DeliveryReport
		require.NoError(t, answer.Get(&report))
		require.Equal(t, webhook.Retrying, report.Status)
		require.Len(t, report.Attempts, 1)
		require.NotNil(t, report.NextAttemptAt)
	})
	env.ExecuteWorkflow(workflows.Delivery, workflows.DeliveryInput{
		Event: anEvent(), EndpointID: "ep_a", Schedule: webhook.Schedule{0, time.Minute},
		Attempts: []webhook.Attempt{{Number: 1, StatusCode: 503}},
	})
	var r workflows.DeliveryResult
	require.NoError(t, env.GetWorkflowResult(&r))
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 2}, r)
}

func TestDeliveryHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{})
	started := env.Now()
	env.ExecuteWorkflow(workflows.Delivery, workflows.DeliveryInput{
		Event: anEvent(), EndpointID: "ep_a", Schedule: webhook.Schedule{0, time.Second},
		Attempts: []webhook.Attempt{{Number: 1, StatusCode: 429, RetryAfterMS: time.Hour.Milliseconds()}},
	})
	require.NoError(t, env.GetWorkflowError())
	require.GreaterOrEqual(t, env.Now().Sub(started), time.Hour)
}

func TestCancelledDeliveryEndsCancelled(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{})
	env.RegisterDelayedCallback(env.CancelWorkflow, time.Second)
	env.ExecuteWorkflow(workflows.Delivery, workflows.DeliveryInput{
		Event: anEvent(), EndpointID: "ep_a", Schedule: webhook.Schedule{0, time.Hour},
		Attempts: []webhook.Attempt{{Number: 1, StatusCode: 500}},
	})
	require.True(t, temporal.IsCanceledError(env.GetWorkflowError()))
	answer, err := env.QueryWorkflow(workflows.QueryReport)
	require.NoError(t, err)
	var report webhook.DeliveryReport
	require.NoError(t, answer.Get(&report))
	require.Equal(t, webhook.Cancelled, report.Status)
	require.Equal(t, "cancelled", report.Reason)
}

// TestAnEventThatNoEndpointWantedIsUnmatched: it was not delivered, and nothing failed.
func TestAnEventThatNoEndpointWantedIsUnmatched(t *testing.T) {
	t.Parallel()
	require.Equal(t, workflows.EventReport{Status: webhook.EventUnmatched}, runEvent(t, &consumer{}))
}

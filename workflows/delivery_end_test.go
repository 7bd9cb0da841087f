package workflows_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestADeliveryWhoseScheduleIsSpentIsTold, without a word of what the app or the endpoint wrote.
func TestADeliveryWhoseScheduleIsSpentIsTold(t *testing.T) {
	t.Parallel()
	c := &consumer{scripts: map[string][]int{"ep_a": {500, 400}, "ep_b": {503, 200}}, schedule: webhook.Schedule{0, time.Hour}, body: "hunter2"}
	env, w := telling(t, c)
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: anEvent(), EndpointIDs: []string{"ep_a", "ep_b", "ep_c"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	require.Equal(t, []string{webhook.EventDeliveryExhausted}, w.announcedTypes(), "of one delivery")
	a := w.announced[0]
	require.Equal(t, activities.EndpointRef{Tenant: "demo", EndpointID: "ep_a"}, a.EndpointRef)
	require.True(t, a.Many)
	var said map[string]any
	require.NoError(t, json.Unmarshal(a.Data, &said))
	require.NotContains(t, string(a.Data), "hunter2")
	delete(said, "accepted_at")
	require.Equal(t, map[string]any{
		"event_id": "evt_1", "event_type": "contact.updated", "endpoint_id": "ep_a", "attempts": 2.0,
		"last_answer": map[string]any{"at": "2026-01-31T12:00:00Z", "status_code": 400.0}, "workflow_id": "delivery/demo/evt_1/ep_a",
	}, said)
}

// TestWhatCannotBeToldAtOnceIsToldLater, as the same announcement: it is accepted once.
func TestWhatCannotBeToldAtOnceIsToldLater(t *testing.T) {
	t.Parallel()
	for _, fails := range []int{1, 3, 5} { // local activities try three times
		env, w := telling(t, &consumer{})
		w.away = fails
		in := waiting()
		in.Schedule = webhook.Schedule{0}
		in.Attempts = []webhook.Attempt{{Number: 1, StatusCode: 500}}
		r, _ := ran(t, env, in)
		require.Equal(t, webhook.Exhausted, r.Status)
		require.Equal(t, []string{webhook.EventDeliveryExhausted}, w.announcedTypes())
		require.Len(t, w.tried, fails+1)
		require.Len(t, slices.Compact(slices.Clone(w.tried)), 1)
	}
}

// TestOfWhatHookloopSaysNothingIsSaid: it would never end.
func TestOfWhatHookloopSaysNothingIsSaid(t *testing.T) {
	t.Parallel()
	env, w := telling(t, &consumer{scripts: map[string][]int{"ep_a": {500}}, schedule: webhook.Schedule{0}})
	e := anEvent()
	e.Type, e.Operational = webhook.EventDeliveryExhausted, true
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: e, EndpointIDs: []string{"ep_a"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	require.Empty(t, w.announced)
}

// TestAnAppsOwnWordsAreNoOperationalEvents: a shop has deliveries too.
func TestAnAppsOwnWordsAreNoOperationalEvents(t *testing.T) {
	t.Parallel()
	env, w := telling(t, &consumer{scripts: map[string][]int{"ep_a": {500}}, schedule: webhook.Schedule{0}})
	e := anEvent()
	e.Type = "delivery.shipped"
	env.ExecuteWorkflow(workflows.Event, workflows.EventInput{Event: e, EndpointIDs: []string{"ep_a"}}, raw(data))
	require.NoError(t, env.GetWorkflowError())
	require.Len(t, w.announced, 1)
}

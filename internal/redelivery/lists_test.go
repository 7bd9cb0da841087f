package redelivery_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// accepted adds an event of a type that ended, with the search attribute Endpoint.
func (f *fakeTemporal) accepted(id, eventType string, outcome webhook.EventStatus, in workflows.EventInput) {
	in.Event = webhook.Event{Tenant: "acme", ID: id, Type: eventType}
	f.runs = append(f.runs, run{
		id: "event/acme/" + id, status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, outcome: webhook.DeliveryStatus(outcome),
		eventType: eventType, endpoint: workflows.EndpointOf(in), input: []any{in, 1},
	})
}

func (f *fakeTemporal) again(eventID string, s enums.WorkflowExecutionStatus, outcome webhook.DeliveryStatus, began string) {
	f.ended(eventID, s, outcome)
	f.runs[len(f.runs)-1].began = began
}

const (
	completed = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	running   = enums.WORKFLOW_EXECUTION_STATUS_RUNNING
	within    = "2026-01-10T00:00:00Z"
	afterward = "2026-03-01T00:00:00Z"
)

// TestWhatADisabledEndpointMissed: the event names it, though no delivery to it ever began.
func TestWhatADisabledEndpointMissed(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	off := func(ids ...string) workflows.EventInput { return workflows.EventInput{By: "app", Disabled: ids} }
	f.accepted("evt_alone", "a", webhook.EventFailed, off("ep_1"))
	f.accepted("evt_other", "a", webhook.EventFailed, off("ep_2"))
	f.accepted("evt_both", "a", webhook.EventFailed, off("ep_0", "ep_1"))
	f.accepted("evt_others", "a", webhook.EventFailed, off("ep_2", "ep_3"))
	f.accepted("evt_wanted", "a", webhook.EventDelivered, off())
	f.accepted("evt_delivered_since", "a", webhook.EventFailed, off("ep_1"))
	f.again("evt_delivered_since", completed, webhook.Delivered, afterward)
	f.accepted("evt_under_way", "a", webhook.EventFailed, off("ep_1"))
	f.again("evt_under_way", running, webhook.Pending, afterward)
	f.accepted("evt_spent_since", "a", webhook.EventFailed, off("ep_1"))
	f.again("evt_spent_since", completed, webhook.Exhausted, within)
	r := newRedeliveries(f)
	ids, _ := all(t, r)
	require.Equal(t, []string{"evt_spent_since", "evt_alone", "evt_both"}, ids, "each once, whichever list has it")
	n, err := r.Count(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, len(ids), n)
}

func TestUnmatchedEventsOfTypesTheEndpointWants(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{endpoints: map[string]webhook.Endpoint{"ep_1": {State: webhook.EndpointActive, EventTypes: []string{"order.*", "a"}}}}
	by := workflows.EventInput{By: "app"}
	f.accepted("evt_1", "order.paid", webhook.EventUnmatched, by)
	f.accepted("evt_2", "a", webhook.EventUnmatched, by)
	f.accepted("evt_3", "b", webhook.EventUnmatched, by)
	f.accepted("evt_4", "order.paid", webhook.EventDelivered, by)
	f.accepted("evt_5", "order.paid", webhook.EventUnmatched, workflows.EventInput{}) // Hookloop told it
	f.accepted("evt_6", "order.paid", webhook.EventUnmatched, workflows.EventInput{Event: webhook.Event{}, By: "other"})
	f.again("evt_6", completed, webhook.Delivered, within)
	f.accepted("evt_7", "order.late", webhook.EventUnmatched, by)
	f.again("evt_7", completed, webhook.Exhausted, within)
	f.ended("evt_8", completed, webhook.Exhausted) // missed, but not unmatched
	r := newRedeliveries(f)
	w := window
	w.Unmatched = true
	ids, next, err := r.Undelivered(t.Context(), w, nil)
	require.NoError(t, err)
	require.Nil(t, next)
	require.Equal(t, []string{"evt_1", "evt_2", "evt_7"}, ids)
	n, err := r.Count(t.Context(), w)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Contains(t, f.queries[0], "WorkflowType = 'Event' AND Tenant = 'acme' AND Outcome = 'unmatched' AND StartTime >= ")

	_, _, err = r.Undelivered(t.Context(), w, []byte("1"))
	require.Equal(t, webhook.Invalid, webhook.CodeOf(err), "it has one list")
	f.endpoints["ep_1"] = webhook.Endpoint{}
	_, _, err = r.Undelivered(t.Context(), w, nil)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
}

// TestNothingIsStartedForAnEndpointThatTakesNothing: what is counted as redelivered was really started.
func TestNothingIsStartedForAnEndpointThatTakesNothing(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{endpoints: map[string]webhook.Endpoint{"ep_off": {State: webhook.EndpointDisabled}, "ep_gone": {}}}
	f.event(t, "evt_1", "ep_1")
	r := newRedeliveries(f)
	for id, code := range map[string]webhook.Code{"ep_off": webhook.Disabled, "ep_gone": webhook.NotFound} {
		require.Equal(t, code, webhook.CodeOf(r.Redeliver(t.Context(), "acme", "evt_1", id, verb)))
	}
	require.Empty(t, f.started)
	require.Empty(t, f.noted)
	require.NoError(t, r.Redeliver(t.Context(), "acme", "evt_1", "ep_other", verb))
	require.Equal(t, []string{"acme evt_1 ep_other"}, f.noted, "the event's report finds it by that")

	f.away = errors.New("no")
	err := r.Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb)
	require.ErrorIs(t, err, f.away)
	require.ErrorContains(t, err, "registry")
	require.Len(t, f.started, 1)
}

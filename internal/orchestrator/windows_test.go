package orchestrator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// missed is a Temporal with events and deliveries in it that endpoints missed, and the registry of
// those endpoints.
type missed struct {
	*orchestratortest.Temporal

	endpoints map[string]webhook.Endpoint // others are active, and want everything
	noted     []string
	away      error // the registry
}

func newMissed() *missed { return &missed{Temporal: orchestratortest.New()} }

func (m *missed) Endpoint(_ context.Context, tenant, id string) (webhook.Endpoint, error) {
	if e, ok := m.endpoints[id]; ok || m.away != nil {
		if e.State == "" && m.away == nil {
			return e, webhook.Errorf(webhook.NotFound, "endpoint %s does not exist", id)
		}
		return e, m.away
	}
	return webhook.Endpoint{Tenant: tenant, ID: id, State: webhook.EndpointActive}, nil
}

func (m *missed) NoteRedelivery(_ context.Context, tenant, eventID, endpointID string, _ time.Time) error {
	m.noted = append(m.noted, tenant+" "+eventID+" "+endpointID)
	return m.away
}

// event accepts an event for these endpoints.
func (m *missed) event(t *testing.T, id string, endpoints ...string) webhook.Event {
	t.Helper()
	e := webhook.Event{Tenant: "acme", ID: id, Type: "contact.updated"}
	input, err := orchestratortest.Payloads(workflows.EventInput{Event: e, EndpointIDs: endpoints}, orchestratortest.RawJSON(`{"a": 1.10}`))
	require.NoError(t, err)
	m.Put(&orchestratortest.Run{ID: "event/acme/" + id, Type: workflows.TypeEvent, Status: completed, Input: input})
	return e
}

// ended adds a run of a delivery to ep_1 that began within the window.
func (m *missed) ended(eventID string, s enums.WorkflowExecutionStatus, outcome webhook.DeliveryStatus) {
	m.again(eventID, s, outcome, within)
}

func (m *missed) again(eventID string, s enums.WorkflowExecutionStatus, outcome webhook.DeliveryStatus, start string) {
	run := delivery(eventID, outcome, day(start))
	run.Status = s
	m.Put(run)
}

func day(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// accepted adds an event of a type that ended, with the search attribute Endpoint.
func (m *missed) accepted(t *testing.T, id, eventType string, outcome webhook.EventStatus, in workflows.EventInput) {
	t.Helper()
	in.Event.Tenant, in.Event.ID, in.Event.Type = "acme", id, eventType
	input, err := orchestratortest.Payloads(in, 1)
	require.NoError(t, err)
	m.Put(&orchestratortest.Run{
		ID: "event/acme/" + id, Type: workflows.TypeEvent, Status: completed, Start: day(within), Input: input,
		Attributes: map[string]string{"Tenant": "acme", "EventType": eventType, "Endpoint": workflows.EndpointOf(in), "Outcome": string(outcome)},
	})
}

const (
	within    = "2026-01-10T00:00:00Z"
	afterward = "2026-03-01T00:00:00Z"
)

// TestWhatADisabledEndpointMissed: the event names it, though no delivery to it ever began.
func TestWhatADisabledEndpointMissed(t *testing.T) {
	t.Parallel()
	f := newMissed()
	off := func(ids ...string) workflows.EventInput { return workflows.EventInput{By: "app", Disabled: ids} }
	f.accepted(t, "evt_alone", "a", webhook.EventFailed, off("ep_1"))
	f.accepted(t, "evt_other", "a", webhook.EventFailed, off("ep_2"))
	f.accepted(t, "evt_both", "a", webhook.EventFailed, off("ep_0", "ep_1"))
	f.accepted(t, "evt_others", "a", webhook.EventFailed, off("ep_2", "ep_3"))
	f.accepted(t, "evt_wanted", "a", webhook.EventDelivered, off())
	f.accepted(t, "evt_delivered_since", "a", webhook.EventFailed, off("ep_1"))
	f.again("evt_delivered_since", completed, webhook.Delivered, afterward)
	f.accepted(t, "evt_under_way", "a", webhook.EventFailed, off("ep_1"))
	f.again("evt_under_way", running, webhook.Pending, afterward)
	f.accepted(t, "evt_spent_since", "a", webhook.EventFailed, off("ep_1"))
	f.again("evt_spent_since", completed, webhook.Exhausted, within)
	r := newRedeliveries(t, f)
	ids, _ := all(t, r)
	require.ElementsMatch(t, []string{"evt_spent_since", "evt_alone", "evt_both"}, ids, "each once, whichever list has it")
	n, err := r.Count(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, len(ids), n)
}

func TestUnmatchedEventsOfTypesTheEndpointWants(t *testing.T) {
	t.Parallel()
	f := &missed{Temporal: orchestratortest.New(), endpoints: map[string]webhook.Endpoint{"ep_1": {State: webhook.EndpointActive, EventTypes: []string{"order.*", "a"}}}}
	by := workflows.EventInput{By: "app"}
	f.accepted(t, "evt_1", "order.paid", webhook.EventUnmatched, by)
	f.accepted(t, "evt_2", "a", webhook.EventUnmatched, by)
	f.accepted(t, "evt_3", "b", webhook.EventUnmatched, by)
	f.accepted(t, "evt_4", "order.paid", webhook.EventDelivered, by)
	f.accepted(t, "evt_5", "order.paid", webhook.EventUnmatched, workflows.EventInput{Event: webhook.Event{Operational: true}})
	f.accepted(t, "evt_6", "order.paid", webhook.EventUnmatched, workflows.EventInput{Event: webhook.Event{}, By: "other"})
	f.again("evt_6", completed, webhook.Delivered, within)
	f.accepted(t, "evt_7", "order.late", webhook.EventUnmatched, by)
	f.again("evt_7", completed, webhook.Exhausted, within)
	f.ended("evt_8", completed, webhook.Exhausted) // missed, but not unmatched
	r := newRedeliveries(t, f)
	w := window
	w.Unmatched = true
	ids, next, err := r.Undelivered(t.Context(), w, nil)
	require.NoError(t, err)
	require.Nil(t, next)
	require.ElementsMatch(t, []string{"evt_1", "evt_2", "evt_7"}, ids)
	n, err := r.Count(t.Context(), w)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Contains(t, queries(f.Temporal)[0], "WorkflowType = 'Event' AND Tenant = 'acme' AND Outcome = 'unmatched' AND StartTime >= ")

	_, _, err = r.Undelivered(t.Context(), w, []byte("1"))
	require.Equal(t, webhook.Invalid, webhook.CodeOf(err), "it has one list")
	f.endpoints["ep_1"] = webhook.Endpoint{}
	_, _, err = r.Undelivered(t.Context(), w, nil)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
}

// TestNothingIsStartedForAnEndpointThatTakesNothing: what is counted as redelivered was really
// started.
func TestNothingIsStartedForAnEndpointThatTakesNothing(t *testing.T) {
	t.Parallel()
	f := &missed{Temporal: orchestratortest.New(), endpoints: map[string]webhook.Endpoint{"ep_off": {State: webhook.EndpointDisabled}, "ep_gone": {}}}
	f.event(t, "evt_1", "ep_1")
	r := newRedeliveries(t, f)
	for id, code := range map[string]webhook.Code{"ep_off": webhook.Disabled, "ep_gone": webhook.NotFound} {
		require.Equal(t, code, webhook.CodeOf(r.Redeliver(t.Context(), "acme", "evt_1", id, verb)))
	}
	require.Empty(t, f.Started)
	require.Empty(t, f.noted)
	require.NoError(t, r.Redeliver(t.Context(), "acme", "evt_1", "ep_other", verb))
	require.Equal(t, []string{"acme evt_1 ep_other"}, f.noted, "the event's report finds it by that")

	f.away = errors.New("no")
	err := r.Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb)
	require.ErrorIs(t, err, f.away)
	require.ErrorContains(t, err, "registry")
	require.Len(t, f.Started, 1)
}

package orchestrator_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var accepted = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// goesOn is a delivery that waits, of the n-th event.
func goesOn(tenant, endpointID string, n int, outcome string) *orchestratortest.Run {
	id := workflows.DeliveryWorkflowID(tenant, fmt.Sprint("evt_", n), endpointID)
	return &orchestratortest.Run{
		ID: id, Type: workflows.TypeDelivery, Start: accepted.Add(time.Duration(n) * time.Hour),
		Report: webhook.DeliveryReport{EndpointID: endpointID, Status: webhook.Retrying, WorkflowID: id, Reason: "HTTP 503"},
		Attributes: map[string]string{
			"Tenant": tenant, "Endpoint": endpointID, "Outcome": outcome, "EventType": "a.b", "Accepted": accepted.Add(time.Duration(n) * time.Minute).Format(workflows.AcceptedFormat),
		},
	}
}

func newWaiting(t *testing.T, runs ...*orchestratortest.Run) (*orchestrator.Waiting, *orchestratortest.Temporal) {
	t.Helper()
	c := orchestratortest.New()
	c.Put(runs...)
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	return o.Waiting(), c
}

func TestACensusCountsByEndpoint(t *testing.T) {
	t.Parallel()
	ended := goesOn("acme", "ep_1", 9, "delivered")
	ended.Status = enums.WORKFLOW_EXECUTION_STATUS_COMPLETED
	redelivered := goesOn("acme", "ep_2", 7, "pending")
	delete(redelivered.Attributes, "Accepted")
	w, c := newWaiting(t, goesOn("acme", "ep_1", 2, "held"), goesOn("acme", "ep_1", 1, "retrying"), goesOn("acme", "ep_2", 3, string(webhook.ApprovalAwaiting)),
		redelivered, goesOn("other", "ep_1", 4, "held"), ended)
	c.MostListed = 2
	got, err := w.Census(t.Context(), "acme")
	require.NoError(t, err)
	require.True(t, got.Whole)
	require.WithinDuration(t, time.Now(), got.At, time.Minute)
	require.Equal(t, map[string]orchestrator.Backlogged{
		"ep_1": {Waiting: 2, Held: 1, Oldest: accepted.Add(time.Minute)}, "ep_2": {Waiting: 1, Parked: 1, Oldest: accepted.Add(3 * time.Minute)},
	}, got.Endpoints)
	require.Equal(t, orchestrator.Backlogged{Waiting: 3, Held: 1, Parked: 1, Oldest: accepted.Add(time.Minute)}, got.All)

	lists := len(c.Lists)
	again, err := w.Census(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, got, again)
	require.Len(t, c.Lists, lists, "it is seconds old")
	other, err := w.Census(t.Context(), "other")
	require.NoError(t, err)
	require.Equal(t, 1, other.All.Held)
}

func TestACensusThatFailsIsTakenAgain(t *testing.T) {
	t.Parallel()
	w, c := newWaiting(t, goesOn("acme", "ep_1", 2, "held"))
	c.Down = errors.New("away")
	_, err := w.Census(t.Context(), "acme")
	require.ErrorContains(t, err, "away")
	c.Down = nil
	got, err := w.Census(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, 1, got.All.Held)
}

func TestEventsByTheirNames(t *testing.T) {
	t.Parallel()
	c := orchestratortest.New()
	c.Put(&orchestratortest.Run{
		ID: workflows.EventWorkflowID("acme", "evt_1"), Type: workflows.TypeEvent, Start: accepted, Status: enums.WORKFLOW_EXECUTION_STATUS_TERMINATED,
		Attributes: map[string]string{"EventType": "a.b", "Outcome": "delivering"},
	})
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	events := o.Events(orchestrator.EventsConfig{})
	got, err := events.Named(t.Context(), "acme", []string{"evt_1", "evt_2"})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, webhook.EventFailed, got["evt_1"].Status, "it was ended from outside")
	got, err = events.Named(t.Context(), "acme", nil)
	require.NoError(t, err)
	require.Empty(t, got)
	require.Len(t, c.Lists, 1)

	f := orchestrator.EventFilter{Type: "a.b", Status: webhook.EventFailed, After: accepted.Add(-time.Second), Before: accepted.Add(time.Second)}
	item := orchestrator.EventItem{Type: "a.b", Status: webhook.EventFailed, AcceptedAt: accepted}
	require.True(t, f.Holds(item))
	f.After = accepted
	require.False(t, f.Holds(item), "as Temporal has it")
}

package orchestrator_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// deliveries are n to ep_1, a second apart, the first of them the oldest.
func deliveries(n int, outcome webhook.DeliveryStatus) *orchestratortest.Temporal {
	s := orchestratortest.New()
	for i := range n {
		s.Put(delivery(fmt.Sprintf("evt_%05d", i), outcome, began.Add(time.Duration(i)*time.Second)))
	}
	return s
}

// delivery is one to ep_1 that is under way.
func delivery(eventID string, outcome webhook.DeliveryStatus, start time.Time) *orchestratortest.Run {
	return &orchestratortest.Run{
		ID: workflows.DeliveryWorkflowID("acme", eventID, "ep_1"), Type: workflows.TypeDelivery, Start: start,
		Attributes: map[string]string{"Tenant": "acme", "Endpoint": "ep_1", "Outcome": string(outcome)},
	}
}

func queries(s *orchestratortest.Temporal) (all []string) {
	for _, r := range s.Lists {
		all = append(all, r.GetQuery())
	}
	return all
}

const ofEndpoint = "WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus = 'Running'"

func TestTheOldestOfTwelveThousand(t *testing.T) {
	t.Parallel()
	s := deliveries(12_000, webhook.Held)
	ids, err := through(t, s).Backlog().Oldest(t.Context(), "acme", "ep_1", 700)
	require.NoError(t, err)
	require.Len(t, ids, 700)
	for i, id := range ids {
		require.Equal(t, fmt.Sprintf("evt_%05d", i), id)
	}
	require.Len(t, s.Lists, 24)
	require.Equal(t, ofEndpoint+" AND Outcome = 'held'", queries(s)[0])

	ids, err = through(t, deliveries(3, webhook.Held)).Backlog().Oldest(t.Context(), "acme", "ep_1", 700)
	require.NoError(t, err)
	require.Equal(t, []string{"evt_00000", "evt_00001", "evt_00002"}, ids)
}

// TestTheOldestGoByTheirEvents: a delivery that continued as new, or was started again, began later
// than its event was accepted.
func TestTheOldestGoByTheirEvents(t *testing.T) {
	t.Parallel()
	s := deliveries(3, webhook.Held)
	again := delivery("evt_old", webhook.Held, began.Add(time.Hour))
	again.Attributes["Accepted"] = began.Add(-time.Hour).Format(workflows.AcceptedFormat)
	s.Put(again)
	ids, err := through(t, s).Backlog().Oldest(t.Context(), "acme", "ep_1", 2)
	require.NoError(t, err)
	require.Equal(t, []string{"evt_old", "evt_00000"}, ids)
}

func TestRunning(t *testing.T) {
	t.Parallel()
	s := deliveries(501, webhook.Retrying)
	s.Put(delivery("evt_held", webhook.Held, began), delivery("evt_late", webhook.Retrying, began.Add(time.Hour)))
	before := began.Add(time.Hour)
	b := through(t, s).Backlog()
	ids, next, err := b.Running(t.Context(), "acme", "ep_1", before, false, nil)
	require.NoError(t, err)
	require.Len(t, ids, 500)
	require.Equal(t, ofEndpoint+" AND StartTime < '2026-01-01T01:00:00Z' AND Outcome != 'held'", queries(s)[0])
	rest, next, err := b.Running(t.Context(), "acme", "ep_1", before, false, next)
	require.NoError(t, err)
	require.Equal(t, []string{"evt_00000"}, rest)
	require.Empty(t, next)
	ids, _, err = b.Running(t.Context(), "acme", "ep_1", before, true, nil)
	require.NoError(t, err)
	require.Contains(t, ids, "evt_held")
	require.NotContains(t, ids, "evt_late")
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	s := deliveries(3, webhook.Retrying)
	s.Put(delivery("evt_held", webhook.Held, began))
	ids, err := through(t, s).Backlog().Waiting(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, []string{"evt_00000", "evt_00001", "evt_00002"}, ids)
}

// TestHeldAndWhatWaitsAreCounted: what waits of every status, but for a delivery that waits for a
// person of its own.
func TestHeldAndWhatWaitsAreCounted(t *testing.T) {
	t.Parallel()
	s := deliveries(3, webhook.Retrying)
	s.Put(delivery("evt_held", webhook.Held, began), delivery("evt_parked", webhook.DeliveryStatus(webhook.ApprovalAwaiting), began))
	b := through(t, s).Backlog()
	held, err := b.Held(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, 1, held)
	waiting, err := b.Count(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, 4, waiting)
	require.Equal(t, []string{ofEndpoint + " AND Outcome = 'held'", ofEndpoint + " AND Outcome != 'awaiting-approval'"}, s.Counts)
}

// TestIDsOfAnyShape: the event's id is what stands between tenant and endpoint.
func TestIDsOfAnyShape(t *testing.T) {
	t.Parallel()
	ids := []string{"evt_1", "a/b/ep_1", "delivery/acme/x", "*", "%s", "Ärger 'quoted'", "/", "ep_1"}
	s := orchestratortest.New()
	for i, id := range ids {
		s.Put(delivery(id, webhook.Held, began.Add(time.Duration(i)*time.Millisecond)))
	}
	found, err := through(t, s).Backlog().Oldest(t.Context(), "acme", "ep_1", 100)
	require.NoError(t, err)
	require.Equal(t, ids, found)
}

func TestWhatADeliveryAnswers(t *testing.T) {
	t.Parallel()
	want := webhook.Probe{Made: true, Answer: webhook.Answer{EventID: "evt_1", StatusCode: 503}}
	s, run := orchestratortest.New(), delivery("evt_1", webhook.Held, began)
	run.Report = want
	s.Put(run)
	b := through(t, s).Backlog()
	p, err := b.Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
	require.NoError(t, err)
	require.Equal(t, want, p)
	went, err := b.Release(t.Context(), "acme", "evt_1", "ep_1")
	require.NoError(t, err)
	require.True(t, went)
	require.Equal(t, "run/1", s.Updates[0].UpdateID, "asked twice, it is made once")
	require.Equal(t, []string{workflows.UpdateProbe, workflows.UpdateRelease}, []string{s.Updates[0].UpdateName, s.Updates[1].UpdateName})
}

// TestWhatIsNotHeldIsNotLetGo: whether Temporal refuses the update, or the delivery does when it
// has taken it.
func TestWhatIsNotHeldIsNotLetGo(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"ended":         serviceerror.NewNotFound("no such workflow"),
		"aborted":       serviceerror.NewNotFound("workflow update was aborted by closing workflow"),
		"not held":      temporal.NewApplicationError("the delivery is not held", workflows.TypeNotHeld),
		"ends just now": temporal.NewApplicationError("", "AcceptedUpdateCompletedWorkflow"),
	} {
		down, taken := orchestratortest.New(), orchestratortest.New()
		down.Down = err
		run := delivery("evt_1", webhook.Held, began)
		run.Report, run.Refuses = webhook.Probe{Made: true}, err
		taken.Put(run)
		for _, s := range []*orchestratortest.Temporal{down, taken} {
			b := through(t, s).Backlog()
			was, err := b.Release(t.Context(), "acme", "evt_1", "ep_1")
			require.NoError(t, err, name)
			require.False(t, was)
			p, err := b.Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
			require.NoError(t, err, name)
			require.Equal(t, webhook.Probe{}, p)
		}
	}
	run := delivery("evt_1", webhook.Held, began)
	run.Refuses = temporal.NewApplicationError("panic", "PanicError")
	s := orchestratortest.New()
	s.Put(run)
	_, err := through(t, s).Backlog().Release(t.Context(), "acme", "evt_1", "ep_1")
	require.ErrorIs(t, err, run.Refuses)
	require.ErrorContains(t, err, "delivery/acme/evt_1/ep_1")
}

// TestRecheck reaches a delivery that is under way; one that has ended need not hear it.
func TestRecheck(t *testing.T) {
	t.Parallel()
	s, why := orchestratortest.New(), webhook.Instruction{By: "alice", Reason: "no"}
	s.Put(delivery("evt_1", webhook.Held, began))
	b := through(t, s).Backlog()
	require.NoError(t, b.Recheck(t.Context(), "acme", "evt_1", "ep_1", why))
	require.NoError(t, b.Recheck(t.Context(), "acme", "evt_2", "ep_1", why))
	require.Equal(t, []orchestratortest.Signal{{WorkflowID: "delivery/acme/evt_1/ep_1", Name: workflows.SignalRecheck, Arg: why}}, s.Signals)
}

// TestRecheckDeferred gives a deferred delivery its turn; one that waits for its schedule has no
// activity.
func TestRecheckDeferred(t *testing.T) {
	t.Parallel()
	s, deferred := orchestratortest.New(), delivery("evt_1", webhook.Retrying, began)
	deferred.Pending = []*workflowpb.PendingActivityInfo{{}}
	s.Put(deferred, delivery("evt_2", webhook.Retrying, began))
	b := through(t, s).Backlog()
	for i, id := range []string{"evt_1", "evt_2", "evt_3"} {
		was, err := b.RecheckDeferred(t.Context(), "acme", id, "ep_1")
		require.NoError(t, err)
		require.Equal(t, i == 0, was)
	}
	require.Equal(t, "default", s.Resets[0].GetNamespace())
	require.Equal(t, workflows.AttemptActivity, s.Resets[0].GetType())
}

func TestBacklogOutOfReach(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	s.Down = errors.New("away")
	b := through(t, s).Backlog()
	var all []error
	_, err := b.Release(t.Context(), "acme", "evt_1", "ep_1")
	all = append(all, err)
	_, err = b.Probe(t.Context(), "acme", "evt_1", "ep_1", "run/1")
	all = append(all, err)
	_, err = b.Oldest(t.Context(), "acme", "ep_1", 1)
	all = append(all, err)
	_, err = b.Held(t.Context(), "acme", "ep_1")
	all = append(all, err)
	_, err = b.Count(t.Context(), "acme", "ep_1")
	all = append(all, err)
	_, err = b.RecheckDeferred(t.Context(), "acme", "evt_1", "ep_1")
	all = append(all, err, b.Recheck(t.Context(), "acme", "evt_1", "ep_1", webhook.Instruction{}))
	require.False(t, slices.ContainsFunc(all, func(err error) bool { return !errors.Is(err, s.Down) }), all)
}

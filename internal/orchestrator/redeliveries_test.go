package orchestrator_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

func newRedeliveries(t *testing.T, m *missed) *orchestrator.Redeliveries {
	t.Helper()
	return through(t, m).Redeliveries(m)
}

var verb = webhook.Instruction{By: "alice", Reason: "mended"}

func TestRedeliverStartsARunOfItsOwn(t *testing.T) {
	t.Parallel()
	f := newMissed()
	e := f.event(t, "evt_1", "ep_1", "ep_2")
	f.ended("evt_1", completed, webhook.Exhausted)
	require.NoError(t, newRedeliveries(t, f).Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb))
	o := f.Started[0]
	require.Equal(t, "delivery/acme/evt_1/ep_1", o.ID)
	var in workflows.DeliveryInput
	require.NoError(t, f.Run(o.ID).Read(&in))
	require.Equal(t, workflows.DeliveryInput{
		Event: e, EventRunID: "run-of-event/acme/evt_1", EndpointID: "ep_1", Redelivery: &verb,
	}, in)
	require.Equal(t, workflows.TaskQueue, o.TaskQueue)
	require.Equal(t, "contact.updated → ep_1 (redelivery)", o.StaticSummary)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
	require.Equal(t, enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL, o.WorkflowIDConflictPolicy)
	require.Equal(t, 4, o.TypedSearchAttributes.Size())
	outcome, _ := o.TypedSearchAttributes.GetKeyword(workflows.Outcome)
	require.Equal(t, "pending", outcome)
}

func TestRedeliverRefuses(t *testing.T) {
	t.Parallel()
	f := newMissed()
	f.event(t, "evt_1", "ep_1")
	f.ended("evt_1", running, webhook.Retrying)
	r := newRedeliveries(t, f)

	err := r.Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb)
	require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
	require.ErrorContains(t, err, "is under way")

	err = r.Redeliver(t.Context(), "other", "evt_1", "ep_1", verb)
	require.Equal(t, webhook.Expired, webhook.CodeOf(err))
	require.EqualError(t, err, "the history of event evt_1 is gone, and its data with it")

	f.Down = serviceerror.NewUnavailable("no")
	err = r.Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb)
	require.ErrorIs(t, err, f.Down)
	require.Empty(t, webhook.CodeOf(err))
	require.Empty(t, f.Started)
}

var window = webhook.Window{
	Tenant: "acme", EndpointID: "ep_1",
	Since: time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)),
	Until: time.Date(2026, 2, 1, 0, 0, 0, 500_000_000, time.UTC),
}

// all reads every page.
func all(t *testing.T, r *orchestrator.Redeliveries) (ids []string, pages int) {
	t.Helper()
	for page := []byte(nil); ; {
		found, next, err := r.Undelivered(t.Context(), window, page)
		require.NoError(t, err)
		ids, pages = append(ids, found...), pages+1
		if page = next; len(page) == 0 {
			return ids, pages
		}
	}
}

func TestUndeliveredAsksVisibility(t *testing.T) {
	t.Parallel()
	f := newMissed()
	_, next, err := newRedeliveries(t, f).Undelivered(t.Context(), window, nil)
	require.NoError(t, err)
	require.Equal(t, []byte("1"), next, "the second list is looked at next")
	_, next, err = newRedeliveries(t, f).Undelivered(t.Context(), window, next)
	require.NoError(t, err)
	require.Nil(t, next)
	const during = " AND StartTime >= '2026-01-01T00:00:00Z' AND StartTime < '2026-02-01T00:00:00.5Z'"
	require.Equal(t, []string{
		"WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus != 'Running' AND Outcome != 'delivered'" + during,
		"WorkflowType = 'Event' AND Tenant = 'acme' AND Endpoint IN ('disabled ep_1', 'disabled several')" + during,
	}, queries(f.Temporal))
}

// TestUndeliveredLooksAtTheLatestRun: a delivery has a run for each redelivery and continuation.
func TestUndeliveredLooksAtTheLatestRun(t *testing.T) {
	t.Parallel()
	f := newMissed()
	f.ended("evt_exhausted", completed, webhook.Exhausted)
	f.ended("evt_delivered", completed, webhook.Delivered)
	f.ended("evt_terminated", terminated, webhook.Retrying)
	f.ended("evt_then_delivered", completed, webhook.Exhausted)
	f.ended("evt_then_delivered", completed, webhook.Delivered)
	f.ended("evt_then_running", completed, webhook.Rejected)
	f.ended("evt_then_running", running, webhook.Pending)
	f.ended("evt_twice", completed, webhook.Exhausted)
	f.ended("evt_twice", completed, webhook.Cancelled)
	f.ended("evt_continued", continued, webhook.Held)
	f.ended("evt_continued", running, webhook.Held)
	f.ended("evt_continued_spent", continued, webhook.Held)
	f.ended("evt_continued_spent", completed, webhook.Exhausted)
	r := newRedeliveries(t, f)
	ids, _ := all(t, r)
	require.ElementsMatch(t, []string{"evt_exhausted", "evt_terminated", "evt_twice", "evt_continued_spent"}, ids)
	n, err := r.Count(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, len(ids), n)
}

func TestTwelveThousandAreFoundToTheLast(t *testing.T) {
	t.Parallel()
	f := newMissed()
	for i := range 12_000 {
		f.ended(fmt.Sprintf("evt_%05d", i), completed, webhook.Exhausted)
	}
	r := newRedeliveries(t, f)
	n, err := r.Count(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, 12_000, n)
	found, _, err := r.Undelivered(t.Context(), window, []byte("011900"))
	require.NoError(t, err)
	require.Len(t, found, 100)
}

func TestUndeliveredPages(t *testing.T) {
	t.Parallel()
	f := newMissed()
	for i := range 250 {
		f.ended(fmt.Sprintf("evt_%03d", i), completed, webhook.Exhausted)
	}
	ids, pages := all(t, newRedeliveries(t, f))
	require.Equal(t, 3+1, pages)
	require.Len(t, ids, 250)
	slices.Sort(ids)
	require.Equal(t, "evt_249", ids[249])
	require.Len(t, slices.Compact(ids), 250)
}

func TestWindowsThatAreNone(t *testing.T) {
	t.Parallel()
	f := newMissed()
	for _, change := range []func(*webhook.Window){
		func(w *webhook.Window) { w.Tenant = "a' OR '1'='1" },
		func(w *webhook.Window) { w.EndpointID = "ep_1' OR '1'='1" },
		func(w *webhook.Window) { w.EndpointID = "" },
	} {
		w := window
		change(&w)
		_, _, err := newRedeliveries(t, f).Undelivered(t.Context(), w, nil)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
		_, err = newRedeliveries(t, f).Count(t.Context(), w)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
	}
	require.Empty(t, queries(f.Temporal))
}

func TestTemporalOutOfReach(t *testing.T) {
	t.Parallel()
	f := newMissed()
	f.Down = serviceerror.NewUnavailable("no")
	_, _, err := newRedeliveries(t, f).Undelivered(t.Context(), window, nil)
	require.ErrorIs(t, err, f.Down)
	_, err = newRedeliveries(t, f).Count(t.Context(), window)
	require.ErrorIs(t, err, f.Down)
}

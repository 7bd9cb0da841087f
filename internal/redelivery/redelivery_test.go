package redelivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/redelivery"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

func newRedeliveries(f *fakeTemporal) *redelivery.Redeliveries {
	return redelivery.New(f, converter.GetDefaultDataConverter(), f)
}

var verb = webhook.Verb{By: "alice", Reason: "mended"}

func TestRedeliverStartsARunOfItsOwn(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	e := f.event(t, "evt_1", "ep_1", "ep_2")
	f.ended("evt_1", enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, webhook.Exhausted)
	require.NoError(t, newRedeliveries(f).Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb))
	require.Equal(t, workflows.DeliveryInput{
		Event: e, EventRunID: "run-of-event/acme/evt_1", EndpointID: "ep_1", Redelivery: &verb,
	}, f.inputs[0])
	o := f.started[0]
	require.Equal(t, "delivery/acme/evt_1/ep_1", o.ID)
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
	f := &fakeTemporal{}
	f.event(t, "evt_1", "ep_1")
	f.ended("evt_1", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, webhook.Retrying)
	r := newRedeliveries(f)

	err := r.Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb)
	require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
	require.ErrorContains(t, err, "is under way")

	err = r.Redeliver(t.Context(), "other", "evt_1", "ep_1", verb)
	require.Equal(t, webhook.Expired, webhook.CodeOf(err))
	require.EqualError(t, err, "the history of event evt_1 is gone, and its data with it")

	f.down = serviceerror.NewUnavailable("no")
	err = r.Redeliver(t.Context(), "acme", "evt_1", "ep_1", verb)
	require.ErrorIs(t, err, f.down)
	require.Empty(t, webhook.CodeOf(err))
	require.Empty(t, f.started)
}

var window = webhook.Window{
	Tenant: "acme", EndpointID: "ep_1",
	Since: time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600)),
	Until: time.Date(2026, 2, 1, 0, 0, 0, 500_000_000, time.UTC),
}

// all reads every page.
func all(t *testing.T, r *redelivery.Redeliveries) (ids []string, pages int) {
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
	f := &fakeTemporal{}
	_, next, err := newRedeliveries(f).Undelivered(t.Context(), window, nil)
	require.NoError(t, err)
	require.Equal(t, []byte("1"), next, "the second list is looked at next")
	_, next, err = newRedeliveries(f).Undelivered(t.Context(), window, next)
	require.NoError(t, err)
	require.Nil(t, next)
	const during = " AND StartTime >= '2026-01-01T00:00:00Z' AND StartTime < '2026-02-01T00:00:00.5Z'"
	require.Equal(t, []string{
		"WorkflowType = 'Delivery' AND Tenant = 'acme' AND Endpoint = 'ep_1' AND ExecutionStatus != 'Running' AND Outcome != 'delivered'" + during,
		"WorkflowType = 'Event' AND Tenant = 'acme' AND Endpoint IN ('disabled ep_1', 'disabled several')" + during,
	}, f.queries)
}

// TestUndeliveredLooksAtTheLatestRun: a delivery has a run for each redelivery and continuation.
func TestUndeliveredLooksAtTheLatestRun(t *testing.T) {
	t.Parallel()
	const (
		terminated = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
		continued  = enums.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW
	)
	f := &fakeTemporal{}
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
	r := newRedeliveries(f)
	ids, _ := all(t, r)
	require.Equal(t, []string{"evt_exhausted", "evt_terminated", "evt_twice", "evt_continued_spent"}, ids)
	n, err := r.Count(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, len(ids), n)
}

func TestTwelveThousandAreFoundToTheLast(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	for i := range 12_000 {
		f.ended(fmt.Sprintf("evt_%05d", i), enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, webhook.Exhausted)
	}
	r := newRedeliveries(f)
	n, err := r.Count(t.Context(), window)
	require.NoError(t, err)
	require.Equal(t, 12_000, n)
	found, _, err := r.Undelivered(t.Context(), window, []byte("011900"))
	require.NoError(t, err)
	require.Len(t, found, 100)
}

func TestUndeliveredPages(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	for i := range 250 {
		f.ended(fmt.Sprintf("evt_%03d", i), enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, webhook.Exhausted)
	}
	ids, pages := all(t, newRedeliveries(f))
	require.Equal(t, 3+1, pages)
	require.Len(t, ids, 250)
	require.Equal(t, "evt_249", ids[249])
}

func TestWindowsThatAreNone(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	for _, change := range []func(*webhook.Window){
		func(w *webhook.Window) { w.Tenant = "a' OR '1'='1" },
		func(w *webhook.Window) { w.EndpointID = "ep_1' OR '1'='1" },
		func(w *webhook.Window) { w.EndpointID = "" },
	} {
		w := window
		change(&w)
		_, _, err := newRedeliveries(f).Undelivered(t.Context(), w, nil)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
		_, err = newRedeliveries(f).Count(t.Context(), w)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
	}
	require.Empty(t, f.queries)
}

func TestTemporalOutOfReach(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{down: serviceerror.NewUnavailable("no")}
	_, _, err := newRedeliveries(f).Undelivered(t.Context(), window, nil)
	require.ErrorIs(t, err, f.down)
	_, err = newRedeliveries(f).Count(t.Context(), window)
	require.ErrorIs(t, err, f.down)
}

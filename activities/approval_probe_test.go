package activities_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

func probe(t *testing.T, q *queue) (webhook.Probe, error) {
	t.Helper()
	return act[webhook.Probe](t, active(), q, "ProbeOldest", activities.ProbeOrder{Subject: subject, Key: "run/1"})
}

func TestProbeSendsTheOldest(t *testing.T) {
	t.Parallel()
	q := &queue{lists: [][]string{events(3)}}
	p, err := probe(t, q)
	require.NoError(t, err)
	require.Equal(t, webhook.Probe{Made: true, Answer: webhook.Answer{EventID: "evt_0000"}}, p)
	require.Equal(t, []string{"evt_0000 run/1"}, q.probed)
	require.Equal(t, []int{20}, q.asked)
}

func TestProbeAsksTheNextWhenTheListIsBehind(t *testing.T) {
	t.Parallel()
	q := &queue{lists: [][]string{events(4)}, notHeld: map[string]bool{"evt_0000": true, "evt_0001": true}}
	p, err := probe(t, q)
	require.NoError(t, err)
	require.Equal(t, "evt_0002", p.Answer.EventID)
	require.Equal(t, []string{"evt_0000 run/1", "evt_0001 run/1", "evt_0002 run/1"}, q.probed)
}

// TestTheNextProbeIsAnotherEvent, though the list may still have the one that was refused.
func TestTheNextProbeIsAnotherEvent(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]string{"evt_0000": "evt_0001", "evt_0001": "evt_0000"} {
		q := &queue{lists: [][]string{events(2)}}
		p, err := act[webhook.Probe](t, active(), q, "ProbeOldest", activities.ProbeOrder{Subject: subject, Key: "run/2", After: []string{after}})
		require.NoError(t, err)
		require.Equal(t, want, p.Answer.EventID)
		require.Equal(t, []string{want + " run/2"}, q.probed)
	}
	p, err := act[webhook.Probe](t, active(), &queue{lists: [][]string{events(1)}}, "ProbeOldest",
		activities.ProbeOrder{Subject: subject, Key: "run/2", After: []string{"evt_0000"}})
	require.NoError(t, err)
	require.False(t, p.Made, "there is no other")
}

func TestProbeOfAListThatIsAllBehindIsRetried(t *testing.T) {
	t.Parallel()
	_, err := probe(t, &queue{lists: [][]string{events(1)}, notHeld: map[string]bool{"evt_0000": true}})
	require.ErrorContains(t, err, "no delivery on the list is held any more")
	app := new(temporal.ApplicationError)
	require.ErrorAs(t, err, &app)
	require.False(t, app.NonRetryable())
}

func TestProbeOurTroubleIsRetried(t *testing.T) {
	t.Parallel()
	_, err := probe(t, &queue{away: errAway})
	require.ErrorContains(t, err, errAway.Error())
	q := &queue{lists: [][]string{events(2)}, fail: map[string]error{"evt_0000": errAway}}
	_, err = probe(t, q)
	require.ErrorContains(t, err, errAway.Error())
	require.Len(t, q.probed, 1, "or two might be sent")
}

// TestProbeLooksTwiceBeforeItFindsNone: the list is a moment behind.
func TestProbeLooksTwiceBeforeItFindsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{}
		p, err := probe(t, q)
		require.NoError(t, err)
		require.Equal(t, webhook.Probe{}, p)
		require.Equal(t, time.Second, time.Since(began))

		p, err = probe(t, &queue{lists: [][]string{nil, {"evt_late"}}})
		require.NoError(t, err)
		require.Equal(t, "evt_late", p.Answer.EventID)
	})
}

func nudge(t *testing.T, q *queue, in activities.Nudge) (int, error) {
	t.Helper()
	in.Subject = subject
	return act[int](t, active(), q, "NudgeAll", in)
}

// TestNudgeTellsEachOnce and looks again, until a list has nobody new.
func TestNudgeTellsEachOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{running: [][]string{
			{"a", "b"},
			{"b", "c"},
			nil, // a list of two pages
			{"b", "d"},
			nil,
			{"c"},
			nil,
		}}
		alice := webhook.Verb{By: "alice", Reason: "no"}
		n, err := nudge(t, q, activities.Nudge{Verb: alice, Held: true})
		require.NoError(t, err)
		require.Equal(t, 4, n)
		require.Equal(t, []string{"a", "b", "c", "d"}, q.told())
		require.Equal(t, []webhook.Verb{alice, alice, alice, alice}, q.verbs)
		require.Equal(t, 2*time.Second, time.Since(began))
		for _, b := range q.before {
			require.True(t, b.Equal(began), "who begins later finds the endpoint as it is")
		}
	})
}

func TestNudgeLooksTwiceBeforeItFindsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, err := nudge(t, &queue{}, activities.Nudge{})
		require.NoError(t, err)
		require.Zero(t, n)
		q := &queue{running: [][]string{{}, {"late"}}}
		n, err = nudge(t, q, activities.Nudge{})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, []string{"late"}, q.told())
	})
}

// TestNudgeKeepsItsPace: two hundred at once, then two hundred a second.
func TestNudgeKeepsItsPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		q := &queue{running: [][]string{events(1000)}}
		n, err := nudge(t, q, activities.Nudge{})
		require.NoError(t, err)
		require.Equal(t, 1000, n)
		require.InDelta(t, 4, q.let[999].at.Sub(began).Seconds(), 0.01)
	})
}

// TestANudgeThatIsStopped is cancelled if its workflow asked for it, and retried if its worker stops,
// whatever the call at hand says of it.
func TestANudgeThatIsStopped(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cause     error
		cancelled bool
	}{"by its workflow": {temporal.NewCanceledError(), true}, "with its worker": {context.Canceled, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stop, prepare := cancellable(t)
			q := &queue{running: [][]string{events(3)}, on: func(id string) {
				if id == "evt_0001" {
					stop(tc.cause)
				}
			}}
			_, err := act[int](t, active(), q, "NudgeAll", activities.Nudge{Subject: subject}, prepare)
			require.Error(t, err)
			require.Equal(t, tc.cancelled, temporal.IsCanceledError(err))
			require.Equal(t, []string{"evt_0000"}, q.told())
		})
	}
}

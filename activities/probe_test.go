package activities_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

func probe(t *testing.T, q *queue) (webhook.Probe, error) {
	t.Helper()
	return act[webhook.Probe](t, active(), q, "ProbeOldest", activities.ProbeOrder{EndpointRef: endpoint1, Key: "run/1"})
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
		p, err := act[webhook.Probe](t, active(), q, "ProbeOldest", activities.ProbeOrder{EndpointRef: endpoint1, Key: "run/2", After: []string{after}})
		require.NoError(t, err)
		require.Equal(t, want, p.Answer.EventID)
		require.Equal(t, []string{want + " run/2"}, q.probed)
	}
	p, err := act[webhook.Probe](t, active(), &queue{lists: [][]string{events(1)}}, "ProbeOldest",
		activities.ProbeOrder{EndpointRef: endpoint1, Key: "run/2", After: []string{"evt_0000"}})
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

// TestProbeReadsTheListTwiceBeforeItFindsNone: the list is a moment behind.
func TestProbeReadsTheListTwiceBeforeItFindsNone(t *testing.T) {
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

// TestALongProbeIsAlive: its worker says so, while the endpoint takes its time.
func TestALongProbeIsAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var beats []time.Duration
		q := &queue{lists: [][]string{events(1)}, on: func(string) { time.Sleep(12 * time.Second) }}
		_, err := act[webhook.Probe](t, active(), q, "ProbeOldest", activities.ProbeOrder{EndpointRef: endpoint1},
			func(env *testsuite.TestActivityEnvironment) {
				env.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) { beats = append(beats, time.Since(began)) })
			})
		require.NoError(t, err)
		require.NotEmpty(t, beats, "the SDK leaves out what comes soon after another")
		require.Equal(t, 5*time.Second, beats[0])
	})
}

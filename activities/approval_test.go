package activities_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

func TestChangeState(t *testing.T) {
	t.Parallel()
	const active, held, paused, disabled = webhook.EndpointActive, webhook.EndpointHeld, webhook.EndpointPaused, webhook.EndpointDisabled
	for name, tc := range map[string]struct {
		is      webhook.EndpointState
		why     string
		from    []webhook.EndpointState
		to      webhook.EndpointState
		reason  string
		changed bool
	}{
		"asked about":                         {active, "", []webhook.EndpointState{active, held}, held, "it fails", true},
		"asked again":                         {held, "it fails", []webhook.EndpointState{active, held}, held, "the probe failed: HTTP 503", true},
		"approved":                            {held, "it fails", []webhook.EndpointState{held}, active, "", true},
		"approved by a try that was lost":     {active, "", []webhook.EndpointState{held}, active, "", true},
		"rejected":                            {held, "it fails", []webhook.EndpointState{held}, disabled, "rejected by alice", true},
		"rejected by a try that was lost":     {disabled, "rejected by alice", []webhook.EndpointState{held}, disabled, "rejected by alice", true},
		"resumed":                             {paused, "paused by bob", []webhook.EndpointState{held, paused, disabled, active}, active, "", true},
		"paused meanwhile, asked about":       {paused, "paused by bob", []webhook.EndpointState{active, held}, held, "it fails", false},
		"paused meanwhile, approved":          {paused, "paused by bob", []webhook.EndpointState{held}, active, "", false},
		"paused meanwhile, rejected":          {paused, "paused by bob", []webhook.EndpointState{held}, disabled, "rejected by alice", false},
		"disabled meanwhile, for another why": {disabled, "rejected by bob", []webhook.EndpointState{held}, disabled, "rejected by alice", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &keeper{endpoint: webhook.Endpoint{State: tc.is, StateReason: tc.why, URL: "https://crm.example:8443/hooks/secret"}}
			before := k.endpoint
			r, err := act[activities.StateChanged](t, k, &queue{}, "ChangeState",
				activities.StateChange{EndpointRef: endpoint1, From: tc.from, To: tc.to, Reason: tc.reason})
			require.NoError(t, err)
			require.Equal(t, tc.changed, r.Changed)
			require.Equal(t, k.endpoint.State, r.State)
			require.Equal(t, "crm.example:8443", r.Host, "and nothing else of the URL")
			require.Equal(t, webhook.DefaultApprovalAfter, r.After)
			require.Equal(t, webhook.DefaultApprovalTimeout, r.Timeout)
			if !tc.changed {
				require.Equal(t, before, k.endpoint)
				require.Zero(t, k.writes)
				return
			}
			require.Equal(t, tc.to, k.endpoint.State)
			require.Equal(t, tc.reason, k.endpoint.StateReason)
		})
	}
}

func TestChangeStateSaysHowLongTheReleaseTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{endpoint: webhook.Endpoint{State: webhook.EndpointHeld}}
		change := activities.StateChange{
			EndpointRef: endpoint1, From: []webhook.EndpointState{webhook.EndpointHeld}, To: webhook.EndpointActive,
			Releasing: activities.ReleaseTime(100, 10),
		}
		_, err := act[activities.StateChanged](t, k, &queue{}, "ChangeState", change)
		require.NoError(t, err)
		require.Equal(t, time.Now().UTC().Add(10*time.Second+time.Minute), k.endpoint.Releasing)
		require.Equal(t, time.Now().UTC(), k.endpoint.UpdatedAt)

		change.From, change.Releasing = []webhook.EndpointState{webhook.EndpointActive}, 0
		_, err = act[activities.StateChanged](t, k, &queue{}, "ChangeState", change)
		require.NoError(t, err)
		require.Zero(t, k.endpoint.Releasing, "no delivery has to wait for the release any more")
	})
}

func TestADeletedEndpointIsGoneForEveryActivity(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]any{
		"ReadEndpoint": endpoint1,
		"ChangeState":  activities.StateChange{EndpointRef: endpoint1, From: []webhook.EndpointState{webhook.EndpointHeld}, To: webhook.EndpointActive},
		"ReleaseHeld":  activities.Release{EndpointRef: endpoint1, RatePerSecond: 10, Limit: 10},
	} {
		_, err := act[any](t, &keeper{deleted: true}, &queue{}, name, in)
		app, ok := errors.AsType[*temporal.ApplicationError](err)
		require.True(t, ok, name)
		require.Equal(t, activities.TypeEndpointGone, app.Type(), name)
		require.True(t, app.NonRetryable(), name)
	}
}

// TestTroubleWithTheRegistryIsNoAnswer: the activity is retried.
func TestTroubleWithTheRegistryIsNoAnswer(t *testing.T) {
	t.Parallel()
	k := &keeper{endpoint: webhook.Endpoint{State: webhook.EndpointPaused}, away: errAway}
	for name, in := range map[string]any{
		"ReadEndpoint": endpoint1,
		"ChangeState":  activities.StateChange{EndpointRef: endpoint1, To: webhook.EndpointHeld},
		"ReleaseHeld":  activities.Release{EndpointRef: endpoint1, RatePerSecond: 1, Limit: 1},
	} {
		_, err := act[any](t, k, &queue{lists: [][]string{events(1)}}, name, in)
		app := new(temporal.ApplicationError)
		require.ErrorAs(t, err, &app, name)
		require.ErrorContains(t, err, errAway.Error())
		require.False(t, app.NonRetryable(), name)
	}
	_, err := act[int](t, k, &queue{lists: [][]string{events(1)}}, "RecheckDeferred", endpoint1)
	require.ErrorContains(t, err, errAway.Error())
	for _, name := range []string{"RecheckDeferred", "CountWaiting"} {
		_, err := act[int](t, active(), &queue{away: errAway}, name, endpoint1)
		require.ErrorContains(t, err, errAway.Error(), name)
	}
	_, err = act[int](t, active(), &queue{away: errAway}, "RecheckAll", activities.Recheck{EndpointRef: endpoint1})
	require.ErrorContains(t, err, errAway.Error())
}

// TestAnApprovalKnowsItsPolicy as it is now.
func TestAnApprovalKnowsItsPolicy(t *testing.T) {
	t.Parallel()
	k := active()
	k.endpoint.URL = "https://crm.example/secret"
	k.endpoint.Approval = webhook.ApprovalPolicy{After: time.Minute, Timeout: time.Hour, Named: true}
	f, err := act[activities.EndpointFacts](t, k, &queue{}, "ReadEndpoint", endpoint1)
	require.NoError(t, err)
	require.Equal(t, activities.EndpointFacts{
		State: webhook.EndpointActive, Host: "crm.example", After: time.Minute, Timeout: time.Hour, Named: true,
	}, f)
}

func TestCountWaiting(t *testing.T) {
	t.Parallel()
	n, err := act[int](t, active(), &queue{lists: [][]string{events(7)}}, "CountWaiting", endpoint1)
	require.NoError(t, err)
	require.Equal(t, 7, n)
}

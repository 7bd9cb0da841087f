package webhook_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestDecisionsHaveAPace(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0, 0.1, 1, 1000} {
		require.NoError(t, webhook.Decision{RatePerSecond: rate}.Check())
	}
	for _, rate := range []float64{-1, 0.09, 1001, math.Inf(1), math.NaN()} {
		require.ErrorContains(t, webhook.Decision{RatePerSecond: rate}.Check(), "rate_per_second must lie between 0.1 and 1000")
	}
	require.InDelta(t, 10, webhook.Decision{}.Rate(), 0)
}

func TestApprovalPolicyDefaults(t *testing.T) {
	t.Parallel()
	var none webhook.ApprovalPolicy
	require.True(t, none.IsZero())
	require.Equal(t, time.Hour, none.AfterOrDefault())
	require.Equal(t, 7*24*time.Hour, none.TimeoutOrDefault())
	own := webhook.ApprovalPolicy{After: time.Minute, Timeout: time.Second}
	require.False(t, own.IsZero())
	require.Equal(t, time.Minute, own.AfterOrDefault())
	require.Equal(t, time.Second, own.TimeoutOrDefault())
}

func TestApprovalsEnd(t *testing.T) {
	t.Parallel()
	for status, ended := range map[webhook.ApprovalStatus]bool{
		webhook.ApprovalWatching: false, webhook.ApprovalAwaiting: false,
		webhook.ApprovalProbing: false, webhook.ApprovalReleasing: false,
		webhook.ApprovalReleased: true, webhook.ApprovalRecovered: true,
		webhook.ApprovalRejected: true, webhook.ApprovalCancelled: true,
	} {
		require.Equal(t, ended, status.Ended(), status)
	}
}

// TestAnAnswerLeavesOutBodies: what an app or an endpoint wrote stays in its event's history.
func TestAnAnswerLeavesOutBodies(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	got := webhook.AnswerOf(webhook.Attempt{
		Number: 3, At: at, StatusCode: 503, DurationMS: 7, Error: "private", ResponseBody: "private",
		Directive: webhook.DirectiveDisable,
	}, "evt_1")
	require.Equal(t, webhook.Answer{At: at, EventID: "evt_1", StatusCode: 503, Directive: webhook.DirectiveDisable}, got)
	refused := webhook.AnswerOf(webhook.Attempt{At: at, Failure: webhook.FailureRefused, Error: "private"}, "evt_1")
	require.Equal(t, webhook.Answer{At: at, EventID: "evt_1", Failure: webhook.FailureRefused}, refused)
}

package webhook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

const seed = "delivery/acme/evt_1/ep_1"

// TestEveryStatusHasAVerdict goes through every status with every directive, at an attempt that
// others may follow and at the last one. Retry-After is an hour throughout.
func TestEveryStatusHasAVerdict(t *testing.T) {
	t.Parallel()
	s := webhook.DefaultSchedule()
	for status := 100; status < 600; status++ {
		for _, d := range []webhook.Directive{"", webhook.DirectiveAbort, webhook.DirectiveDisable} {
			a := webhook.Attempt{Number: 2, StatusCode: status, Directive: d, RetryAfterMS: time.Hour.Milliseconds()}
			got := webhook.Decide(s, a, seed)
			a.Number = len(s)
			last := webhook.Decide(s, a, seed)

			next, end, wait := verdict(status, d, s[2])
			require.Equal(t, next, got.Status, "%d %s", status, d)
			require.Equal(t, end, last.Status, "%d %s", status, d)
			require.Zero(t, last.Wait)
			require.Equal(t, end != webhook.Delivered, last.Reason != "", "%d %s: %s", status, d, last.Reason)
			require.Equal(t, next == webhook.Held || next == webhook.Rejected, got.Reason != "", "%d %s: %s", status, d, got.Reason)
			if asked := status == 429 || status == 503; asked && next == webhook.Retrying {
				require.GreaterOrEqual(t, got.Wait, wait, "not before it was asked for")
			}
			require.InDelta(t, wait, got.Wait, float64(wait)/5, "%d %s", status, d)
		}
	}
}

// verdict is the table, in words of its own: what follows, what ends a delivery at
// its last attempt, and the wait before its jitter.
func verdict(status int, d webhook.Directive, scheduled time.Duration) (next, end webhook.DeliveryStatus, wait time.Duration) {
	switch {
	case 200 <= status && status <= 299:
		return webhook.Delivered, webhook.Delivered, 0
	case d == webhook.DirectiveAbort:
		return webhook.Rejected, webhook.Rejected, 0
	case d == webhook.DirectiveDisable, status == 410:
		return webhook.Held, webhook.Exhausted, webhook.HeldCheck
	case status == 429 || status == 503:
		return webhook.Retrying, webhook.Exhausted, time.Hour
	}
	return webhook.Retrying, webhook.Exhausted, scheduled
}

func TestVerdictsSayWhy(t *testing.T) {
	t.Parallel()
	s := webhook.Schedule{0, time.Second}
	for reason, a := range map[string]webhook.Attempt{
		"": {Number: 1, StatusCode: 200, Directive: webhook.DirectiveDisable},
		"the endpoint answered webhook-delivery: abort-message": {Number: 1, StatusCode: 410, Directive: webhook.DirectiveAbort},
		"the endpoint answered webhook-delivery: disable":       {Number: 1, StatusCode: 410, Directive: webhook.DirectiveDisable},
		"the endpoint answered 410 Gone":                        {Number: 1, StatusCode: 410},
		"the schedule is spent":                                 {Number: 2, StatusCode: 410},
	} {
		require.Equal(t, reason, webhook.Decide(s, a, seed).Reason)
	}
}

var failures = []webhook.Failure{
	webhook.FailureRefused, webhook.FailureReset, webhook.FailureDNS, webhook.FailureTLS,
	webhook.FailureTimeout, webhook.FailureAddress, webhook.FailureOther,
}

func TestEveryFailureIsRetried(t *testing.T) {
	t.Parallel()
	s := webhook.DefaultSchedule()
	for _, f := range failures {
		for n := 1; n < len(s); n++ {
			got := webhook.Decide(s, webhook.Attempt{Number: n, Failure: f}, seed)
			require.Equal(t, webhook.Retrying, got.Status, f)
			require.InDelta(t, s[n], got.Wait, float64(s[n])/5, f)
		}
		require.Equal(t, webhook.Verdict{Status: webhook.Exhausted, Reason: "the schedule is spent"},
			webhook.Decide(s, webhook.Attempt{Number: len(s), Failure: f}, seed), f)
	}
}

// Workflows replay these numbers: a change here breaks running deliveries and needs a gate in
// workflows/changes.go.
func TestDecideStaysTheSame(t *testing.T) {
	t.Parallel()
	var waits []time.Duration
	for n := range 9 {
		waits = append(waits, webhook.Decide(webhook.DefaultSchedule(), webhook.Attempt{Number: n + 1, StatusCode: 500}, seed).Wait)
	}
	require.Equal(t, goldenWaits, waits)
}

var goldenWaits = []time.Duration{
	4398318620, 248410059296, 1991335327396, 7726585219006, 19810362290842,
	38092809610856, 44109271768656, 59370776501370, 77286860402320,
}

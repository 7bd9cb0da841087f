package webhook_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

func TestRotate(t *testing.T) {
	t.Parallel()
	first, second, third := signature.NewSecret(), signature.NewSecret(), signature.NewSecret()
	e := webhook.Endpoint{Secrets: []webhook.EndpointSecret{{Secret: first}}}
	at := func(d time.Duration) []signature.Secret { return e.SigningSecrets(happened.Add(d)) }
	require.Equal(t, []signature.Secret{first}, at(0))

	e.Rotate(second, happened, 24*time.Hour)
	require.Equal(t, []signature.Secret{second, first}, at(0), "the newest first")
	require.Equal(t, []signature.Secret{second, first}, at(24*time.Hour-1))
	require.Equal(t, []signature.Secret{second}, at(24*time.Hour))

	e.Rotate(third, happened.Add(time.Hour), 48*time.Hour)
	require.Equal(t, []signature.Secret{third, second, first}, at(time.Hour))
	require.Equal(t, []signature.Secret{third, second}, at(24*time.Hour), "a later rotation does not prolong an older secret")
	require.Equal(t, []signature.Secret{third}, at(49*time.Hour))

	e.Rotate(first, happened.Add(30*time.Hour), time.Hour)
	require.Len(t, e.Secrets, 3, "what has stopped signing is dropped")
	require.Equal(t, []signature.Secret{first}, at(31*time.Hour), "a shorter overlap shortens")
}

func TestRotateWithoutOverlap(t *testing.T) {
	t.Parallel()
	for _, overlap := range []time.Duration{0, -time.Hour} {
		leaked, fresh := signature.NewSecret(), signature.NewSecret()
		e := webhook.Endpoint{Secrets: []webhook.EndpointSecret{{Secret: leaked}}}
		e.Rotate(fresh, happened, overlap)
		require.Equal(t, []webhook.EndpointSecret{{Secret: fresh}}, e.Secrets)
	}
}

func TestRotateLeavesCopiesAlone(t *testing.T) {
	t.Parallel()
	e := webhook.Endpoint{Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}}}
	before := e
	e.Rotate(signature.NewSecret(), happened, time.Hour)
	require.Len(t, before.Secrets, 1)
	require.Zero(t, before.Secrets[0].ExpiresAt)
}

// TestThePreviousSecretSignsUntil the last of those before the newest has ended.
func TestThePreviousSecretSignsUntil(t *testing.T) {
	t.Parallel()
	require.Zero(t, webhook.Endpoint{}.PreviousSecretUntil(happened))
	e := webhook.Endpoint{Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}}}
	require.Zero(t, e.PreviousSecretUntil(happened), "there is none")
	e.Rotate(signature.NewSecret(), happened, time.Hour)
	e.Rotate(signature.NewSecret(), happened, 2*time.Hour)
	require.Equal(t, happened.Add(2*time.Hour), e.PreviousSecretUntil(happened))
	require.Equal(t, happened.Add(2*time.Hour), e.PreviousSecretUntil(happened.Add(2*time.Hour-1)))
	require.Zero(t, e.PreviousSecretUntil(happened.Add(2*time.Hour)))
	e.Secrets[1], e.Secrets[2] = e.Secrets[2], e.Secrets[1]
	require.Equal(t, happened.Add(2*time.Hour), e.PreviousSecretUntil(happened), "whichever it is")
}

func TestAClonesChangesDoNotReachTheEndpoint(t *testing.T) {
	t.Parallel()
	secret := signature.NewSecret()
	whole := func() webhook.Endpoint {
		return webhook.Endpoint{
			EventTypes: []string{"a"}, Schedule: webhook.Schedule{0}, Secrets: []webhook.EndpointSecret{{Secret: secret}},
			Headers: map[string]string{"a": "b"}, Metadata: map[string]string{"a": "b"},
		}
	}
	e := whole()
	c := e.Clone()
	require.Equal(t, e, c)
	c.EventTypes[0], c.Schedule[0], c.Secrets[0].ExpiresAt = "b", time.Second, happened
	c.Headers["a"], c.Metadata["a"] = "c", "c"
	require.Equal(t, whole(), e)
}

func TestEndpointDefaults(t *testing.T) {
	t.Parallel()
	require.Equal(t, webhook.DefaultSchedule(), webhook.Endpoint{}.ScheduleOrDefault())
	require.Equal(t, webhook.DefaultTimeout, webhook.Endpoint{}.TimeoutOrDefault())
	own := webhook.Endpoint{Schedule: webhook.Schedule{0, time.Second}, Timeout: time.Second}
	require.Equal(t, own.Schedule, own.ScheduleOrDefault())
	require.Equal(t, time.Second, own.TimeoutOrDefault())
}

func TestRateLimitCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		perSecond float64
		burst     int
		says      string
	}{
		{0.001, 1, ""},
		{1.0 / 3, 7, ""},
		{10_000, 10_000, ""},
		{0, 0, "rate_limit.per_second must lie between 0.001 and 10000"},
		{0, 1, "rate_limit.per_second must lie"},
		{0.0009, 1, "rate_limit.per_second must lie"},
		{-1, 1, "rate_limit.per_second must lie"},
		{10_000.1, 1, "rate_limit.per_second must lie"},
		{math.NaN(), 1, "rate_limit.per_second must lie"},
		{math.Inf(1), 1, "rate_limit.per_second must lie"},
		{math.Inf(-1), 1, "rate_limit.per_second must lie"},
		{1, 0, "rate_limit.burst must lie between 1 and 10000"},
		{1, -1, "rate_limit.burst must lie"},
		{1, 10_001, "rate_limit.burst must lie"},
		{1, math.MaxInt, "rate_limit.burst must lie"},
	} {
		limit := webhook.RateLimit{PerSecond: tc.perSecond, Burst: tc.burst}
		require.Equal(t, tc.perSecond == 0 && tc.burst == 0, limit.IsZero())
		err := limit.Check()
		if tc.says == "" {
			require.NoError(t, err, "%+v", limit)
			continue
		}
		require.ErrorContains(t, err, tc.says, "%+v", limit)
		require.Equal(t, webhook.Invalid, webhook.CodeOf(err))
	}
}

package registrytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

// keeps changes the first endpoint and wants the same endpoint back, from the update and from a
// read.
func keeps(t *testing.T, r Registry, change func(*webhook.Endpoint)) {
	t.Helper()
	var want webhook.Endpoint
	got, err := r.UpdateEndpoint(t.Context(), tenant, id(1), func(e *webhook.Endpoint) error {
		change(e)
		want = *e
		return nil
	})
	require.NoError(t, err)
	want.Version++
	require.Equal(t, want, got)
	require.Equal(t, want, must(r.Endpoint(t.Context(), tenant, id(1)))(t))
}

// approvalPolicy wants each half by itself, and the defaults back as nothing at all.
func approvalPolicy(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	for _, p := range []webhook.ApprovalPolicy{
		{After: webhook.MinApproval},
		{Timeout: webhook.MaxApproval},
		{Named: true},
		{After: webhook.DefaultApprovalAfter, Timeout: webhook.DefaultApprovalTimeout},
		{},
	} {
		keeps(t, r, func(e *webhook.Endpoint) { e.Approval = p })
	}
}

func stateReason(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	keeps(t, r, func(e *webhook.Endpoint) {
		e.State, e.StateReason = webhook.EndpointPaused, "paused by \"Zoë\"\n: '; --"
	})
	keeps(t, r, func(e *webhook.Endpoint) { e.State, e.StateReason = webhook.EndpointActive, "" })
}

// release wants the end of a release back to the microsecond, and none as the zero time: its
// readers ask IsZero.
func release(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	for _, until := range []time.Time{born, time.Unix(0, 0).UTC().Add(-time.Microsecond), {}, born.Add(time.Hour), {}} {
		keeps(t, r, func(e *webhook.Endpoint) { e.Releasing = until })
	}
	require.True(t, must(r.Endpoint(t.Context(), tenant, id(1)))(t).Releasing.IsZero())
}

// breakers are reported beside the endpoint, whose version stays. A change of how it is reached, or
// that lets its deliveries go, forgets them; any other does not.
func breakers(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	for _, at := range []time.Time{born, born.Add(time.Second), {}, born} {
		require.NoError(t, r.ReportBreaker(t.Context(), tenant, id(1), at))
		got := must(r.Endpoint(t.Context(), tenant, id(1)))(t)
		want := endpoint(1)
		want.Secrets, want.BreakerOpenedAt = got.Secrets, at
		require.Equal(t, want, got)
	}
	require.NoError(t, r.ReportBreaker(t.Context(), tenant, id(1), born.Add(-time.Minute)))
	require.Equal(t, born, must(r.Endpoint(t.Context(), tenant, id(1)))(t).BreakerOpenedAt, "the latest")
	keeps(t, r, func(e *webhook.Endpoint) { e.Description = "changed" })
	for _, past := range []func(e *webhook.Endpoint){
		func(e *webhook.Endpoint) { e.URL += "/v2" },
		func(e *webhook.Endpoint) { e.Headers = map[string]string{"X-Key": "another"} },
		func(e *webhook.Endpoint) { e.State = webhook.EndpointPaused },
		func(e *webhook.Endpoint) { e.Releasing = born },
	} {
		require.NoError(t, r.ReportBreaker(t.Context(), tenant, id(1), born))
		keeps(t, r, func(e *webhook.Endpoint) { past(e); e.BreakerOpenedAt = time.Time{} })
	}
	require.NoError(t, r.ReportBreaker(t.Context(), tenant, id(2), born), "one that is gone is no trouble")
}

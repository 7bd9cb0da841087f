package registrytest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func roundTrip(t *testing.T, s Store) {
	r := open(t, s)
	want := full(1)
	requireFull(t, want)
	create(t, r, want, endpoint(2))

	require.NoError(t, r.Ping(t.Context()))
	require.Equal(t, want, must(r.Endpoint(t.Context(), tenant, want.ID))(t))
}

func defaults(t *testing.T, s Store) {
	r := open(t, s)
	want := endpoint(1)
	given := want
	given.EventTypes, given.Schedule = []string{}, webhook.Schedule{}
	given.Headers, given.Metadata = map[string]string{}, map[string]string{}
	given.CreatedAt = born.In(time.FixedZone("", 3600)).Add(999 * time.Nanosecond)
	given.Releasing = time.Time{}.In(time.FixedZone("", 3600))
	create(t, r, given)

	require.Equal(t, want, must(r.Endpoint(t.Context(), tenant, want.ID))(t), "empty comes back as nil, times in UTC to the microsecond")
}

func reopen(t *testing.T, s Store) {
	sealer := NewSealer(t)
	want := full(1)
	first := s.Open(t, sealer)
	create(t, first, want)
	require.NoError(t, first.Close())

	r := openWith(t, s, sealer)
	require.Equal(t, want, must(r.Endpoint(t.Context(), tenant, want.ID))(t))
	requireMatch(t, r, "contact.updated", 1)
}

func notFound(t *testing.T, s Store) {
	r := open(t, s)
	_, err := r.Endpoint(t.Context(), tenant, id(1))
	requireCode(t, webhook.NotFound, err)
	require.EqualError(t, err, "endpoint "+id(1)+" does not exist")

	_, err = r.UpdateEndpoint(t.Context(), tenant, id(1), func(*webhook.Endpoint) error {
		t.Error("there is nothing to change")
		return nil
	})
	requireCode(t, webhook.NotFound, err)
	requireCode(t, webhook.NotFound, r.DeleteEndpoint(t.Context(), tenant, id(1)))
}

func takenID(t *testing.T, s Store) {
	r := open(t, s)
	first := endpoint(1, "a")
	create(t, r, first)
	err := r.CreateEndpoint(t.Context(), endpoint(1, "b"))
	requireCode(t, webhook.Conflict, err)
	require.ErrorContains(t, err, id(1))

	require.Equal(t, first, must(r.Endpoint(t.Context(), tenant, id(1)))(t))
	requireMatch(t, r, "a", 1)
	requireMatch(t, r, "b")
}

func list(t *testing.T, s Store) {
	r := open(t, s)
	require.Empty(t, must(r.Endpoints(t.Context(), tenant, webhook.EndpointQuery{Limit: 10}))(t))

	want := []webhook.Endpoint{endpoint(1), full(2), endpoint(3), endpoint(4), endpoint(5)}
	for _, n := range []int{3, 0, 4, 2, 1} {
		create(t, r, want[n])
	}
	for after, i := "", 0; i <= len(want); i += 2 {
		page := must(r.Endpoints(t.Context(), tenant, webhook.EndpointQuery{After: after, Limit: 2}))(t)
		require.Equal(t, want[i:min(i+2, len(want))], page)
		after = page[len(page)-1].ID
	}
	require.Empty(t, must(r.Endpoints(t.Context(), tenant, webhook.EndpointQuery{After: id(5), Limit: 2}))(t))
}

func update(t *testing.T, s Store) {
	r := open(t, s)
	before := endpoint(1, "a")
	create(t, r, before)

	want := full(1)
	want.Version = before.Version + 1
	got := changed(t, r, 1, func(e *webhook.Endpoint) {
		require.Equal(t, before, *e)
		*e = want
		e.ID, e.Tenant, e.CreatedAt, e.Version = id(2), "other", born.Add(time.Hour), 40
		e.UpdatedAt = want.UpdatedAt.Add(999 * time.Nanosecond)
	})
	want.BreakerOpenedAt = time.Time{}
	require.Equal(t, want, got, "as it is stored, and what cannot change has not")

	require.Equal(t, want, must(r.Endpoint(t.Context(), tenant, id(1)))(t))
	_, err := r.Endpoint(t.Context(), "other", id(2))
	requireCode(t, webhook.NotFound, err)
}

// rateLimit wants a limit back to the last bit, also after it was changed and lifted.
func rateLimit(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, endpoint(1))
	for _, want := range []webhook.RateLimit{{PerSecond: 0.001, Burst: 1}, {PerSecond: 1.0 / 3, Burst: 7}, {PerSecond: 10_000, Burst: 10_000}, {}} {
		require.Equal(t, want, changed(t, r, 1, func(e *webhook.Endpoint) { e.RateLimit = want }).RateLimit)
		require.Equal(t, want, must(r.Endpoint(t.Context(), tenant, id(1)))(t).RateLimit)
	}
}

func updateFails(t *testing.T, s Store) {
	r := open(t, s)
	before := full(1)
	create(t, r, before)

	plain, refusal := errors.New("no"), webhook.Invalidf("url", "must be https")
	for _, cause := range []error{plain, refusal} {
		_, err := r.UpdateEndpoint(t.Context(), tenant, id(1), func(e *webhook.Endpoint) error {
			e.URL, e.EventTypes[0], e.Headers["x-key"] = "https://other.example", "b", "other"
			return cause
		})
		require.ErrorIs(t, err, cause)
	}
	require.Panics(t, func() {
		_, _ = r.UpdateEndpoint(t.Context(), tenant, id(1), func(*webhook.Endpoint) error { panic("mine") })
	})

	require.Equal(t, before, must(r.Endpoint(t.Context(), tenant, id(1)))(t))
	requireMatch(t, r, "b")
	create(t, r, endpoint(2)) // nothing stayed locked
}

func deleteEndpoint(t *testing.T, s Store) {
	r := open(t, s)
	create(t, r, full(1), endpoint(2))
	require.NoError(t, r.DeleteEndpoint(t.Context(), tenant, id(1)))

	_, err := r.Endpoint(t.Context(), tenant, id(1))
	requireCode(t, webhook.NotFound, err)
	requireCode(t, webhook.NotFound, r.DeleteEndpoint(t.Context(), tenant, id(1)))
	requireMatch(t, r, "contact.updated", 2)

	create(t, r, endpoint(1, "other")) // nothing of the old one comes back
	requireMatch(t, r, "contact.updated", 2)
	requireMatch(t, r, "other", 1, 2)
}

func tenantsApart(t *testing.T, s Store) {
	r := open(t, s)
	mine, theirs := endpoint(1, "a"), endpoint(1)
	theirs.Tenant, theirs.Description = "other", "the same id, another tenant"
	create(t, r, mine, theirs)
	requireMatch(t, r, "a", 1)
	requireMatch(t, r, "b")

	must(r.UpdateEndpoint(t.Context(), "other", id(1), func(e *webhook.Endpoint) error { e.State = webhook.EndpointDisabled; return nil }))(t)
	require.NoError(t, r.DeleteEndpoint(t.Context(), "other", id(1)))
	for _, other := range []string{"other", "", "ACME", "acme%", "nobody"} {
		_, err := r.Endpoint(t.Context(), other, id(1))
		requireCode(t, webhook.NotFound, err)
		requireCode(t, webhook.NotFound, r.DeleteEndpoint(t.Context(), other, id(1)))
		require.Empty(t, must(r.Endpoints(t.Context(), other, webhook.EndpointQuery{Limit: 10}))(t))
		require.Empty(t, must(r.Match(t.Context(), other, "a"))(t))
	}
	require.Equal(t, mine, must(r.Endpoint(t.Context(), tenant, id(1)))(t))
}

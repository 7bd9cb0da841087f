package sender_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// closing makes the endpoint end each connection, so that nothing in a synctest bubble waits for
// the network and its clock can move.
var closing = http.Header{"Connection": {"close"}}

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503:6 200", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		s := newSender(t, sender.Config{Metrics: reg})
		d := delivery(srv.URL)
		send := func(status int) {
			t.Helper()
			a, err := s.Send(t.Context(), d, 1)
			require.NoError(t, err)
			require.Equal(t, status, a.StatusCode)
		}
		for range 5 {
			send(503)
		}
		opened := time.Now().UTC()
		_, err := s.Send(t.Context(), d, 6)
		requireDeferral(t, err, webhook.DeferBreaker, "it is probed after "+opened.Add(6*time.Second).Format(time.RFC3339))
		require.Len(t, srv.Receipts(), 5, "an open breaker spends no attempt")

		other := d
		other.Endpoint.Tenant = "globex"
		a, err := s.Send(t.Context(), other, 1) // the script's sixth 503, but another tenant's endpoint
		require.NoError(t, err)
		require.Equal(t, 503, a.StatusCode)
		requireGauge(t, reg, 1)

		time.Sleep(4 * time.Second)
		_, err = s.Send(t.Context(), d, 6)
		requireDeferral(t, err, webhook.DeferBreaker, "")
		time.Sleep(2 * time.Second)
		send(200) // the probe
		send(200)
		requireGauge(t, reg, 0)
	})
}

// TestBreakerOfAChangedEndpoint: what it failed with is past once it was changed, or let go by a
// person on another worker; a delivery that read it before changes nothing.
func TestBreakerOfAChangedEndpoint(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503:5 200"})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	for range 5 {
		_, err := s.Send(t.Context(), d, 1)
		require.NoError(t, err)
	}
	_, err := s.Send(t.Context(), d, 1)
	requireDeferral(t, err, webhook.DeferBreaker, "the endpoint keeps failing")
	changed := d
	changed.Endpoint.Version++
	changed.Endpoint.Description = "a word of its owner's"
	_, err = s.Send(t.Context(), changed, 1)
	requireDeferral(t, err, webhook.DeferBreaker, "the endpoint keeps failing")
	changed.Endpoint.Version++
	changed.Endpoint.Headers = map[string]string{"X-Key": "another"}
	a, err := s.Send(t.Context(), changed, 1)
	require.NoError(t, err)
	require.Equal(t, 200, a.StatusCode)
	require.Equal(t, "closed", s.Breaker("acme", "ep_1"))
	_, err = s.Send(t.Context(), d, 1)
	require.NoError(t, err)
}

// TestBreakerHeedsOtherWorkers: what one worker found out, the others know at their next turn, and
// also that it is over.
func TestBreakerHeedsOtherWorkers(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	d.Endpoint.BreakerOpenedAt = time.Now()
	_, err := s.Send(t.Context(), d, 1)
	requireDeferral(t, err, webhook.DeferBreaker, "the endpoint keeps failing")
	require.Empty(t, srv.Receipts())
	late := d
	late.Endpoint.BreakerOpenedAt, late.ReadAt = time.Time{}, time.Now().Add(-time.Second)
	_, err = s.Send(t.Context(), late, 1)
	requireDeferral(t, err, webhook.DeferBreaker, "the endpoint keeps failing") // it was read before the breaker opened
	d.Endpoint.BreakerOpenedAt = time.Time{}
	_, err = s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	d.Endpoint.BreakerOpenedAt = time.Now().Add(-time.Minute)
	_, err = s.Send(t.Context(), d, 1)
	require.NoError(t, err, "long enough ago to try")
	require.Equal(t, "closed", s.Breaker("acme", "ep_1"))
}

func requireGauge(t *testing.T, reg *prometheus.Registry, want int) {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "hookloop_breakers_open" {
			require.InDelta(t, want, f.GetMetric()[0].GetGauge().GetValue(), 0)
			return
		}
	}
	t.Fatal("no gauge")
}

func requireBreaker(t *testing.T, s *sender.Sender, want string) {
	t.Helper()
	require.Equal(t, want, s.Breaker("acme", "ep_1"))
}

func TestProbePassesAnOpenBreaker(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "404:6 400 200", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		d := delivery(srv.URL)
		for range 5 {
			_, err := s.Send(t.Context(), d, 1)
			require.NoError(t, err)
		}
		requireBreaker(t, s, "open")
		d.Probe = true
		a, err := s.Send(t.Context(), d, 1)
		require.NoError(t, err)
		require.Equal(t, 404, a.StatusCode)
		requireBreaker(t, s, "open")
		a, err = s.Send(t.Context(), d, 1)
		require.NoError(t, err)
		require.Equal(t, 400, a.StatusCode)
		requireBreaker(t, s, "open") // to refuse is not to take
		a, err = s.Send(t.Context(), d, 1)
		require.NoError(t, err)
		require.Equal(t, 200, a.StatusCode)
		requireBreaker(t, s, "closed")
	})
}

func TestLimitCostsNoAttempt(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	d.Endpoint.RateLimit = webhook.RateLimit{PerSecond: 0.001, Burst: 1}
	_, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	_, err = s.Send(t.Context(), d, 2)
	requireDeferral(t, err, webhook.DeferLimit, "the endpoint takes 0.001 attempts a second")
	require.Len(t, srv.Receipts(), 1)

	d.Endpoint.ID = "ep_2"
	_, err = s.Send(t.Context(), d, 1)
	require.NoError(t, err, "each endpoint has a limit of its own")
}

// reports keeps what Health is told, and of which event.
type reports struct{ texts []string }

func (r *reports) Failing(_, _ string, _ webhook.Attempt, eventID string) { r.add("failing", eventID) }

func (r *reports) Persists(_, _ string, _ webhook.Attempt, eventID string) {
	r.add("persists", eventID)
}

func (r *reports) Refuses(_, _ string, _ webhook.Attempt, eventID string, _ time.Time) {
	r.add("refuses", eventID)
}

func (r *reports) Recovered(_, _ string, _ webhook.Attempt, eventID string, _ bool) {
	r.add("recovered", eventID)
}

func (r *reports) add(what, eventID string) { r.texts = append(r.texts, what+" "+eventID) }

// TestARequestThatCannotBeMadeIsARefusal, and an address that is not dialled a failure.
func TestARequestThatCannotBeMadeIsARefusal(t *testing.T) {
	t.Parallel()
	shapeless := delivery("http://endpoint.example/")
	shapeless.Endpoint.Request = webhook.RequestShape{Path: `[.data.no_such_member]`}
	shapeless.Endpoint.Approval.After = time.Nanosecond
	for _, tc := range []struct {
		d       webhook.Delivery
		told    string
		breaker string
	}{
		{shapeless, "refuses evt_5", "closed"},
		{delivery("http://10.0.0.1/"), "failing evt_5", "open"},
	} {
		h := &reports{}
		s := newSender(t, sender.Config{Health: h})
		for n := range 5 {
			tc.d.Event.ID = "evt_" + strconv.Itoa(n+1)
			require.Empty(t, h.texts)
			_, err := s.Send(t.Context(), tc.d, 1)
			require.NoError(t, err)
		}
		require.Equal(t, []string{tc.told}, h.texts)
		requireBreaker(t, s, tc.breaker)
	}
}

// away is a Pacer that cannot be asked.
type away struct{ err error }

func (p away) Pass(context.Context, string, string, string, webhook.RateLimit) (time.Duration, error) {
	return 0, p.err
}

func TestSendWithoutItsPacer(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	d, p := delivery(srv.URL), away{errors.New("away")}
	d.Endpoint.RateLimit = webhook.RateLimit{PerSecond: 1, Burst: 1}
	_, err := newSender(t, sender.Config{Pacer: p}).Send(t.Context(), d, 1)
	require.ErrorIs(t, err, p.err)
	require.Empty(t, srv.Receipts())
}

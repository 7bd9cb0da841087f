package sender_test

import (
	"net/http"
	"strconv"
	"sync"
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

// TestVerdictOn: webhook's tests have a row for each answer.
func TestVerdictOn(t *testing.T) {
	t.Parallel()
	for want, a := range map[error]webhook.Attempt{
		nil: {StatusCode: 204}, sender.ErrFailing: {StatusCode: 404}, sender.ErrRefuses: {StatusCode: 400},
	} {
		require.Equal(t, want, sender.VerdictOn(a), a)
	}
}

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

		<-time.After(4 * time.Second)
		_, err = s.Send(t.Context(), d, 6)
		requireDeferral(t, err, webhook.DeferBreaker, "")
		<-time.After(2 * time.Second)
		send(200) // the probe
		send(200)
		requireGauge(t, reg, 0)
	})
}

// TestBreakerOfAChangedEndpoint: what it failed with is past once it was changed, or let go by a person on
// another worker; a delivery that read it before changes nothing.
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

// TestBreakerHeedsOtherWorkers: what one worker found out, the others know at their next turn, and also that
// it is over.
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

func TestOneProbeAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		for range 5 {
			turn(t, s, sender.ErrFailing)
		}
		<-time.After(31 * time.Second)
		probe, refused := s.Enter("acme", "ep_1")
		require.Nil(t, refused)
		_, refused = s.Enter("acme", "ep_1")
		require.Equal(t, &webhook.Deferral{
			Reason: webhook.DeferBreaker, Detail: "the endpoint keeps failing; a probe is under way", WaitMS: 5_000,
		}, refused)
		probe(sender.ErrNoVerdict) // says nothing: the next turn is the probe
		probe, refused = s.Enter("acme", "ep_1")
		require.Nil(t, refused)
		probe(sender.ErrFailing)
		_, refused = s.Enter("acme", "ep_1")
		require.Equal(t, webhook.DeferBreaker, refused.Reason, "open again")
	})
}

// TestBreakerOfAnEndpointThatTakesHalf: it is sent what it takes, in fewer places.
func TestBreakerOfAnEndpointThatTakesHalf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		for range 500 {
			turn(t, s, nil)
			turn(t, s, sender.ErrFailing)
		}
		for range 18 {
			turn(t, s, sender.ErrFailing)
		}
		turn(t, s, nil)
		requireBreaker(t, s, "closed")
		for range 20 {
			turn(t, s, sender.ErrFailing)
		}
		requireBreaker(t, s, "open")
	})
}

// TestDeferredDeliveriesComeOneByOne, and the first of them in time for the probe.
func TestDeferredDeliveriesComeOneByOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		for range 5 {
			turn(t, s, sender.ErrFailing)
		}
		last := 5 * time.Second
		for i := range 10_000 {
			_, refused := s.Enter("acme", "ep_1")
			require.Equal(t, webhook.DeferBreaker, refused.Reason)
			require.LessOrEqual(t, refused.Wait(), 2*time.Hour)
			if i < 7000 {
				require.InDelta(t, last, refused.Wait(), float64(time.Second))
				last = refused.Wait() + time.Second
			}
		}
		<-time.After(11 * time.Second)
		turn(t, s, nil)
		for range 5 {
			turn(t, s, sender.ErrFailing)
		}
		_, refused := s.Enter("acme", "ep_1")
		require.Less(t, refused.Wait(), 12*time.Second, "the line is gone with the breaker that made it")
	})
}

func TestBreakerForgetsOldFailures(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		for range 3 {
			for range 4 {
				turn(t, s, sender.ErrFailing)
			}
			<-time.After(71 * time.Second)
		}
		for range 20 {
			turn(t, s, sender.ErrNoVerdict)
		}
	})
}

func TestIdleGuardsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		for range 5 {
			turn(t, s, sender.ErrFailing)
		}
		busy, _ := s.Enter("acme", "ep_busy")
		<-time.After(sender.IdleGuard - time.Second)
		enterOther(t, s, "ep_2")
		require.Equal(t, 3, s.Guarded(), "an open breaker outlasts its deliveries' deferrals")
		<-time.After(2 * time.Second)
		enterOther(t, s, "ep_3")
		require.Equal(t, 3, s.Guarded(), "ep_1 is gone, ep_busy has an attempt in flight")
		busy(nil)
		<-time.After(sender.IdleGuard)
		enterOther(t, s, "ep_4")
		require.Equal(t, 1, s.Guarded())
	})
}

func TestGuardsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSender(t, sender.Config{})
	busy, _ := s.Enter("acme", "ep_busy")
	for n := range sender.MaxGuards + 100 {
		enterOther(t, s, "ep_"+strconv.Itoa(n))
	}
	require.Equal(t, sender.MaxGuards, s.Guarded())
	busy(nil)
}

func TestGuardsTogether(t *testing.T) {
	t.Parallel()
	s := newSender(t, sender.Config{MostPlaces: 4})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 500 {
				leave, refused := s.Enter("acme", "ep_"+strconv.Itoa((n+i)%3))
				if refused == nil {
					leave(nil)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 3, s.Guarded())
}

func turn(t *testing.T, s *sender.Sender, verdict error) {
	t.Helper()
	leave, refused := s.Enter("acme", "ep_1")
	require.Nil(t, refused)
	leave(verdict)
}

func enterOther(t *testing.T, s *sender.Sender, id string) {
	t.Helper()
	leave, refused := s.Enter("acme", id)
	require.Nil(t, refused)
	leave(nil)
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

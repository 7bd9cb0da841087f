package sender_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// probe takes a turn that a person asked for.
func probe(t *testing.T, s *sender.Sender) (leave func(error)) {
	t.Helper()
	leave, refused := s.EnterDelivery(webhook.Delivery{Probe: true, Endpoint: webhook.Endpoint{Tenant: "acme", ID: "ep_1"}})
	require.Nil(t, refused)
	return leave
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

func TestProbeMendsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		for range 50 {
			probe(t, s)(sender.ErrFailing)
		}
		requireBreaker(t, s, "closed")
		for range 4 {
			turn(t, s, sender.ErrFailing)
		}
		probe(t, s)(nil)
		for range 4 { // it begins to count anew
			turn(t, s, sender.ErrFailing)
		}
		requireBreaker(t, s, "closed")
		turn(t, s, sender.ErrFailing)
		probe(t, s)(sender.ErrNoVerdict)
		probe(t, s)(sender.ErrFailing)
		requireBreaker(t, s, "open")
		<-time.After(31 * time.Second)
		probe(t, s)(sender.ErrFailing)
		requireBreaker(t, s, "half-open") // nor does it open again for longer
	})
}

func TestProbeBesideTheBreakersOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		s := newSender(t, sender.Config{Health: h})
		for range 5 {
			turn(t, s, sender.ErrFailing)
		}
		<-time.After(31 * time.Second)
		own, refused := s.Enter("acme", "ep_1")
		require.Nil(t, refused)
		_, refused = s.Enter("acme", "ep_1")
		require.Equal(t, webhook.DeferBreaker, refused.Reason)
		probe(t, s)(nil)
		requireBreaker(t, s, "closed")
		require.Equal(t, []string{"failing acme ep_1 evt_1 0", "recovered acme ep_1"}, h.since())
		own(sender.ErrFailing)
		requireBreaker(t, s, "closed") // it began before the probe's success
		require.Empty(t, h.since())
		for range 4 {
			turn(t, s, sender.ErrFailing)
		}
		requireBreaker(t, s, "closed")
	})
}

func TestProbeNeedsNoPlaceAndNoToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, d := newSender(t, sender.Config{MostPlaces: 1}), webhook.Delivery{Endpoint: limited(0.001, 1), Probe: true}
		for range 10 {
			leave, refused := s.EnterDelivery(d)
			require.Nil(t, refused)
			again, refused := s.EnterDelivery(d)
			require.Nil(t, refused, "a person waits for it")
			leave(nil)
			again(nil)
		}
		require.Nil(t, come(s, d.Endpoint, 0), "the token is still there")
		require.Equal(t, webhook.DeferLimit, come(s, d.Endpoint, 1).Reason)
		leave, refused := s.EnterDelivery(d)
		require.Nil(t, refused)
		leave(nil)
		require.Equal(t, 1, s.Slots())
	})
}

func TestProbesTogether(t *testing.T) {
	t.Parallel()
	s := newSender(t, sender.Config{MostPlaces: 16, Health: &heard{}})
	verdicts := []error{nil, sender.ErrFailing, sender.ErrFailing, sender.ErrNoVerdict}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 500 {
				leave, refused := s.EnterDelivery(webhook.Delivery{
					Probe: (n+i)%5 == 0, Endpoint: webhook.Endpoint{Tenant: "acme", ID: "ep_1"},
				})
				if refused == nil {
					leave(verdicts[(n+i)%len(verdicts)])
				}
				_ = s.Breaker("acme", "ep_1")
			}
		})
	}
	wg.Wait()
	probe(t, s)(nil)
	requireBreaker(t, s, "closed")
	for range 16 {
		probe(t, s) // every place came back
	}
}

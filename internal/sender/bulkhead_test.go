package sender_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestBulkhead(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "hang:2"})
	s := newSender(t, sender.Config{Bulkhead: 2})
	d := delivery(srv.URL)
	hanging, end := context.WithCancel(t.Context())
	defer end()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { _, _ = s.Send(hanging, d, 1) })
	}
	srv.MustWait(t, 2)

	_, err := s.Send(t.Context(), d, 1) // it does not wait for a place: those two hang
	requireDeferral(t, err, webhook.DeferBulkhead, "too many attempts")
	other := d
	other.Endpoint.ID = "ep_2"
	_, err = s.Send(t.Context(), other, 1)
	require.NoError(t, err, "the endpoint next to it is not affected")

	end()
	wg.Wait()
	_, err = s.Send(t.Context(), d, 2)
	require.NoError(t, err, "places come back")
}

func TestBulkheadIsSixteenByDefault(t *testing.T) {
	t.Parallel()
	s := newSender(t, sender.Config{})
	for range 16 {
		_, refused := s.Enter("acme", "ep_1")
		require.Nil(t, refused)
	}
	_, refused := s.Enter("acme", "ep_1")
	require.Equal(t, webhook.DeferBulkhead, refused.Reason)
}

// full takes all sixteen places of an endpoint and says how many turns it then refused until the time
// of the last of n.
func full(t *testing.T, s *sender.Sender, n int) (leave []func(error), last time.Duration) {
	t.Helper()
	for range 16 {
		l, refused := s.Enter("acme", "ep_1")
		require.Nil(t, refused)
		leave = append(leave, l)
	}
	for range n {
		_, refused := s.Enter("acme", "ep_1")
		require.Greater(t, refused.Wait(), last, "each has a time of its own")
		last = refused.Wait()
	}
	return leave, last
}

func TestRefusedDeliveriesComeWhenPlacesShould(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{})
		leave, last := full(t, s, 160)
		requireAbout(t, 11*time.Second, last, "nothing is known: a second each, sixteen at a time")

		<-time.After(10 * time.Second)
		_, refused := s.Enter("acme", "ep_1")
		requireAbout(t, 1625*time.Millisecond, refused.Wait(), "the queue has passed, and none was quicker than ten seconds")

		<-time.After(10 * time.Second)
		for _, l := range leave {
			l(nil)
		}
		leave, last = full(t, s, 160)
		requireAbout(t, 201*time.Second, last, "attempts took twenty seconds")
		for range 100 {
			for _, l := range leave {
				l(nil)
			}
			leave, _ = full(t, s, 0)
		}
		_, refused = s.Enter("acme", "ep_1")
		requireAbout(t, 2*time.Second, refused.Wait(), "it answers at once now, and the queue moves up")
	})
}

func requireAbout(t *testing.T, want, got time.Duration, why string) {
	t.Helper()
	require.InDelta(t, want, got, float64(want)/20, why)
}

func TestNobodyIsSentFarAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t, sender.Config{Bulkhead: 1})
		_, refused := s.Enter("acme", "ep_1")
		require.Nil(t, refused)
		<-time.After(time.Minute)
		waits := map[time.Duration]bool{}
		for range 1000 {
			_, refused := s.Enter("acme", "ep_1")
			require.Greater(t, refused.Wait(), time.Second)
			require.LessOrEqual(t, refused.Wait(), 30*time.Minute)
			waits[refused.Wait()] = true
		}
		require.Greater(t, len(waits), 30, "spread")
	})
}

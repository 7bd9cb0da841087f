package sender_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// refusing is an endpoint by script and what its sender's Health hears.
type refusing struct {
	t *testing.T
	s *sender.Sender
	h *heard
	d webhook.Delivery
}

func newRefusing(t *testing.T, url string, after time.Duration) refusing {
	t.Helper()
	h := &heard{}
	d := delivery(url)
	d.Endpoint.Approval.After = after
	return refusing{t, newSender(t, sender.Config{Health: h}), h, d}
}

// send makes an attempt of each event, and gives what was heard of it.
func (r refusing) send(events ...int) []string {
	r.t.Helper()
	for _, n := range events {
		r.d.Event.ID = fmt.Sprintf("evt_%d", n)
		_, err := r.s.Send(r.t.Context(), r.d, 1)
		require.NoError(r.t, err)
	}
	return r.h.since()
}

// TestHealthHearsOfAnEndpointThatRefusesEverything, once five different events were refused for a minute, whether
// or not anything more is sent.
func TestHealthHearsOfAnEndpointThatRefusesEverything(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "400:40 200 400", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		r := newRefusing(t, srv.URL, 0)
		require.Empty(t, r.send(1, 2, 3, 4, 4, 3, 2, 1, 1, 2, 3, 4), "four events may be at fault")
		<-time.After(time.Hour / 2)
		require.Empty(t, r.send(1, 2, 3, 4))
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 30m0s"}, r.send(5))
		require.Equal(t, []string{"refuses acme ep_1 evt_1 400 for 30m0s"}, r.send(1), "each is told; it is news at times")
		for n := range 22 {
			r.send(n)
		}
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(41), "it took one")
		require.Empty(t, r.send(1, 2, 3, 4, 5, 6), "and begins anew")
		<-time.After(59 * time.Second)
		require.Empty(t, r.h.since())
		<-time.After(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 1m0s"}, r.h.since(), "by itself: there may be nothing more to send")
		<-time.After(time.Hour)
		require.Empty(t, r.h.since())
	})
}

// TestFewRefusalsBetweenSuccessesAreNobodysBusiness, and where people are asked within a second they are told within one.
func TestFewRefusalsBetweenSuccessesAreNobodysBusiness(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "400:9 200 400:9 200 400", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		r := newRefusing(t, srv.URL, time.Second)
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
		require.Empty(t, r.send(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
		<-time.After(time.Minute)
		require.Empty(t, r.h.since(), "it took one since")
		require.Empty(t, r.send(1, 2, 3, 4, 5))
		<-time.After(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 1s"}, r.h.since())
	})
}

// TestAnEndpointThatIsSentLittleMayRefuseAllOfIt: what it refused is remembered from one attempt to the next, by any schedule.
func TestAnEndpointThatIsSentLittleMayRefuseAllOfIt(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "400", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		r := newRefusing(t, srv.URL, 0)
		for n := range 4 {
			require.Empty(t, r.send(n))
			<-time.After(28 * time.Hour)
			enterOther(t, r.s, "ep_2") // a new guard: old ones are forgotten
			r.h.since()
		}
		require.Equal(t, []string{"refuses acme ep_1 evt_4 400 for 112h0m0s"}, r.send(4))
	})
}

// TestARequestThatCannotBeMadeIsARefusal, and an address that is not dialled a failure.
func TestARequestThatCannotBeMadeIsARefusal(t *testing.T) {
	t.Parallel()
	r := newRefusing(t, "http://endpoint.example/", time.Nanosecond) // outside of a bubble: expressions run in a process of their own
	r.d.Endpoint.Request = webhook.RequestShape{Path: `[.data.no_such_member]`}
	require.Empty(t, r.send(1, 2, 3, 4))
	require.Contains(t, strings.Join(r.send(5), ""), "refuses acme ep_1 evt_5 0 for ")
	requireBreaker(t, r.s, "closed")
	inside := newRefusing(t, "http://10.0.0.1/", 0)
	require.Equal(t, []string{"failing acme ep_1 evt_5 0"}, inside.send(1, 2, 3, 4, 5))
	requireBreaker(t, inside.s, "open")
}

// TestRefusalsLeaveABreakerAsItIs: a poisoned event is no probe that fails, nor one that succeeds.
func TestRefusalsLeaveABreakerAsItIs(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503:5 400:2 200", Header: closing})
	synctest.Test(t, func(t *testing.T) {
		r := newRefusing(t, srv.URL, 0)
		require.Equal(t, []string{"failing acme ep_1 evt_5 503"}, r.send(1, 2, 3, 4, 5))
		<-time.After(31 * time.Second)
		require.Empty(t, r.send(1, 2))
		requireBreaker(t, r.s, "half-open")
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(3), "the next is the probe")
		requireBreaker(t, r.s, "closed")
	})
}

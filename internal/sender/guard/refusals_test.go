package guard_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// scripted is an endpoint with scripted answers, and what Health is told of it.
type scripted struct {
	t      *testing.T
	g      *guard.Guard
	h      *reports
	d      webhook.Delivery
	answer func() webhook.Attempt
}

func newScripted(t *testing.T, text string, after time.Duration) scripted {
	t.Helper()
	h, d := &reports{}, at("ep_1")
	d.Endpoint.Approval.After = after
	return scripted{t, newGuard(t, guard.Config{Health: h}), h, d, script(t, text)}
}

// send makes an attempt of each event, and gives the reports.
func (r scripted) send(events ...int) []string {
	r.t.Helper()
	for _, n := range events {
		r.d.Event.ID = fmt.Sprintf("evt_%d", n)
		send(r.t, r.g, r.d, r.answer())
	}
	return r.h.take()
}

// TestHealthHearsOfAnEndpointThatRefusesEverything, once five different events were refused for a
// minute, whether or not anything more is sent.
func TestHealthHearsOfAnEndpointThatRefusesEverything(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newScripted(t, "400:40 200 400", 0)
		require.Empty(t, r.send(1, 2, 3, 4, 4, 3, 2, 1, 1, 2, 3, 4), "four events may be at fault")
		time.Sleep(time.Hour / 2)
		require.Empty(t, r.send(1, 2, 3, 4))
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 30m0s"}, r.send(5))
		require.Equal(t, []string{"refuses acme ep_1 evt_1 400 for 30m0s"}, r.send(1), "each is reported")
		for n := range 22 {
			r.send(n)
		}
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(41), "it took one")
		require.Empty(t, r.send(1, 2, 3, 4, 5, 6), "and begins anew")
		time.Sleep(59 * time.Second)
		require.Empty(t, r.h.take())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 1m0s"}, r.h.take(), "by itself: there may be nothing more to send")
		time.Sleep(time.Hour)
		require.Empty(t, r.h.take())
	})
}

// TestFewRefusalsBetweenSuccessesAreNotReported. Where people are asked within a second, they are
// told within one.
func TestFewRefusalsBetweenSuccessesAreNotReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newScripted(t, "400:9 200 400:9 200 400", time.Second)
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
		require.Empty(t, r.send(1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
		time.Sleep(time.Minute)
		require.Empty(t, r.h.take(), "it took one since")
		require.Empty(t, r.send(1, 2, 3, 4, 5))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 1s"}, r.h.take())
	})
}

// TestAnEndpointThatIsSentLittleMayRefuseAllOfIt: what it refused is remembered from one attempt to
// the next, by any schedule.
func TestAnEndpointThatIsSentLittleMayRefuseAllOfIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newScripted(t, "400", 0)
		for n := range 4 {
			require.Empty(t, r.send(n))
			time.Sleep(28 * time.Hour)
			send(t, r.g, at("ep_2"), took) // a new endpoint: old ones are forgotten
			r.h.take()
		}
		require.Equal(t, []string{"refuses acme ep_1 evt_4 400 for 112h0m0s"}, r.send(4))
	})
}

// TestAProbeThatIsRefusedIsNotReported: its approval gets the answer.
func TestAProbeThatIsRefusedIsNotReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newScripted(t, "400", 0)
		require.Empty(t, r.send(1, 2, 3, 4))
		time.Sleep(2 * time.Minute)
		r.d.Probe = true
		require.Empty(t, r.send(5))
		r.d.Probe = false
		require.Equal(t, []string{"refuses acme ep_1 evt_6 400 for 2m0s"}, r.send(6))
	})
}

// TestARefusalThatWasReportedHasItsRecovery: the next success is told of.
func TestARefusalThatWasReportedHasItsRecovery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newScripted(t, "200 400:5 200", time.Second)
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(0))
		require.Empty(t, r.send(1, 2, 3, 4, 5))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, []string{"refuses acme ep_1 evt_5 400 for 1s"}, r.h.take())
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(6))
	})
}

// TestRefusalsLeaveABreakerAsItIs: a poisoned event is no probe that fails, nor one that succeeds.
func TestRefusalsLeaveABreakerAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newScripted(t, "503:5 400:2 200", 0)
		require.Equal(t, []string{"failing acme ep_1 evt_5 503"}, r.send(1, 2, 3, 4, 5))
		time.Sleep(31 * time.Second)
		require.Empty(t, r.send(1, 2))
		requireBreaker(t, r.g, "half-open")
		require.Equal(t, []string{"recovered acme ep_1"}, r.send(3), "the next is the probe")
		requireBreaker(t, r.g, "closed")
	})
}

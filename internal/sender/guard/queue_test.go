package guard_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// load sends deliveries to a guard in a bubble, and keeps what became of each.
type load struct {
	g      *guard.Guard
	answer func(tenant, endpoint string) (after time.Duration, a webhook.Attempt)

	waits    []time.Duration // until the attempt began
	order    []int           // in which they began
	deferred []*webhook.Deferral
	inFlight map[string]int
	most     map[string]int // at once, by endpoint
}

func newLoad(t *testing.T, answer func(tenant, endpoint string) (time.Duration, webhook.Attempt)) *load {
	t.Helper()
	return &load{g: newGuard(t, guard.Config{}), answer: answer, inFlight: map[string]int{}, most: map[string]int{}}
}

// answers is an endpoint that takes everything, after a time.
func answers(after time.Duration) func(string, string) (time.Duration, webhook.Attempt) {
	return func(string, string) (time.Duration, webhook.Attempt) { return after, took }
}

// send is one delivery in a bubble. Bubbles run one goroutine at a time when each ends in a wait,
// so load needs no lock beside the order in which the guard answers.
func (l *load) send(i int, tenant, endpoint string, mu chan struct{}) {
	begin := time.Now()
	release, refused := acquire(l.g, webhook.Delivery{
		First: true, Event: webhook.Event{Tenant: tenant, ID: fmt.Sprint("evt_", i)}, Endpoint: webhook.Endpoint{Tenant: tenant, ID: endpoint},
	})
	mu <- struct{}{}
	if refused != nil {
		l.deferred = append(l.deferred, refused)
		<-mu
		return
	}
	l.waits, l.order = append(l.waits, time.Since(begin)), append(l.order, i)
	l.inFlight[endpoint]++
	l.most[endpoint] = max(l.most[endpoint], l.inFlight[endpoint])
	after, a := l.answer(tenant, endpoint)
	<-mu
	time.Sleep(after)
	mu <- struct{}{}
	l.inFlight[endpoint]--
	<-mu
	release(a)
}

// offer sends n deliveries at a pace, and waits for all of them, in a bubble.
func (l *load) offer(n, perSecond int, tenant, endpoint string) {
	mu := make(chan struct{}, 1)
	var sent sync.WaitGroup
	for i := range n {
		sent.Go(func() { l.send(i, tenant, endpoint, mu) })
		time.Sleep(time.Second / time.Duration(perSecond))
		synctest.Wait()
	}
	time.Sleep(time.Minute)
	sent.Wait()
}

func (l *load) longest() (d time.Duration) {
	for _, w := range l.waits {
		d = max(d, w)
	}
	return d
}

// TestTheLimitGrowsAsFarAsAnEndpointAnswersWell: none is deferred, and after the first seconds none
// waits.
func TestTheLimitGrowsAsFarAsAnEndpointAnswersWell(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLoad(t, answers(latency))
				l.offer(150*30, 150, "acme", "ep_1")
				require.Empty(t, l.deferred)
				require.Less(t, l.longest(), 5*time.Second)
				l.waits = nil
				l.offer(150*10, 150, "acme", "ep_1")
				require.Empty(t, l.deferred)
				require.Zero(t, l.longest(), "the limit has grown")
				require.LessOrEqual(t, l.most["ep_1"], 150*int(latency/time.Second)*2+300)
			})
		})
	}
}

// TestABurstWaitsInOrder: a short wait in memory is no deferral.
func TestABurstWaitsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, answers(200*time.Millisecond))
		l.offer(400, 10_000, "acme", "ep_1")
		require.Empty(t, l.deferred)
		for at, i := range l.order {
			require.InDelta(t, at, i, 64, "those that get a permit in the same moment may begin in any order")
		}
	})
}

// TestAnEndpointThatHangsStaysSmall, and what comes for it later does not even wait.
func TestAnEndpointThatHangsStaysSmall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, func(string, string) (time.Duration, webhook.Attempt) { return 15 * time.Second, failing })
		l.offer(100*60, 100, "acme", "ep_1")
		require.LessOrEqual(t, l.most["ep_1"], 32)
		require.Less(t, len(l.waits), 80, "attempts made")
		require.Equal(t, webhook.DeferBreaker, l.deferred[len(l.deferred)-1].Reason)
	})
}

// TestAnEndpointThatTakesHalfIsSentLess, and its breaker stays closed.
func TestAnEndpointThatTakesHalfIsSentLess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		l := newLoad(t, func(string, string) (time.Duration, webhook.Attempt) {
			if n++; n%2 == 0 {
				return 200 * time.Millisecond, failing
			}
			return 200 * time.Millisecond, took
		})
		l.offer(40*60, 40, "acme", "ep_1")
		require.Empty(t, l.deferred)
		require.Less(t, l.most["ep_1"], 50)
	})
}

// TestAnEndpointThatIsOverrunGetsFewer: it answers forty at once in 200 ms, and more the slower. It
// is offered no more than it can take, but began with too many.
func TestAnEndpointThatIsOverrunGetsFewer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var l *load
		l = newLoad(t, func(_, endpoint string) (time.Duration, webhook.Attempt) {
			return max(200*time.Millisecond, 200*time.Millisecond*time.Duration(l.inFlight[endpoint])/40), took
		})
		l.offer(600, 10_000, "acme", "ep_1") // a burst
		l.most = map[string]int{}
		l.offer(150*60, 150, "acme", "ep_1")
		require.Less(t, l.most["ep_1"], 120)
		require.Empty(t, l.deferred)
	})
}

// TestOneTenantNeverHasAllAttempts: if one tenant's endpoints hang, the next tenant finds some.
func TestOneTenantNeverHasAllAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, func(tenant, _ string) (time.Duration, webhook.Attempt) {
			if tenant == "evil" {
				return 30 * time.Second, failing
			}
			return 0, took
		})
		mu := make(chan struct{}, 1)
		for i := range 10_000 {
			go l.send(i, "evil", fmt.Sprint("ep_evil_", i%500), mu)
		}
		synctest.Wait()
		require.Len(t, l.waits, guard.MaxAttempts/2)
		l.waits, l.deferred = nil, nil
		for i := range 500 {
			go l.send(i, "good", fmt.Sprint("ep_good_", i), mu)
		}
		synctest.Wait()
		require.Len(t, l.waits, 500)
		require.Zero(t, l.longest())
		require.Empty(t, l.deferred)
		time.Sleep(time.Hour)
	})
}

// TestWhatWaitsIsDeferredWhenTheBreakerOpens, at once.
func TestWhatWaitsIsDeferredWhenTheBreakerOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoad(t, func(string, string) (time.Duration, webhook.Attempt) { return time.Second, failing })
		mu := make(chan struct{}, 1)
		for i := range 100 {
			go l.send(i, "acme", "ep_1", mu)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, l.waits, 32)
		require.Len(t, l.deferred, 68)
		for _, d := range l.deferred {
			require.Equal(t, webhook.DeferBreaker, d.Reason)
		}
	})
}

func TestWaitingEndsWithTheWorker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{MaxInFlight: 1})
		busy, refused := acquire(g, at("ep_1"))
		require.Nil(t, refused)
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Second)
			stop()
		}()
		_, err := g.Acquire(ctx, at("ep_1"))
		require.Equal(t, guard.Stopping(), err)
		require.Equal(t, webhook.DeferStopping, guard.Stopping().Reason)
		busy(took)
		attempt(t, g, took)
	})
}

// TestDeferredDeliveriesComeWhenAttemptsShouldEnd: each has a time of its own, at the pace at which
// attempts end.
func TestDeferredDeliveriesComeWhenAttemptsShouldEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGuard(t, guard.Config{MaxInFlight: 1})
		busy, refused := acquire(g, at("ep_1"))
		require.Nil(t, refused)
		time.Sleep(time.Minute) // no attempt has ended: the next need not wait to see
		last := time.Duration(0)
		for range 30 {
			_, refused := acquire(g, at("ep_1"))
			require.Equal(t, webhook.DeferConcurrency, refused.Reason)
			require.InDelta(t, last+30*time.Second, refused.Wait(), float64(2*time.Second))
			last = refused.Wait()
		}
		time.Sleep(15 * 30 * time.Second) // half of them have come
		_, refused = acquire(g, at("ep_1"))
		require.InDelta(t, 16*30*time.Second, refused.Wait(), float64(2*time.Second))
		late := map[time.Duration]bool{}
		for range 1000 {
			_, refused := acquire(g, at("ep_1"))
			require.LessOrEqual(t, refused.Wait(), 30*time.Minute)
			late[refused.Wait()] = true
		}
		require.Greater(t, len(late), 60, "those that would wait longer are spread over the half before")
		busy(took)
	})
}

package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// maxInFlight bounds the posts under way of an open loop: what is due beyond it is posted late, and
// its time counts from when it was due.
const maxInFlight = 2000

// poster posts the nth event, due at a time.
type poster func(ctx context.Context, n int, due time.Time) post

// openLoop posts what is due within a span, at a rate, whatever the answers are, with at most
// inFlight posts under way; what is later than late is not posted any more. It ends early if until
// is done.
func openLoop(ctx, until context.Context, rate float64, span, late time.Duration, inFlight int, send poster) []post {
	begun := time.Now()
	end := begun.Add(span)
	var all collected
	places := make(chan struct{}, inFlight)
	var posts sync.WaitGroup
	for n := 0; until.Err() == nil && ctx.Err() == nil; n++ {
		due := begun.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		if !due.Before(end) || !time.Now().Before(end.Add(late)) || !wait(until, due) {
			break
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		posts.Go(func() {
			defer func() { <-places }()
			all.add(send(ctx, n, due))
		})
	}
	posts.Wait()
	return all.posts
}

// wait is false if ctx ends before a time.
func wait(ctx context.Context, at time.Time) bool {
	left := time.Until(at)
	if left <= 0 {
		return true
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// refusedPause is what a client of a closed loop waits before it goes on.
const refusedPause = 100 * time.Millisecond

// closed lets clients post for a span, or n events in all if n is not 0, each as fast as it is
// answered.
func closed(ctx context.Context, clients, n int, span time.Duration, send poster) []post {
	var all collected
	var begun atomic.Int64
	end := time.Now().Add(span)
	var working sync.WaitGroup
	for range clients {
		working.Go(func() {
			for ctx.Err() == nil {
				i := int(begun.Add(1)) - 1
				if n > 0 && i >= n || n == 0 && !time.Now().Before(end) {
					return
				}
				p := send(ctx, i, time.Now())
				if all.add(p); p.err != nil {
					return // a closed loop on a dead gateway would spin
				}
				if refusal(p.status) {
					wait(ctx, time.Now().Add(refusedPause)) // and so would one that is refused
				}
			}
		})
	}
	working.Wait()
	return all.posts
}

type collected struct {
	mu    sync.Mutex
	posts []post
}

func (c *collected) add(p post) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts = append(c.posts, p)
}

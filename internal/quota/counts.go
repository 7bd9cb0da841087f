package quota

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// countEvery is how old a count of open deliveries gets. The quota of posts bounds what comes
	// meanwhile.
	countEvery   = time.Minute
	countTimeout = 10 * time.Second
)

// counts keep how many deliveries of each tenant are open. Counting runs beside the posts, one
// tenant after the other: a post never waits for it, and may go on while its tenant has no count
// yet.
type counts struct {
	count func(ctx context.Context, tenant string) (int64, error)

	counting sync.Mutex

	mu  sync.Mutex
	all *lru.Cache[string, counted]
}

type counted struct {
	n       int64
	known   bool
	at      time.Time // of the count, or of the last try
	pending bool
}

func newCounts(count func(context.Context, string) (int64, error)) *counts {
	c := &counts{count: count}
	c.all, _ = lru.New[string, counted](keptTenants) // fails for no size above zero
	return c
}

// of gives the latest count, and starts another if that is old.
func (c *counts) of(tenant string, now time.Time) (n int64, known bool) {
	if c.count == nil {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	was, seen := c.all.Get(tenant)
	if !was.pending && (!seen || now.Sub(was.at) >= countEvery) {
		was.pending, was.at = true, now
		c.all.Add(tenant, was)
		go c.ask(tenant)
	}
	return was.n, was.known
}

func (c *counts) ask(tenant string) {
	c.counting.Lock()
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	n, err := c.count(ctx, tenant)
	cancel()
	c.counting.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	was, _ := c.all.Get(tenant)
	was.pending = false
	if err == nil {
		was.n, was.known = n, true
	}
	c.all.Add(tenant, was)
}

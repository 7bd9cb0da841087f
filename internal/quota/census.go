package quota

import (
	"context"
	"crypto/rand"
	"time"
)

// censusEvery is how often a gateway says that it serves, and learns how many do.
const censusEvery = 10 * time.Second

// Census counts the gateways that serve. The registry does where several can share it.
type Census interface {
	// Gateways notes that this one serves, and gives the number of all that do.
	Gateways(ctx context.Context, id string) (int, error)
}

// Run keeps this gateway's share of the quotas right until ctx ends. While the census cannot be
// asked, the share stays as it is.
func (q *Quotas) Run(ctx context.Context, c Census) {
	id := rand.Text()
	t := time.NewTicker(censusEvery)
	defer t.Stop()
	for {
		within, cancel := context.WithTimeout(ctx, censusEvery)
		if n, err := c.Gateways(within, id); err == nil {
			q.gateways.Store(int64(max(n, 1)))
		}
		cancel()
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

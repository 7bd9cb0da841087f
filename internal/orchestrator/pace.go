package orchestrator

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How fast one worker sends a tenant's endpoints what there may be very much of: ten thousand
// deliveries to one endpoint may end within a minute, and each is told. At once go as many as
// people would read, then so many a second: a tenth of what two cores deliver, so first attempts
// hardly feel it. The rest waits in Temporal, which starts each in its turn.
const (
	pacePerSecond = 10
	paceAtOnce    = 50
)

// paced bounds the tenants whose pace is kept: some 100 bytes each. One of more is forgotten and
// may be faster for a moment.
const paced = 10_000

// pace deals out turns. The zero value is ready.
type pace struct {
	mu      sync.Mutex
	tenants map[string]*rate.Limiter
}

// next is how long it is until the tenant's next turn.
func (p *pace) next(tenant string, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tenants == nil {
		p.tenants = map[string]*rate.Limiter{}
	}
	l := p.tenants[tenant]
	if l == nil {
		p.forget(now)
		l = rate.NewLimiter(pacePerSecond, paceAtOnce)
		p.tenants[tenant] = l
	}
	return l.ReserveN(now, 1).DelayFrom(now)
}

// forget makes room: those that have all their turns again go first.
func (p *pace) forget(now time.Time) {
	if len(p.tenants) < paced {
		return
	}
	for tenant, l := range p.tenants {
		if l.TokensAt(now) >= paceAtOnce {
			delete(p.tenants, tenant)
		}
	}
	if len(p.tenants) >= paced {
		clear(p.tenants)
	}
}

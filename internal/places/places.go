// Package places deals something scarce in this process out to tenants: no tenant has more than its
// share, and those that wait are served by tenant in turn. Expressions and costly reads take
// places; what is done with one is theirs.
package places

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrFull says that no place came free in time.
var ErrFull = errors.New("all places are taken")

// Places are a number of them. They are safe for concurrent use.
type Places struct {
	share    int
	patience time.Duration

	mu    sync.Mutex
	free  int
	taken map[string]int
	lines map[string][]chan struct{}
	turns []string // the tenants in lines, the one whose turn it is first
}

// New makes n places. A tenant has at most half of them, one at least, and waits for one no longer
// than patience.
func New(n int, patience time.Duration) *Places {
	return &Places{share: max(n/2, 1), patience: patience, free: n, taken: map[string]int{}, lines: map[string][]chan struct{}{}}
}

// Take waits for a place. Its error is ctx's or ErrFull.
func (p *Places) Take(ctx context.Context, tenant string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	if p.free > 0 && p.taken[tenant] < p.share { // then none of its own waits
		p.grant(tenant)
		p.mu.Unlock()
		return nil
	}
	called := make(chan struct{}, 1)
	if len(p.lines[tenant]) == 0 {
		p.turns = append(p.turns, tenant)
	}
	p.lines[tenant] = append(p.lines[tenant], called)
	p.mu.Unlock()

	over := time.NewTimer(p.patience)
	defer over.Stop()
	select {
	case <-called:
		return nil
	case <-over.C:
		return p.giveUp(tenant, called, ErrFull)
	case <-ctx.Done():
		return p.giveUp(tenant, called, ctx.Err())
	}
}

// giveUp leaves the line, or passes on the place that came at the last moment.
func (p *Places) giveUp(tenant string, called chan struct{}, err error) error {
	p.mu.Lock()
	i := slices.Index(p.lines[tenant], called)
	if i >= 0 {
		p.leave(tenant, i)
	}
	p.mu.Unlock()
	if i < 0 {
		p.GiveBack(tenant)
	}
	return err
}

// GiveBack frees a place and gives it to the callers that wait, the tenants in turn.
func (p *Places) GiveBack(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free++
	if p.taken[tenant]--; p.taken[tenant] == 0 {
		delete(p.taken, tenant)
	}
	for p.free > 0 {
		i := slices.IndexFunc(p.turns, func(t string) bool { return p.taken[t] < p.share })
		if i < 0 {
			return
		}
		next := p.turns[i]
		p.lines[next][0] <- struct{}{}
		p.grant(next)
		p.turns = append(slices.Delete(p.turns, i, i+1), next)
		p.leave(next, 0)
	}
}

func (p *Places) grant(tenant string) {
	p.free--
	p.taken[tenant]++
}

// leave takes one out of a tenant's line, and the tenant out of the turns if it was the last.
func (p *Places) leave(tenant string, i int) {
	if p.lines[tenant] = slices.Delete(p.lines[tenant], i, i+1); len(p.lines[tenant]) > 0 {
		return
	}
	delete(p.lines, tenant)
	p.turns = slices.DeleteFunc(p.turns, func(t string) bool { return t == tenant })
}

// Package published keeps documents that others publish and change at times: the keys of an issuer
// or of a third party. It decides when to fetch one again, and how long one counts that can no
// longer be fetched. Its users say what is fetched and from where: the gateway for tokens, sources
// for third parties.
package published

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// unknownWait bounds how often a document is fetched because what is looked for is not in it:
	// any client can name a key that does not exist. With the fetch itself, a new key counts within
	// half a minute.
	unknownWait = 20 * time.Second
	// firstWait and longestWait bound the wait after a fetch that failed; it doubles between them.
	firstWait   = time.Second
	longestWait = 10 * time.Second
)

// ErrUnknown says that the document is at hand and does not hold what is looked for.
var ErrUnknown = errors.New("not in the document")

// Config says what is kept, and how long.
type Config[T any] struct {
	// Load fetches and reads the document, within a time-out of its own. A document that says
	// nothing is an error: the one before it goes on counting.
	Load func(context.Context) (T, error)
	// Fresh is how long a document is used without another fetch.
	Fresh time.Duration
	// Oldest is how long it counts while none can be loaded: what was taken back must not count for
	// ever.
	Oldest time.Duration
}

// Document is one that is kept. It is safe for concurrent use. Callers wait only for a fetch that
// is under way, and the fetch goes on when its first caller has gone.
type Document[T any] struct {
	Config[T]

	flight singleflight.Group

	mu       sync.Mutex
	value    T
	got      time.Time // zero: never
	tried    time.Time
	wanted   time.Time // the last fetch for something unknown
	failures int       // in a row
	failed   error     // of the last try
}

// New makes a Document; nothing is fetched yet.
func New[T any](c Config[T]) *Document[T] { return &Document[T]{Config: c} }

// Find gives a document that has what the caller looks for. It fetches one if the document at hand
// is not fresh or lacks it. The error is ErrUnknown, the error of the last fetch, or ctx's; with it
// comes the document at hand, if there is one.
func (d *Document[T]) Find(ctx context.Context, now time.Time, has func(T) bool) (T, error) {
	if v, ok := d.current(now, d.Fresh); ok && has(v) {
		return v, nil
	}
	for began := false; ; {
		r := d.refresh(ctx, now)
		v, ok := d.current(now, d.Oldest)
		switch {
		case ok && has(v):
			return v, nil
		case r.err != nil:
			return v, r.err
		case r.own || began:
			return v, ErrUnknown
		}
		began = true // the next fetch begins after this call
	}
}

// current gives the document at hand, if it is not too old.
func (d *Document[T]) current(now time.Time, atMost time.Duration) (v T, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.got.IsZero() || now.Sub(d.got) >= atMost {
		return v, false
	}
	return d.value, true
}

// Refresh fetches the document, unless that was done a moment ago, and says whether one was
// fetched. The error is that of the last fetch, or ctx's.
func (d *Document[T]) Refresh(ctx context.Context, now time.Time) (fetched bool, err error) {
	r := d.refresh(ctx, now)
	return r.fetched, r.err
}

// refreshed is what came of a refresh. One that is not the caller's own was under way already: it
// may bring a document from before the call.
type refreshed struct {
	fetched, own bool
	err          error
}

func (d *Document[T]) refresh(ctx context.Context, now time.Time) refreshed {
	detached, own := context.WithoutCancel(ctx), false
	done := d.flight.DoChan("", func() (any, error) {
		own = true
		if may, err := d.mayFetch(now); !may {
			return false, err
		}
		return true, d.load(detached, now)
	})
	select {
	case r := <-done:
		return refreshed{r.Val.(bool), own, r.Err}
	case <-ctx.Done():
		return refreshed{err: ctx.Err()}
	}
}

// mayFetch says whether to fetch now. Fetches that fail have waits between them. A document that is
// not fresh is fetched. A fresh one is fetched now and then for something it does not hold.
func (d *Document[T]) mayFetch(now time.Time) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.failures > 0:
		return now.Sub(d.tried).Abs() >= d.wait(), d.failed
	case d.got.IsZero() || now.Sub(d.got) >= d.Fresh:
		return true, nil
	case now.Sub(d.wanted).Abs() < unknownWait:
		return false, nil
	}
	d.wanted = now
	return true, nil
}

// wait is that after the failures so far.
func (d *Document[T]) wait() time.Duration {
	return min(firstWait<<min(d.failures-1, 10), longestWait)
}

func (d *Document[T]) load(ctx context.Context, now time.Time) error {
	v, err := d.Load(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried, d.failed = now, err
	if err != nil {
		d.failures++
		return err
	}
	d.value, d.got, d.failures = v, now, 0
	return nil
}

// Keep fetches the document now and once in every so long, sooner after a failure, until ctx ends.
// Callers of Find then find it at hand.
func (d *Document[T]) Keep(ctx context.Context, every time.Duration, now func() time.Time) {
	for {
		d.fetch(ctx, now())
		t := time.NewTimer(d.pause(every))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// fetch fetches, fresh document or not. It tries again if it shared the answer of a caller that had
// nothing to fetch.
func (d *Document[T]) fetch(ctx context.Context, now time.Time) {
	for ctx.Err() == nil {
		// load keeps what went wrong
		fetched, _, _ := d.flight.Do("", func() (any, error) { return true, d.load(ctx, now) })
		if fetched.(bool) {
			return
		}
	}
}

func (d *Document[T]) pause(every time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failures > 0 {
		return d.wait()
	}
	return every
}

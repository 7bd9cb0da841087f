package activities_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// racer is a delivery whose turn read its endpoint at readAt and ended turn later, when it was sent
// or held. The list knows of that behind later, and that it has gone a second after it.
type racer struct {
	id                   string
	readAt, turn, behind time.Duration
	held                 bool
	listed, unlisted     time.Time
	let                  chan struct{}
	sent                 int
}

// race is an endpoint that becomes active while turns are under way, and its Temporal.
type race struct {
	keeper
	queue      // for what no release asks
	mu         sync.Mutex
	racers     []*racer
	approvedAt time.Duration // from the beginning
	perSecond  float64
}

func (r *race) Count(ctx context.Context, tenant, id string) (int, error) {
	ids, err := r.Oldest(ctx, tenant, id, len(r.racers))
	return len(ids), err
}

func (r *race) Oldest(_ context.Context, _, _ string, limit int) (ids []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, d := range r.racers {
		if d.held && !now.Before(d.listed) || now.Before(d.unlisted) {
			ids = append(ids, d.id)
		}
	}
	return ids[:min(limit, len(ids))], nil
}

// Release is the delivery's own answer: only one that is held takes it.
func (r *race) Release(_ context.Context, _, eventID, _ string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.racers {
		if d.id == eventID && d.held {
			d.send()
			close(d.let)
			return true, nil
		}
	}
	return false, nil
}

func (d *racer) send() { d.sent, d.held, d.unlisted = d.sent+1, false, time.Now().Add(time.Second) }

// deliver is the life of a delivery in a bubble, but for its schedule.
func (r *race) deliver(ctx context.Context, d *racer) {
	time.Sleep(d.readAt)
	e, _ := r.Endpoint(ctx, "demo", "ep_1")
	refused := e.Refuses(time.Now(), false)
	time.Sleep(d.turn)
	r.mu.Lock()
	defer r.mu.Unlock()
	d.held, d.listed = refused != nil, time.Now().Add(d.behind)
	for look := 1; refused != nil; look++ {
		r.mu.Unlock()
		select {
		case <-time.After(webhook.HeldWait(*refused, look, d.id)):
		case <-d.let:
		case <-ctx.Done():
		}
		r.mu.Lock()
		if !d.held || ctx.Err() != nil {
			return
		}
		e, _ = r.Endpoint(ctx, "demo", "ep_1")
		refused = e.Refuses(time.Now(), true)
	}
	d.send()
}

// release is what an Approval makes of it.
func (r *race) release(t *testing.T) {
	t.Helper()
	r.activate(t, webhook.EndpointHeld, activities.ReleaseTime(len(r.racers), r.perSecond))
	batch, err := activities.ReleaseResult{}, error(nil)
	for !batch.Done {
		batch, err = act[activities.ReleaseResult](t, r, r, "ReleaseHeld", activities.Release{RatePerSecond: r.perSecond, Limit: max(int(r.perSecond*30), 1)})
		require.NoError(t, err)
	}
	r.activate(t, webhook.EndpointActive, 0)
}

func (r *race) activate(t *testing.T, from webhook.EndpointState, releasing time.Duration) {
	t.Helper()
	change := activities.StateChange{From: []webhook.EndpointState{from}, To: webhook.EndpointActive, Releasing: releasing}
	_, err := act[activities.StateChanged](t, r, r, "ChangeState", change)
	require.NoError(t, err)
}

// drawRace draws what happens when, but for the moment of the release.
func drawRace(t *rapid.T) *race {
	span := func(name string, most time.Duration) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
	}
	r := &race{keeper: keeper{endpoint: webhook.Endpoint{State: webhook.EndpointHeld}}}
	r.approvedAt, r.perSecond = span("approved at", 3*time.Minute), rapid.SampledFrom([]float64{0.1, 1, 10, 100}).Draw(t, "per second")
	for i := range rapid.IntRange(0, 30).Draw(t, "deliveries") {
		d := &racer{id: fmt.Sprintf("evt_%02d", i), readAt: span("read at", 3*time.Minute)}
		d.turn, d.behind = span("turn", 45*time.Second), span("behind", 40*time.Second)
		r.racers = append(r.racers, d)
	}
	return r
}

// TestNoneIsForgottenAtTheMomentOfTheRelease: four minutes after it, the longest turn and the first
// look, every delivery has gone, whatever it knew when, and none was sent twice.
func TestNoneIsForgottenAtTheMomentOfTheRelease(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawRace(rt)
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			for _, d := range r.racers {
				d.let = make(chan struct{})
				go r.deliver(ctx, d)
			}
			time.Sleep(r.approvedAt)
			r.release(t)
			time.Sleep(4 * time.Minute)
		})
		for _, d := range r.racers {
			if d.sent != 1 {
				rt.Fatalf("%+v", d)
			}
		}
	})
}

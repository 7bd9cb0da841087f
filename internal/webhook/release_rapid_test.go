package webhook_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hookloop/internal/webhook"
)

// lag is how far a list of deliveries may be behind what they know.
const lag = time.Second

// heldDelivery is one that found its endpoint held at readAt, and learned it at heldAt: in between
// a worker may have died.
type heldDelivery struct {
	seed           string
	readAt, heldAt time.Duration // from the beginning
	visibleAt      time.Duration
	looks          int
	lookAt         time.Duration // for itself
	gone           bool
	sent           int // by the release
}

// release is an endpoint that becomes active, and what then lets its deliveries go: lists until two
// in a row, a second apart, are empty.
type release struct {
	endpoint   webhook.Endpoint
	epoch      time.Time
	deliveries []*heldDelivery
}

// looks lets deliveries look for themselves until a time.
func (r *release) lookUntil(t time.Duration) {
	for _, d := range r.deliveries {
		for !d.gone && d.lookAt <= t {
			refused := r.endpoint.Refuses(r.epoch.Add(d.lookAt), true)
			if refused == nil {
				d.gone = true
				break
			}
			d.looks++
			d.lookAt += webhook.HeldWait(*refused, d.looks, d.seed)
		}
	}
}

func (r *release) list(t time.Duration) (found []*heldDelivery) {
	for _, d := range r.deliveries {
		if !d.gone && d.visibleAt <= t {
			found = append(found, d)
		}
	}
	return found
}

// run begins at from and says when it ended.
func (r *release) run(from, pace time.Duration) time.Duration {
	now := from
	for empty := 0; empty < 2; {
		r.endpoint.Releasing = r.epoch.Add(now + time.Duration(len(r.list(now)))*pace + time.Minute)
		found := r.list(now)
		for _, d := range found {
			now += pace
			r.lookUntil(now)
			if !d.gone { // it says so itself
				d.gone = true
				d.sent++
			}
		}
		if empty++; len(found) > 0 {
			empty = 0
		}
		now += lag
		r.lookUntil(now)
	}
	r.endpoint.Releasing = time.Time{}
	return now
}

// TestNoneIsForgotten: a delivery that becomes held at the very moment of the release goes with it,
// or finds out by itself within the minute; none is sent twice.
func TestNoneIsForgotten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const activeAt = time.Hour
		r := &release{epoch: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), endpoint: webhook.Endpoint{State: webhook.EndpointHeld}}
		span := func(name string, most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
		}
		for i := range rapid.IntRange(0, 50).Draw(t, "deliveries") {
			d := &heldDelivery{seed: strconv.Itoa(i), looks: 1, readAt: activeAt - 1 - span("before", 10*time.Second)}
			d.heldAt = d.readAt + span("to learn it", 5*time.Minute)
			d.visibleAt = d.heldAt + span("to be seen", lag)
			d.lookAt = d.heldAt + webhook.HeldWait(webhook.Deferral{}, 1, d.seed)
			r.deliveries = append(r.deliveries, d)
		}
		r.lookUntil(activeAt - 1)
		r.endpoint.State = webhook.EndpointActive
		end := r.run(activeAt, 100*time.Millisecond)
		for _, d := range r.deliveries {
			end = max(end, d.heldAt)
		}
		r.lookUntil(end + webhook.FirstHeldCheck*6/5)
		if i := slices.IndexFunc(r.deliveries, func(d *heldDelivery) bool { return !d.gone || d.sent > 1 }); i >= 0 {
			t.Fatalf("delivery %d: %+v; the release ended at %s", i, *r.deliveries[i], end)
		}
	})
}

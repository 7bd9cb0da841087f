package webhook

import (
	"fmt"
	"time"
)

// A delivery that finds no token of its endpoint's rate limit gets the next one that will be, at a
// time of its own: its slot. It comes back for it and goes once. A pacer keeps slots in one
// worker's memory, or in the registry for all of them; both go by what follows.
const (
	// SlotTolerance is how far off a slot may be to be now. Timers are not exact, and a trip
	// through Temporal is not worth it for less.
	SlotTolerance = 50 * time.Millisecond
	// SlotKept is how long a slot is remembered that no delivery comes for.
	SlotKept = time.Hour
	// slotPatience is how late a delivery may come to its slot, at least.
	slotPatience = 10 * time.Second
)

// Patience is how late a delivery may come to its slot. Later, many may be late together (Temporal
// was out of reach), and all at once would be the flood that the limit prevents. A token that could
// lie in the bucket for longer is not missed.
func (r RateLimit) Patience() time.Duration {
	return max(slotPatience, time.Duration(float64(r.Burst)/r.PerSecond*float64(time.Second)))
}

// Defer says when a delivery is to come back for its slot.
func (r RateLimit) Defer(slot, now time.Time) *Deferral {
	return &Deferral{
		Reason: DeferLimit,
		Detail: fmt.Sprintf("the endpoint takes %g attempts a second; this delivery's slot is at %s",
			r.PerSecond, slot.UTC().Format("2006-01-02T15:04:05.000Z")),
		Until: slot.UTC(),
		// rounded up: too early would be in vain
		WaitMS: (slot.Sub(now) + time.Millisecond - 1).Milliseconds(),
	}
}

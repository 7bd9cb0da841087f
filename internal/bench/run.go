package bench

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// run is what one load led to.
type run struct {
	begun    time.Time
	posting  time.Duration
	posts    []post
	arrivals []arrival
	used     state
}

func (r *run) accepted() int { return len(r.ids()) }

// ids are those of the accepted events.
func (r *run) ids() (all []string) {
	for _, p := range r.posts {
		if p.accepted() {
			all = append(all, p.id)
		}
	}
	return all
}

// own leaves out what an earlier load has left behind.
func (r *run) own(all []arrival) []arrival {
	ids := map[string]bool{}
	for _, id := range r.ids() {
		ids[id] = true
	}
	return slices.DeleteFunc(all, func(a arrival) bool { return !ids[a.id] })
}

// refused counts the answers that say "not now", by status.
func (r *run) refused() map[int]int {
	all := map[int]int{}
	for _, p := range r.posts {
		if refusal(p.status) {
			all[p.status]++
		}
	}
	return all
}

func refusal(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// failure is the first answer that is neither an acceptance nor a refusal.
func (r *run) failure() error {
	for _, p := range r.posts {
		if p.err != nil {
			return fmt.Errorf("posting an event: %w", p.err)
		}
		if !p.accepted() && !refusal(p.status) {
			return fmt.Errorf("posting an event: HTTP %d", p.status)
		}
	}
	return nil
}

// firsts is when each event arrived first; deliveries is when each was taken.
func (r *run) firsts() map[string]time.Time {
	return earliest(r.arrivals, func(arrival) bool { return true })
}

func (r *run) deliveries() map[string]time.Time {
	return earliest(r.arrivals, func(a arrival) bool { return a.status/100 == 2 })
}

func earliest(all []arrival, counts func(arrival) bool) map[string]time.Time {
	at := map[string]time.Time{}
	for _, a := range all {
		if _, before := at[a.id]; !before && counts(a) { // arrivals are in order
			at[a.id] = a.at
		}
	}
	return at
}

// duplicates counts the events that were taken again.
func (r *run) duplicates() (n int) {
	taken := map[string]bool{}
	for _, a := range r.arrivals {
		if a.status/100 != 2 {
			continue
		}
		if taken[a.id] {
			n++
		}
		taken[a.id] = true
	}
	return n
}

// took gives how long after it was due each accepted event had its time, and how many have none.
func (r *run) took(until map[string]time.Time) (all []time.Duration, missing int) {
	return r.tookSince(until, func(p post) time.Time { return p.due })
}

func (r *run) tookSince(until map[string]time.Time, since func(post) time.Time) (all []time.Duration, missing int) {
	for _, p := range r.posts {
		if !p.accepted() {
			continue
		}
		if at, ok := until[p.id]; ok {
			all = append(all, at.Sub(since(p)))
		} else {
			missing++
		}
	}
	return all, missing
}

func (r *run) acceptedPerSecond() float64 { return float64(r.accepted()) / r.posting.Seconds() }

// deliveredPerSecond runs to the last first arrival.
func (r *run) deliveredPerSecond() float64 {
	at := r.deliveries()
	var last time.Time
	for _, t := range at {
		if t.After(last) {
			last = t
		}
	}
	if len(at) == 0 {
		return 0
	}
	return float64(len(at)) / last.Sub(r.begun).Seconds()
}

// cpuPerEvent is in milliseconds.
func (r *run) cpuPerEvent() float64 {
	return ratio(milliseconds(r.used.cpu), float64(r.accepted()))
}

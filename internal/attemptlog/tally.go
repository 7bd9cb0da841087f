package attemptlog

import (
	"time"

	"hookloop/internal/webhook"
)

// The spans by which attempts are counted. Minutes tell how things are now and are kept for
// KeepMinutes, hours as long as attempts.
const (
	Minute = time.Minute //nolint:revive // one is meant
	Hour   = time.Hour   //nolint:revive // likewise
)

// KeepMinutes is how long counts by the minute are kept.
const KeepMinutes = 3 * time.Hour //nolint:revive // it keeps counts of minutes

// Bounds are the upper ends of the latency histogram's buckets, in milliseconds; a last bucket has
// what took longer. They are in the database's columns: append only.
var Bounds = [...]int64{10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 15000}

// Buckets is how many a histogram has.
const Buckets = len(Bounds) + 1

// Tally is what some attempts came to.
type Tally struct {
	Took, Fails, Refuses int64
	Latency              [Buckets]int64
}

// Add adds n attempts like r, or takes them away. A deferral is no attempt.
func (t *Tally) Add(r Row, n int64) {
	switch r.Outcome {
	case webhook.Took:
		t.Took += n
	case webhook.Fails:
		t.Fails += n
	case webhook.Refuses:
		t.Refuses += n
	default:
		return
	}
	t.Latency[bucketOf(r.DurationMS)] += n
}

// Plus adds another tally.
func (t *Tally) Plus(o Tally) {
	t.Took, t.Fails, t.Refuses = t.Took+o.Took, t.Fails+o.Fails, t.Refuses+o.Refuses
	for i, n := range o.Latency {
		t.Latency[i] += n
	}
}

// Attempts is how many there were.
func (t Tally) Attempts() int64 { return t.Took + t.Fails + t.Refuses }

// Success is the share of attempts that the endpoint took, from 0 to 1. Without attempts it is 0.
func (t Tally) Success() float64 {
	if t.Attempts() == 0 {
		return 0
	}
	return float64(t.Took) / float64(t.Attempts())
}

// Quantile estimates the duration that the share q of the attempts stayed within, in milliseconds:
// within a bucket they count as evenly spread. What the last bucket holds counts as its lower end.
// Without attempts it is 0.
func (t Tally) Quantile(q float64) float64 {
	var all int64
	for _, n := range t.Latency {
		all += n
	}
	rank, before, low := q*float64(all), 0.0, 0.0
	for i, n := range t.Latency {
		if i == len(Bounds) {
			break
		}
		high := float64(Bounds[i])
		if n > 0 && before+float64(n) >= rank {
			return low + (high-low)*max(rank-before, 0)/float64(n)
		}
		before, low = before+float64(n), high
	}
	if all == 0 {
		return 0
	}
	return low
}

func bucketOf(ms int64) int {
	for i, bound := range Bounds {
		if ms <= bound {
			return i
		}
	}
	return len(Bounds)
}

// Count is what the attempts at one endpoint that began within one span came to.
type Count struct {
	Tenant, EndpointID string
	Span               time.Duration // Minute or Hour
	At                 time.Time     // when the span began
	Tally
}

// CountKey names a Count.
type CountKey struct {
	Tenant, EndpointID string
	Span               time.Duration
	At                 time.Time
}

// Key is the count's.
func (c Count) Key() CountKey { return CountKey{c.Tenant, c.EndpointID, c.Span, c.At} }

// Spans are those in which an attempt counts.
func (r Row) Spans(now time.Time) []CountKey {
	hour := CountKey{r.Tenant, r.EndpointID, Hour, r.At.Truncate(Hour)}
	if r.At.Before(now.Add(-KeepMinutes)) {
		return []CountKey{hour}
	}
	return []CountKey{{r.Tenant, r.EndpointID, Minute, r.At.Truncate(Minute)}, hour}
}

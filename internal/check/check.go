// Package check is the judge of runs that break things: it holds what Hookloop promised, every 202
// and every 2xx to a third party, against what endpoints received, what the API tells and what the
// audit says at the end. It decides what is a broken promise; making the run, and breaking things
// in it, is left to its callers, the tests.
package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// History is one run, as all around Hookloop saw it. The clocks are those of one machine.
type History struct {
	// Accepted are the answers that promised something, repeats included.
	Accepted []Accepted
	// Unanswered counts the requests that ended without an answer and were not repeated under their
	// key: each may have been accepted.
	Unanswered int
	// Refused counts the requests that were told to come again.
	Refused int
	// Events are those of Accepted at the end, by id, as the API tells them.
	Events map[string]Event
	// Erased says of those of Accepted that were erased when that was answered: they are none of
	// Events, and nothing of them comes any more.
	Erased map[string]time.Time
	// Receipts are what each endpoint received, by the endpoint's id, in order of arrival.
	Receipts map[string][]endpointtest.Receipt
	// Lines are the audit's, of all events; nil: the audit was not asked.
	Lines []Line
	// Order has, by the endpoint's id, events that were to come there in this order.
	Order map[string][]string
	// Limits are the rate limits of endpoints that have one, by the endpoint's id.
	Limits map[string]webhook.RateLimit
	// Faults are what the run broke.
	Faults []Fault
	// Repeats bounds how often one delivery is sent beyond what is on record. Zero: once for each
	// fault.
	Repeats int
	// Skips is what the clock may skip while a request is on its way, in runs that move it.
	Skips time.Duration
	// Late is how much later than its attempt was given up a request may arrive, in runs that hold
	// packets back: TCP repeats what was sent, also when no program waits for it any more.
	Late time.Duration
	// Unfinished says that deliveries may still be under way at the end of the run.
	Unfinished bool
}

// Accepted is one answer to one request.
type Accepted struct {
	ID    string // of the event
	Key   string // the Idempotency-Key, or a third party's own id; empty: there was none
	Data  string // byte for byte what was sent, as no other event has it; empty: not looked at
	Third bool   // a third party's
}

// Event is how one event ended.
type Event struct {
	Status     string
	Deliveries []webhook.DeliveryReport
}

// Line is a line of the audit.
type Line struct {
	At                  time.Time
	EventID, EndpointID string
	Kind, Detail        string
}

// Fault is a span in which something was broken: from just before the blow until just after what it
// hit was well again.
type Fault struct {
	Name        string
	From, Until time.Time
}

// Report is the verdict.
type Report struct {
	Violations []string       // broken promises, in words; none: all were kept
	Counts     map[string]int // how often each of Counters was seen
	Duplicates int            // receipts beyond the first answered one, each of which was under way at a fault
}

// Check holds a run against what was promised. Each of must, names of Counters, has to have been
// seen: a run whose faults reached nothing proves nothing.
func Check(h History, must ...string) Report {
	c := checker{h: h, data: map[string]string{}, Report: Report{Counts: map[string]int{}}}
	c.acceptances()
	c.receipts()
	for id, e := range h.Events {
		c.event(id, e)
	}
	c.audited()
	c.order()
	c.paced()
	c.episodes()
	c.count()
	for _, name := range must {
		if !slices.Contains(Counters(), name) {
			c.violated("there is no counter %q", name)
		} else if c.Counts[name] == 0 {
			c.violated("not reached: %s", name)
		}
	}
	slices.Sort(c.Violations)
	return c.Report
}

// String is one line of what was seen, for logs.
func (r Report) String() string {
	var seen []string
	for _, name := range Counters() {
		if n := r.Counts[name]; n > 0 {
			seen = append(seen, fmt.Sprintf("%d %s", n, name))
		}
	}
	return strings.Join(seen, ", ")
}

// checker is a check under way.
type checker struct {
	Report

	h    History
	data map[string]string // the accepted data, by event
}

func (c *checker) violated(format string, args ...any) {
	c.Violations = append(c.Violations, fmt.Sprintf(format, args...))
}

// underWay says whether an attempt that ran at that time may have met a fault. Its result is
// stored some time after it, and until then a fault repeats it.
func (c *checker) underWay(at time.Time) bool {
	for _, f := range c.h.Faults {
		if !at.Before(f.From.Add(-storing)) && !at.After(f.Until.Add(storing)) {
			return true
		}
	}
	return false
}

// storing bounds what passes between a request's arrival and its attempt on record, and the other
// way round between the start of a fault and its being felt, on a machine that does much at once.
const storing = 10 * time.Second

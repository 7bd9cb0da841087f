package check

import (
	"slices"

	"hookloop/internal/webhook"
)

// Kinds of the audit's lines that rules and counters know.
const (
	kindAttempt     = "attempt"
	kindRedelivered = "redelivered"
	kindProbe       = "probe"
	kindStarted     = "episode-started"
	kindEnded       = "episode-ended"
)

type pair struct{ event, endpoint string }

// audited: the audit has a line for each attempt on record, and one for each that an endpoint saw,
// but for those under way at a fault.
func (c *checker) audited() {
	if c.h.Lines == nil {
		return
	}
	said, redelivered := map[pair]int{}, map[pair]bool{}
	for _, l := range c.h.Lines {
		p := pair{l.EventID, l.EndpointID}
		switch l.Kind {
		case kindAttempt:
			said[p]++
		case kindRedelivered:
			redelivered[p] = true
		}
	}
	for id, e := range c.h.Events {
		for _, d := range e.Deliveries {
			p := pair{id, d.EndpointID}
			switch n := said[p]; {
			case n < len(d.Attempts), n > len(d.Attempts) && !redelivered[p]:
				c.violated("audit: %s to %s has %d attempts on record and %d lines", id, d.EndpointID, len(d.Attempts), n)
			default:
				c.heard(p, d, n)
			}
		}
	}
}

// heard compares the audit's lines of attempts with the receipts.
func (c *checker) heard(p pair, d webhook.DeliveryReport, lines int) {
	all, seen := c.h.Receipts[p.endpoint]
	if !seen {
		return
	}
	came, faulty := 0, false
	for _, r := range all {
		if r.ID == p.event {
			came++
			faulty = faulty || c.underWay(r.At)
		}
	}
	answered := 0
	for _, a := range d.Attempts {
		if a.StatusCode != 0 {
			answered++
		}
	}
	if came < answered || came > lines && !faulty {
		c.violated("audit: %s to %s has %d lines of attempts, and the endpoint saw %d", p.event, p.endpoint, lines, came)
	}
}

// acted says whether a person had the event delivered there again.
func (c *checker) acted(event, endpoint string) bool {
	return slices.ContainsFunc(c.h.Lines, func(l Line) bool {
		return l.Kind == kindRedelivered && l.EventID == event && l.EndpointID == endpoint
	})
}

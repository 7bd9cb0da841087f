package check

import (
	"cmp"
	"slices"
	"time"

	"hookloop/internal/endpointtest"
)

// heldUp is how long a request may be on its way, so that the next one follows it too soon.
const heldUp = 2 * time.Second

// paced: in no span does an endpoint get more than its limit allows. A delivery may be late for its
// slot, and the next one on time. A fault may make a limit's
// tokens anew, so each span lies between two faults. What a person asked for, a probe, is not held
// up by it.
func (c *checker) paced() {
	for endpoint, limit := range c.h.Limits {
		asked, early := 0, heldUp+limit.Patience()
		for _, l := range c.once(kindProbe) {
			if l.EndpointID == endpoint {
				asked++
			}
		}
		for _, span := range c.undisturbed(c.h.Receipts[endpoint]) {
			most, from, reached := 0.0, 0, false
			for i := range span {
				for j := i; j < len(span); j++ {
					allowed := float64(max(limit.Burst, 1)+asked) + limit.PerSecond*(span[j].At.Sub(span[i].At)+early).Seconds()
					if over := float64(j-i+1) - allowed; over > most {
						most, from = over, i
					}
					reached = reached || j-i+1 > max(limit.Burst, 1)
				}
			}
			if reached {
				c.Counts[Limited]++
			}
			if most > 0 {
				c.violated("%s got %.0f requests more than its limit of %g a second (burst %d) allows, from %s on",
					endpoint, most+.5, limit.PerSecond, limit.Burst, span[from].At.Format(time.RFC3339))
			}
		}
	}
}

// undisturbed cuts receipts into those between two faults. What is near a fault belongs to neither.
func (c *checker) undisturbed(all []endpointtest.Receipt) (spans [][]endpointtest.Receipt) {
	var span []endpointtest.Receipt
	for _, r := range all {
		cut := c.underWay(r.At)
		for _, f := range c.h.Faults {
			cut = cut || len(span) > 0 && f.From.After(span[0].At) && f.Until.Before(r.At)
		}
		if cut && len(span) > 0 {
			spans, span = append(spans, span), nil
		}
		if !c.underWay(r.At) {
			span = append(span, r)
		}
	}
	if len(span) > 0 {
		spans = append(spans, span)
	}
	return spans
}

// episodes: an endpoint has one at a time.
func (c *checker) episodes() {
	open := map[string]int{}
	for _, l := range c.once(kindStarted, kindEnded) {
		if l.Kind == kindEnded {
			open[l.EndpointID]--
			continue
		}
		if open[l.EndpointID]++; open[l.EndpointID] > 1 {
			c.violated("%s has %d episodes at once", l.EndpointID, open[l.EndpointID])
		}
	}
}

// once are the lines of some kinds in the order of time, where one episode ends before the next one
// starts. The audit of each event repeats what befell its endpoints.
func (c *checker) once(kinds ...string) (lines []Line) {
	for _, l := range c.h.Lines {
		if slices.Contains(kinds, l.Kind) {
			lines = append(lines, l)
		}
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.EndpointID, b.EndpointID), cmp.Compare(a.Kind, b.Kind))
	})
	return slices.CompactFunc(lines, func(a, b Line) bool {
		return a.At.Equal(b.At) && a.Kind == b.Kind && a.EndpointID == b.EndpointID
	})
}

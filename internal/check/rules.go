package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// acceptances: a key has one event, an event one key, a post without a key an event of its own, and
// each is known at the end.
func (c *checker) acceptances() {
	ids, keys, keyless := map[string]string{}, map[string]string{}, map[string]bool{}
	for _, a := range c.h.Accepted {
		if a.ID == "" {
			c.violated("an answer accepted nothing: key %q", a.Key)
			continue
		}
		_, known := c.h.Events[a.ID]
		switch _, erased := c.h.Erased[a.ID]; {
		case known && erased:
			c.violated("%s was erased and is still known", a.ID)
		case !known && !erased:
			c.violated("lost: %s was accepted and is not known", a.ID)
		}
		if a.Data != "" {
			c.data[a.ID] = a.Data
		}
		if a.Key == "" {
			if !a.Third && keyless[a.ID] {
				c.violated("two posts without a key became %s", a.ID)
			}
			keyless[a.ID] = true
			continue
		}
		if other, taken := ids[a.Key]; taken && other != a.ID {
			c.violated("key %q became %s and %s", a.Key, other, a.ID)
		}
		if other, taken := keys[a.ID]; taken && other != a.Key {
			c.violated("%s came of keys %q and %q", a.ID, other, a.Key)
		}
		ids[a.Key], keys[a.ID] = a.ID, a.Key
	}
}

// receipts: what came is signed, is what was accepted, and has its id.
func (c *checker) receipts() {
	strays := map[string]bool{}
	byData := map[string]string{}
	for id, data := range c.data {
		byData[data] = id
	}
	for endpoint, all := range c.h.Receipts {
		for _, r := range all {
			if r.Verified != nil {
				c.violated("%s came to %s with a signature that does not hold: %v", r.ID, endpoint, r.Verified)
			}
			data := dataOf(r.Body)
			if id, accepted := byData[data]; accepted && id != r.ID {
				c.violated("webhook-id changed: the data of %s came as %s to %s", id, r.ID, endpoint)
			} else if want := c.data[r.ID]; want != "" && want != data {
				c.violated("%s came to %s with other data than was accepted", r.ID, endpoint)
			}
			erased, gone := c.h.Erased[r.ID]
			if gone && r.At.After(erased.Add(storing)) {
				c.violated("%s came to %s at %s, and was erased before", r.ID, endpoint, r.At.Format(time.RFC3339Nano))
			}
			if _, known := c.h.Events[r.ID]; !known && !gone {
				strays[r.ID] = true
			}
		}
	}
	if len(strays) > c.h.Unanswered {
		c.violated("%d events came that were not accepted, and %d requests were left without an answer", len(strays), c.h.Unanswered)
	}
}

// dataOf is an event's data in a delivery.
func dataOf(body []byte) string {
	var envelope struct{ Data json.RawMessage }
	if json.Unmarshal(body, &envelope) != nil {
		return ""
	}
	return string(envelope.Data)
}

// event: each delivery has ended, for a reason that its attempts give.
func (c *checker) event(id string, e Event) {
	delivered := 0
	for _, d := range e.Deliveries {
		if d.Status == webhook.Delivered {
			delivered++
		}
		c.delivery(id, d)
	}
	if e.Status == "delivered" && delivered != len(e.Deliveries) {
		c.violated("%s is said to be delivered, and not all its deliveries are", id)
	}
	if e.Status == "delivering" && !c.h.Unfinished {
		c.violated("lost: %s is still delivering", id)
	}
	if e.Status == "unmatched" && len(e.Deliveries) > 0 {
		c.violated("%s is said to be unmatched, and has deliveries", id)
	}
}

// reported is how many attempts the API tells of a delivery: its last ones.
const reported = 100

func (c *checker) delivery(id string, d webhook.DeliveryReport) {
	for i, a := range d.Attempts {
		want := i + 1
		if len(d.Attempts) == reported {
			want = d.Attempts[0].Number + i
		}
		if a.Number != want {
			c.violated("%s to %s: attempt %d is numbered %d", id, d.EndpointID, want, a.Number)
		}
	}
	succeeded := slices.ContainsFunc(d.Attempts, webhook.Attempt.Succeeded)
	switch d.Status {
	case webhook.Delivered:
		if !succeeded {
			c.violated("%s to %s is said to be delivered without an attempt that succeeded", id, d.EndpointID)
		}
	case webhook.Exhausted:
		if succeeded || len(d.Attempts) == 0 {
			c.violated("%s to %s is said to be exhausted after %d attempts, one succeeded: %t", id, d.EndpointID, len(d.Attempts), succeeded)
		}
	case webhook.Rejected, webhook.Cancelled:
		if d.Reason == "" {
			c.violated("lost: %s to %s ended as %s without a reason", id, d.EndpointID, d.Status)
		}
	case webhook.Pending, webhook.Retrying, webhook.Held:
		if !c.h.Unfinished {
			c.violated("lost: %s to %s is still %s", id, d.EndpointID, d.Status)
		}
	}
	if got, seen := c.h.Receipts[d.EndpointID]; seen {
		c.attempts(id, d, got)
	}
}

// attempts: what is on record and what the endpoint saw are the same, but for attempts under way at
// a fault, which it saw without their getting on record.
func (c *checker) attempts(id string, d webhook.DeliveryReport, all []endpointtest.Receipt) {
	var loose []endpointtest.Receipt
	for _, r := range all {
		if r.ID == id {
			loose = append(loose, r)
		}
	}
	for _, a := range answeredFirst(d.Attempts) {
		at := slices.IndexFunc(loose, func(r endpointtest.Receipt) bool { return c.sawIt(r, a) })
		switch {
		case at >= 0:
			loose = slices.Delete(loose, at, at+1)
		case a.StatusCode != 0: // an attempt without an answer may not have arrived
			c.violated("%s to %s: attempt %d was answered %d, and the endpoint did not see it", id, d.EndpointID, a.Number, a.StatusCode)
		}
	}
	if most := max(c.h.Repeats, len(c.h.Faults)); len(loose) > most && !c.acted(id, d.EndpointID) {
		c.violated("%s came to %s %d times more often than is on record, and faults repeat it %d times at most", id, d.EndpointID, len(loose), most)
	}
	for _, r := range loose {
		switch {
		case c.acted(id, d.EndpointID): // a redelivery has its attempts elsewhere; audited looks at them
		case !c.underWay(r.At):
			c.violated("%s came to %s at %s, is not on record, and nothing was broken then", id, d.EndpointID, r.At.Format(time.RFC3339Nano))
		case d.Status.Ended() && r.At.After(recorded(d).Add(overtaking)):
			c.violated("%s came to %s at %s, when its last attempt was on record", id, d.EndpointID, r.At.Format(time.RFC3339Nano))
		default:
			c.Duplicates++
		}
	}
}

// answeredFirst puts last the attempts without an answer, which may not have arrived: they must not
// claim the receipt of another.
func answeredFirst(all []webhook.Attempt) []webhook.Attempt {
	return slices.SortedStableFunc(slices.Values(all), func(a, b webhook.Attempt) int {
		return cmp.Compare(min(b.StatusCode, 1), min(a.StatusCode, 1))
	})
}

// sawIt says whether a receipt is that of an attempt. One whose answer was lost on its way is on
// record without a status.
func (c *checker) sawIt(r endpointtest.Receipt, a webhook.Attempt) bool {
	if a.StatusCode == 0 {
		return during(a, r.At, c.h.Skips+c.h.Late)
	}
	return r.Status == a.StatusCode && during(a, r.At, c.h.Skips)
}

// recorded is when the last attempt on record was over.
func recorded(d webhook.DeliveryReport) (last time.Time) {
	for _, a := range d.Attempts {
		if end := a.At.Add(time.Duration(a.DurationMS) * time.Millisecond); end.After(last) {
			last = end
		}
	}
	return last
}

// overtaking is how much later than the attempt that gets on record its repetition may arrive: two
// workers both have it, until one has told Temporal of its result.
const overtaking = 2 * time.Second

// during allows for clocks that are read before and after, and for what passes between the time of
// an attempt and its request, which its duration leaves out.
func during(a webhook.Attempt, at time.Time, skips time.Duration) bool {
	const reading, preparing = 5 * time.Millisecond, 2 * time.Second
	took := time.Duration(a.DurationMS) * time.Millisecond
	return !at.Before(a.At.Add(-reading)) && !at.After(a.At.Add(took+preparing+skips))
}

// order: of events that were to come in order, the first receipts do.
func (c *checker) order() {
	for endpoint, wanted := range c.h.Order {
		var came []string
		for _, r := range c.h.Receipts[endpoint] {
			if slices.Contains(wanted, r.ID) && !slices.Contains(came, r.ID) {
				came = append(came, r.ID)
			}
		}
		if !slices.Equal(came, wanted) {
			c.violated("order at %s: %v were to come, %v came", endpoint, wanted, came)
		}
	}
}

// isLarge says whether the data is beyond what histories hold.
func isLarge(body []byte) bool { return len(bytes.TrimSpace(body)) > large }

// large is above what any event has that is kept in its history, in bytes.
const large = 256 << 10

package check

import (
	"strings"

	"hookloop/internal/webhook"
)

// The counters: branches that a run can reach. A test names those that its faults must have led to.
const (
	Accepts      = "accepted"
	ThirdParty   = "third party's 2xx"
	Repeated     = "accepted again under its key"
	Refused      = "told to come again"
	Faults       = "faults"
	Duplicates   = "sent twice around a fault"
	Retried      = "deliveries of more than one attempt"
	NoAnswer     = "attempts without an answer"
	Exhausted    = "exhausted"
	Rejected     = "rejected"
	Unmatched    = "unmatched"
	OwnWorkflow  = "deliveries with a workflow of their own"
	LargeBody    = "large bodies"
	Echo         = "echoes"
	Deferred     = "deferred"
	BreakerOpen  = "deferred by an open breaker"
	AtLimit      = "deferred by a limit"
	OurFault     = "deferred by a fault of ours"
	Asked        = "approvals asked for"
	Released     = "backlogs let go"
	Redelivered  = "redelivered"
	CutShort     = "waits cut short"
	ResultLost   = "results that no store took at first"
	Unanswered   = "requests without an answer"
	InOrder      = "endpoints with an order"
	Limited      = "endpoints with a rate limit that was reached"
	Probed       = "probes"
	Erased       = "erased"
	AuditedLines = "audit lines"
)

// Counters are all names that there are.
func Counters() []string {
	return []string{
		Accepts, ThirdParty, Repeated, Refused, Unanswered, Faults, Duplicates, Retried, NoAnswer, Exhausted, Rejected, Unmatched,
		OwnWorkflow, LargeBody, Echo, Deferred, BreakerOpen, AtLimit, OurFault, Asked, Released, Redelivered, CutShort, ResultLost,
		InOrder, Limited, Probed, Erased, AuditedLines,
	}
}

func (c *checker) count() {
	n := c.Counts
	known := map[string]bool{}
	for _, a := range c.h.Accepted {
		switch {
		case known[a.ID]:
			n[Repeated]++
		case a.Third:
			n[ThirdParty]++
		default:
			n[Accepts]++
		}
		known[a.ID] = true
	}
	n[Refused], n[Unanswered], n[Faults], n[Duplicates] = c.h.Refused, c.h.Unanswered, len(c.h.Faults), c.Duplicates
	n[InOrder], n[AuditedLines], n[Erased] = len(c.h.Order), len(c.h.Lines), len(c.h.Erased)
	for _, e := range c.h.Events {
		c.countEvent(e)
	}
	for _, all := range c.h.Receipts {
		for _, r := range all {
			if isLarge(r.Body) {
				n[LargeBody]++
			}
		}
	}
	for _, l := range c.h.Lines {
		c.countLine(l)
	}
}

func (c *checker) countEvent(e Event) {
	n := c.Counts
	if e.Status == "unmatched" {
		n[Unmatched]++
	}
	for _, d := range e.Deliveries {
		if len(d.Attempts) > 1 {
			n[Retried]++
		}
		if d.WorkflowID != "" {
			n[OwnWorkflow]++
		}
		switch d.Status {
		case webhook.Exhausted:
			n[Exhausted]++
		case webhook.Rejected:
			n[Rejected]++
		case webhook.Pending, webhook.Retrying, webhook.Held, webhook.Delivered, webhook.Cancelled:
		}
		for _, a := range d.Attempts {
			if a.StatusCode == 0 {
				n[NoAnswer]++
			}
		}
	}
}

// byKind are the counters of the audit's lines.
var byKind = map[string]string{
	"echo": Echo, "deferred": Deferred, "failing": Asked, "release": Released, kindProbe: Probed, kindRedelivered: Redelivered,
	"retry-now": CutShort, "step-failed": ResultLost,
}

func (c *checker) countLine(l Line) {
	if name, counted := byKind[l.Kind]; counted {
		c.Counts[name]++
	}
	if l.Kind != "deferred" {
		return
	}
	for _, of := range []struct {
		reason webhook.DeferReason
		name   string
	}{
		{webhook.DeferBreaker, BreakerOpen},
		{webhook.DeferConcurrency, AtLimit},
		{webhook.DeferLimit, AtLimit},
		{webhook.DeferInternal, OurFault},
	} {
		if strings.Contains(l.Detail, string(of.reason)) {
			c.Counts[of.name]++
		}
	}
}

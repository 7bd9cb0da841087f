package simulation_test

import (
	"slices"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// look asks for what has changed, and judges what is known so far. While the worker has a task in
// hand, what it has done is not on record yet.
func (s *scenario) look() {
	if s.ended || s.w.traffic.inHand() {
		return
	}
	n := map[string]int{}
	for _, p := range s.endpoints {
		for _, r := range p.Receipts() {
			n[r.ID]++
		}
	}
	changed := false
	for _, id := range s.kept() {
		if n[id] == s.seen[id] && !s.touched[id] {
			continue
		}
		e := s.told(id)
		if e.ID == "" {
			continue // not now: a restart
		}
		changed, s.seen[id], s.touched[id] = true, n[id], false
		s.known[id] = check.Event{Status: e.Status, Deliveries: e.Deliveries}
	}
	if !changed || len(s.soFar()) == 0 {
		return
	}
	// What is violated must stay so when all is asked for anew.
	s.w.still(surely)
	for id := range s.known {
		if e := s.told(id); e.ID != "" {
			s.known[id] = check.Event{Status: e.Status, Deliveries: e.Deliveries}
		}
	}
	if s.w.traffic.inHand() {
		return
	}
	for _, v := range s.soFar() {
		s.violated("%s", v)
	}
}

// soFar is what is violated by what is known, but for events that were redelivered: what became of
// those only the audit knows. An event's first attempts are told of once the event has gone on from
// them.
func (s *scenario) soFar() []string {
	h := s.history
	h.Faults, h.Unfinished, h.Lines = s.w.broken(), true, nil
	h.Events, h.Accepted, h.Receipts, h.Limits = map[string]check.Event{}, nil, map[string][]endpointtest.Receipt{}, nil
	for id, e := range s.known {
		if !s.redone[id] && !first(e) {
			h.Events[id] = e
		}
	}
	for _, a := range s.history.Accepted {
		if _, in := h.Events[a.ID]; in {
			h.Accepted = append(h.Accepted, a)
		}
	}
	for _, p := range s.endpoints {
		h.Receipts[p.id] = slices.DeleteFunc(p.Receipts(), func(r endpointtest.Receipt) bool { _, in := h.Events[r.ID]; return !in })
	}
	return check.Check(h).Violations
}

// first says whether an event is still at its first attempts somewhere, or has just handed them to
// a workflow that has not had a turn yet.
func first(e check.Event) bool {
	return slices.ContainsFunc(e.Deliveries, func(d webhook.DeliveryReport) bool {
		return !d.Status.Ended() && (d.WorkflowID == "" || len(d.Attempts) == 0)
	})
}

// kept are the events that were not erased.
func (s *scenario) kept() []string {
	return slices.DeleteFunc(slices.Clone(s.posted), func(id string) bool { return !s.history.Erased[id].IsZero() })
}

// over says whether everything has ended.
func (s *scenario) over() bool {
	for _, id := range s.kept() {
		if e := s.told(id); e.ID == "" || e.Status == "delivering" {
			return false
		}
	}
	return true
}

// end judges the whole.
func (s *scenario) end() {
	s.ended = true
	h := s.history
	h.Faults, h.Events, h.Receipts, h.Lines = s.w.broken(), map[string]check.Event{}, map[string][]endpointtest.Receipt{}, []check.Line{}
	for _, id := range s.kept() {
		e := s.told(id)
		h.Events[id] = check.Event{Status: e.Status, Deliveries: e.Deliveries}
		h.Lines = append(h.Lines, s.audit("/events/"+id+"/audit")...)
	}
	for _, l := range s.audit("/audit") {
		if l.EventID == "" { // of approvals and recoveries
			h.Lines = append(h.Lines, l)
		}
	}
	for _, p := range s.endpoints {
		h.Receipts[p.id] = p.Receipts()
	}
	r := check.Check(h)
	for _, v := range r.Violations {
		s.violated("%s", v)
	}
	s.counts = r.Counts
}

package simulation_test

import (
	"net/http"
	"slices"
	"time"

	"hookloop/internal/check"
	"hookloop/internal/webhook"
)

// watchful is how often operators look what waits for them.
const watchful = 2 * time.Hour

// planOperators: they look now and then, and meddle.
func (s *scenario) planOperators() {
	for at := s.within(watchful); at < eventful; at += watchful/2 + s.within(watchful) {
		s.plan(at, s.decide)
	}
	for _, p := range s.endpoints {
		if s.chance.IntN(3) == 0 {
			at := s.within(eventful * 2 / 3)
			s.plan(at, func() { s.act("/endpoints/"+p.id+"/pause", "") })
			s.plan(at+s.within(eventful/4), func() { s.resume(p) })
		}
	}
	for range s.chance.IntN(4) {
		act := one(s, s.retryNow, s.cancel, s.redeliver, s.recover, s.erase)
		s.plan(s.within(eventful), func() { act(one(s, s.endpoints...)) })
	}
}

// act is what an operator does, and whether it was taken.
func (s *scenario) act(path, body string) bool {
	return s.call(http.MethodPost, path, body, "", nil) == http.StatusAccepted
}

// awaiting are the endpoints that people are asked about.
func (s *scenario) awaiting() (ids []string) {
	var page struct{ Data []webhook.ApprovalReport }
	s.call(http.MethodGet, "/approvals?status=awaiting-approval", "", "", &page)
	for _, r := range page.Data {
		ids = append(ids, r.EndpointID)
	}
	slices.Sort(ids)
	return ids
}

// decide answers what is asked, or leaves it for another time. What was said must come about.
func (s *scenario) decide() {
	for _, id := range s.awaiting() {
		switch what := s.chance.IntN(4); {
		case what == 0:
		case what == 1 && s.act("/approvals/"+id+"/reject", `{"reason":"by seed"}`):
			s.expect("a rejected endpoint is disabled", func() bool { return s.endpointState(id) == webhook.EndpointDisabled })
		default:
			if s.chance.IntN(2) == 0 {
				s.place(id).Mend()
				s.note("%s is mended", id)
			}
			if s.act("/approvals/"+id+"/approve", one(s, "", `{"rate_per_second":1}`, `{"rate_per_second":100}`)) {
				s.expect("an approval is in the audit", func() bool { return s.audited(id, webhook.AuditApprove) > 0 })
			}
		}
	}
}

// audited says how many lines of a kind the audit has of an endpoint.
func (s *scenario) audited(id string, kind webhook.AuditKind) (n int) {
	for _, l := range s.audit("/audit") {
		if l.EndpointID == id && l.Kind == string(kind) {
			n++
		}
	}
	return n
}

func (s *scenario) place(id string) *place {
	return s.endpoints[slices.IndexFunc(s.endpoints, func(p *place) bool { return p.id == id })]
}

func (s *scenario) resume(p *place) {
	before := s.audited(p.id, webhook.AuditResume)
	if s.act("/endpoints/"+p.id+"/resume", "") {
		s.expect("a resume is in the audit", func() bool { return s.audited(p.id, webhook.AuditResume) > before })
		s.expect("an endpoint that was resumed is no longer paused", func() bool { return s.endpointState(p.id) != webhook.EndpointPaused })
	}
}

// expect looks a quarter of an hour later whether something has come about.
func (s *scenario) expect(what string, has func() bool) {
	s.planSoon(15*time.Minute, func() {
		if !has() {
			s.violated("what was answered 202 did not come about: %s", what)
		}
	})
}

// waiting finds a delivery to an endpoint that has not ended, of those known.
func (s *scenario) waiting(p *place) (event string) {
	for _, id := range s.kept() {
		for _, d := range s.known[id].Deliveries {
			if d.EndpointID == p.id && !d.Status.Ended() && d.WorkflowID != "" {
				event = id
			}
		}
	}
	return event
}

func (s *scenario) retryNow(p *place) {
	if id := s.waiting(p); id != "" && s.act("/events/"+id+"/deliveries/"+p.id+"/retry-now", "") {
		s.touched[id] = true
	}
}

func (s *scenario) cancel(p *place) {
	id := s.waiting(p)
	if id == "" || !s.act("/events/"+id+"/deliveries/"+p.id+"/cancel", `{"reason":"by seed"}`) {
		return
	}
	s.touched[id] = true
	s.expect("a cancelled delivery has ended", func() bool {
		return !slices.ContainsFunc(s.told(id).Deliveries, func(d webhook.DeliveryReport) bool { return d.EndpointID == p.id && !d.Status.Ended() })
	})
}

// redeliver sends an event again that has ended.
func (s *scenario) redeliver(p *place) {
	for _, id := range s.kept() {
		if s.known[id].Status == "failed" || s.known[id].Status == "delivered" && s.chance.IntN(3) == 0 {
			s.redone[id] = true
			s.act("/events/"+id+"/redeliver", `{"endpoint_id":"`+p.id+`"}`)
			return
		}
	}
}

// erase takes away an event's data, and ends what is under way of it. Nothing more may come of it,
// and the audit keeps who wanted it.
func (s *scenario) erase(*place) {
	kept := s.kept()
	if len(kept) == 0 {
		return
	}
	id := one(s, kept...)
	status := 0
	for range 100 { // one that was not answered may be under way
		s.w.hurry(func() {
			status = s.call(http.MethodDelete, "/events/"+id+"/data?cancel=true&reason=by+seed", "", "", nil)
		})
		if status != 0 {
			break
		}
	}
	if status != http.StatusOK {
		return
	}
	s.history.Erased[id] = time.Now()
	delete(s.known, id)
	s.expect("an erased event is not told of any more, but in the audit", func() bool {
		lines := s.audit("/events/" + id + "/audit")
		return s.call(http.MethodGet, "/events/"+id, "", "", nil) == http.StatusGone &&
			slices.ContainsFunc(lines, func(l check.Line) bool { return l.Kind == string(webhook.AuditErasureAsked) }) &&
			slices.ContainsFunc(lines, func(l check.Line) bool { return l.Kind == string(webhook.AuditPayloadErased) })
	})
}

func (s *scenario) recover(p *place) {
	if s.act("/endpoints/"+p.id+"/recover", `{"since":"`+s.w.begun.UTC().Format(time.RFC3339)+`","rate_per_second":1}`) {
		for _, id := range s.posted {
			s.redone[id] = true
		}
	}
}

// mend ends all trouble: the operator approves from now on, and looks until nothing is open.
func (s *scenario) mend() {
	s.note("all endpoints are mended")
	for _, p := range s.endpoints {
		p.Mend()
	}
	s.letGo()
}

func (s *scenario) letGo() {
	for _, p := range s.endpoints {
		if !p.resumed && s.endpointState(p.id) == webhook.EndpointPaused {
			s.resume(p)
			p.resumed = true
		}
	}
	for _, id := range s.awaiting() {
		s.act("/approvals/"+id+"/approve", `{"rate_per_second":100}`)
	}
	s.w.settle()
	s.heard()
	if s.over() {
		s.allHeard()
		s.end()
		return
	}
	if s.w.now() > eventful+longest {
		s.violated("after %s there are events that have not ended", s.w.now().Round(time.Hour))
		s.end()
		return
	}
	s.plans = append(s.plans, plan{s.w.now() + watchful, s.letGo})
}

package audit

import (
	"context"
	"maps"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// logOfEndpoint bounds how much of one endpoint's change log is read for an event.
const logOfEndpoint = 1000

// meeting is what an event had to do with one endpoint.
type meeting struct {
	from, to time.Time // its first and its last line; a zero to: it goes on
	trouble  bool      // it was not taken at once
}

// meetings are those of the lines at hand, by endpoint.
func meetings(lines []Line) map[string]*meeting {
	all := map[string]*meeting{}
	for _, l := range lines {
		if l.EndpointID == "" {
			continue
		}
		m := all[l.EndpointID]
		if m == nil {
			m = &meeting{from: l.At}
			all[l.EndpointID] = m
		}
		switch {
		case l.Kind == webhook.AuditAttempt && l.StatusCode/100 == 2, l.Kind == webhook.AuditDeliveryEnded:
			m.to = l.At
		default:
			m.to, m.trouble = time.Time{}, true
		}
	}
	return all
}

// around adds what happened around an event's own lines: the episodes of endpoints it had trouble
// with, changes of their settings meanwhile, and who read its data. It tells each attempt where it
// went.
func (a *Audits) around(ctx context.Context, tenant, id string, first bool, p *Page) error {
	met := meetings(p.Lines)
	for _, endpointID := range slices.Sorted(maps.Keys(met)) {
		m := met[endpointID]
		log, err := a.changes(ctx, tenant, webhook.AuditQuery{EndpointID: endpointID}, time.Time{}, logOfEndpoint)
		if err != nil {
			return err
		}
		nameHosts(p.Lines, endpointID, log)
		if !m.trouble {
			continue
		}
		p.Lines = append(p.Lines, meanwhile(log, *m)...)
		if err := a.episodes(ctx, tenant, endpointID, *m, p); err != nil {
			return err
		}
	}
	if !first {
		return nil
	}
	reads, err := a.changes(ctx, tenant, webhook.AuditQuery{EventID: id}, time.Time{}, logOfEndpoint)
	p.Lines = append(p.Lines, reads...)
	return err
}

// nameHosts says of each line with an endpoint's version which host that version had.
func nameHosts(lines []Line, endpointID string, log []Line) {
	for i := range lines {
		l := &lines[i]
		if l.EndpointID != endpointID || l.EndpointVersion == 0 || l.EndpointURLHost != "" {
			continue
		}
		for _, c := range log {
			if c.EndpointVersion > 0 && c.EndpointVersion <= l.EndpointVersion && c.EndpointURLHost != "" {
				l.EndpointURLHost = c.EndpointURLHost
			}
		}
	}
}

// meanwhile are the changes of an endpoint while an event had to do with it, and the one before
// them: it says what the endpoint looked like at first.
func meanwhile(log []Line, m meeting) (all []Line) {
	for _, c := range log {
		switch {
		case !m.to.IsZero() && c.At.After(m.to):
		case c.At.Before(m.from) && c.EndpointVersion == 0:
		case c.At.Before(m.from):
			all = []Line{c}
		default:
			all = append(all, c)
		}
	}
	return all
}

// episodes adds what became of an endpoint's episodes while an event waited for it: from their
// beginning, for that says why.
func (a *Audits) episodes(ctx context.Context, tenant, endpointID string, m meeting, p *Page) error {
	until := m.to
	if until.IsZero() {
		until = a.now()
	}
	found, err := a.histories.Episodes(ctx, tenant, endpointID, m.from.Add(-slack), until.Add(slack), pageSize)
	if err != nil {
		return err
	}
	var told Page
	if err := a.readAll(ctx, runsOf(found), &told); err != nil {
		return err
	}
	p.Encrypted = p.Encrypted || told.Encrypted
	for _, l := range told.Lines {
		if l.At.Before(until.Add(slack)) && (!l.At.Before(m.from) || tells(l.Kind)) {
			p.Lines = append(p.Lines, l)
		}
	}
	return nil
}

// tells says whether a line of an episode still matters to an event that came later.
func tells(k webhook.AuditKind) bool {
	switch k { //nolint:exhaustive // of fifty kinds, those that matter here
	case webhook.AuditFailing, webhook.AuditRecovered, webhook.AuditWait, webhook.AuditRelease, webhook.AuditProbe, webhook.AuditStepFailed:
		return false
	default:
		return true
	}
}

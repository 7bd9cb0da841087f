package ingest

import (
	"context"

	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

// matcher finds the endpoints of the events of one request; many are of the same type.
type matcher struct {
	receiver *Receiver
	source   webhook.Source
	matched  map[string]webhook.Match
	own      map[string]bool // endpoints of the application itself; nil: not asked yet
}

// match gives the endpoints that want an event, and those it would go to if it did not come from
// their own application.
func (m *matcher) match(ctx context.Context, eventType string) (to webhook.Match, withheld []string, err error) {
	all, err := m.wanting(ctx, eventType)
	if err != nil {
		return to, nil, err
	}
	for _, id := range all.IDs {
		if m.own[id] {
			withheld = append(withheld, id)
		} else {
			to.IDs = append(to.IDs, id)
		}
	}
	for _, id := range all.Disabled {
		if !m.own[id] {
			to.Disabled = append(to.Disabled, id)
		}
	}
	return to, withheld, nil
}

// wanting gives the endpoints that take events of a type, whose ever they are.
func (m *matcher) wanting(ctx context.Context, eventType string) (all webhook.Match, err error) {
	all, known := m.matched[eventType]
	if !known {
		if all, err = m.receiver.cfg.Endpoints.Match(ctx, m.source.Tenant, eventType); err != nil {
			return all, problem.Registry(err)
		}
		m.matched[eventType] = all
	}
	return all, m.askOwn(ctx)
}

func (m *matcher) askOwn(ctx context.Context) error {
	if m.source.Application == "" || m.own != nil {
		return nil
	}
	ids, err := m.receiver.cfg.Sources.Withheld(ctx, m.source.Tenant, m.source.Application)
	if err != nil {
		return problem.Registry(err)
	}
	m.own = map[string]bool{}
	for _, id := range ids {
		m.own[id] = true
	}
	return nil
}

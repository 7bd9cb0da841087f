package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Matcher gives the ids of the endpoints that name an event type.
type Matcher interface {
	MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error)
}

// Announcer accepts events about endpoints and deliveries, as the gateway accepts those of apps.
type Announcer struct {
	link

	cfg  AnnouncerConfig
	pace pace // of what there may be very much of
}

// AnnouncerConfig is what announcing needs beside Temporal.
type AnnouncerConfig struct {
	Endpoints Matcher
	Pages     Pages // nil: no page is named
}

// Pages give the addresses of pages for people.
type Pages interface {
	Endpoint(tenant, id string) string
	Event(tenant, id string) string
}

// Announcer is the part that accepts what Hookloop itself says.
func (o *Orchestrator) Announcer(c AnnouncerConfig) *Announcer {
	return &Announcer{link: o.link, cfg: c}
}

// Announce tells every endpoint of the tenant that names the type, but the one it is about: that
// one could not hear it. What there may be very much of is accepted now and sent in its turn.
func (n *Announcer) Announce(ctx context.Context, a activities.Announcement) error {
	to, err := n.cfg.Endpoints.MatchNamed(ctx, a.Tenant, a.Type)
	if err != nil {
		return err
	}
	to = slices.DeleteFunc(to, func(id string) bool { return id == a.EndpointID })
	if a.Many && len(to) == 0 {
		return nil
	}
	var delay time.Duration
	if a.Many {
		delay = n.pace.next(a.Tenant, time.Now())
	}
	data, err := n.withPage(a)
	if err != nil {
		return err
	}
	e := webhook.Event{Tenant: a.Tenant, ID: IDForKey(a.Tenant, a.Key), Type: a.Type, Timestamp: a.At, Operational: true}
	in := workflows.EventInput{Event: e, EndpointIDs: to}
	o := eventOptions(in)
	if delay > 0 { // accepted it is at once; its first attempts have time
		o.StartDelay, o.EnableEagerStart = delay, false
	}
	_, err = n.client.ExecuteWorkflow(ctx, o, workflows.TypeEvent, in, rawJSON(data))
	if err = startErr(err); errors.Is(err, ErrAccepted) { // by an earlier try
		return nil
	}
	return err
}

// withPage is what is announced, with the address of the page where people see more of it. Where
// that is, is known now and here: no history can tell.
func (n *Announcer) withPage(a activities.Announcement) (json.RawMessage, error) {
	if n.cfg.Pages == nil {
		return a.Data, nil
	}
	if a.Type == webhook.EventDeliveryExhausted {
		var d webhook.DeliveryNotice
		if err := json.Unmarshal(a.Data, &d); err != nil {
			return nil, err
		}
		d.ConsoleURL = n.cfg.Pages.Event(a.Tenant, d.EventID)
		return json.Marshal(d)
	}
	var e webhook.EndpointNotice
	if err := json.Unmarshal(a.Data, &e); err != nil {
		return nil, err
	}
	e.ConsoleURL = n.cfg.Pages.Endpoint(a.Tenant, e.EndpointID)
	return json.Marshal(e)
}

package orchestrator

import (
	"context"
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

	endpoints Matcher
	pace      pace // of what there may be very much of
}

// Announcer is the part that accepts what Hookloop itself says.
func (o *Orchestrator) Announcer(m Matcher) *Announcer { return &Announcer{link: o.link, endpoints: m} }

// Announce tells every endpoint of the tenant that names the type, but the one it is about: that
// one could not hear it. What there may be very much of is accepted now and sent in its turn.
func (n *Announcer) Announce(ctx context.Context, a activities.Announcement) error {
	to, err := n.endpoints.MatchNamed(ctx, a.Tenant, a.Type)
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
	e := webhook.Event{Tenant: a.Tenant, ID: IDForKey(a.Tenant, a.Key), Type: a.Type, Timestamp: a.At, Operational: true}
	in := workflows.EventInput{Event: e, EndpointIDs: to}
	o := eventOptions(in)
	if delay > 0 { // accepted it is at once; its first attempts have time
		o.StartDelay, o.EnableEagerStart = delay, false
	}
	_, err = n.client.ExecuteWorkflow(ctx, o, workflows.TypeEvent, in, rawJSON(a.Data))
	if err = startErr(err); errors.Is(err, ErrAccepted) { // by an earlier try
		return nil
	}
	return err
}

package approvals

import (
	"context"
	"slices"
	"time"

	"hookloop/activities"
	"hookloop/internal/accept"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Matcher gives the ids of the endpoints that name an event type.
type Matcher interface {
	MatchNamed(ctx context.Context, tenant, eventType string) ([]string, error)
}

// Announcer accepts events about endpoints and deliveries, as the gateway accepts those of apps.
type Announcer struct {
	Client    accept.Client
	Endpoints Matcher

	pace pace // of what there may be very much of
}

// Announce tells every endpoint of the tenant that names the type, but the one it is about: that one
// could not hear it. What there may be very much of is accepted now and sent in its turn.
func (n *Announcer) Announce(ctx context.Context, a activities.Announcement) error {
	to, err := n.Endpoints.MatchNamed(ctx, a.Tenant, a.Type)
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
	e := webhook.Event{Tenant: a.Tenant, ID: accept.IDForKey(a.Tenant, a.Key), Type: a.Type, Timestamp: a.At, Operational: true}
	err = accept.StartLater(ctx, n.Client, workflows.EventInput{Event: e, EndpointIDs: to}, a.Data, delay)
	if accept.Before(err) {
		return nil
	}
	return err
}

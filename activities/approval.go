package activities

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// EndpointKeeper changes an endpoint as it is now, or not at all.
type EndpointKeeper interface {
	EndpointReader
	UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error)
}

// Backlog is what waits for an endpoint. What it lists is what the visibility store knows, a moment
// behind; what it says to a delivery, the delivery itself answers.
type Backlog interface {
	// Count counts the deliveries that wait for the endpoint, whatever their status.
	Count(ctx context.Context, tenant, endpointID string) (int, error)
	// Oldest gives the events of at most limit deliveries that are held, the oldest first.
	Oldest(ctx context.Context, tenant, endpointID string, limit int) (eventIDs []string, err error)
	// Running gives a page of the deliveries under way that began before a time, with or without those
	// that are held, and where the next page begins.
	Running(ctx context.Context, tenant, endpointID string, before time.Time, held bool, page []byte) (eventIDs []string, next []byte, err error)
	// Probe sends a delivery that is held and waits for the answer. The same key asks only once.
	Probe(ctx context.Context, tenant, eventID, endpointID, key string) (webhook.Probe, error)
	// Release lets a delivery go; false says that it was not held.
	Release(ctx context.Context, tenant, eventID, endpointID string) (bool, error)
	// Waiting gives the events of the deliveries under way that are not held, the oldest first.
	Waiting(ctx context.Context, tenant, endpointID string) (eventIDs []string, err error)
	// Recheck gives a delivery its turn now if the last one was deferred; false says that it was not.
	Recheck(ctx context.Context, tenant, eventID, endpointID string) (bool, error)
	// Look tells a delivery to look at its endpoint now.
	Look(ctx context.Context, tenant, eventID, endpointID string, v webhook.Verb) error
}

// Announcer accepts an event of our own, as the gateway accepts an app's: to all endpoints that want
// its type, but one. The same event is accepted once.
type Announcer interface {
	Announce(ctx context.Context, a Announcement) error
}

// Approval holds the activities of an approval. Renaming a method is a migration, not a refactor.
type Approval struct {
	Endpoints EndpointKeeper
	Backlog   Backlog
	Events    Announcer
}

// Subject names an endpoint.
type Subject struct {
	Tenant     string `json:"tenant"`
	EndpointID string `json:"endpoint_id"`
}

// EndpointFacts is what an approval must know of its endpoint.
type EndpointFacts struct {
	State   webhook.EndpointState `json:"state"`
	Host    string                `json:"host"` // all of the URL that may be shown: the rest may be a secret
	After   time.Duration         `json:"after"`
	Timeout time.Duration         `json:"timeout"`
}

// LookAtEndpoint reads what an approval must know.
func (a *Approval) LookAtEndpoint(ctx context.Context, s Subject) (EndpointFacts, error) {
	e, err := a.Endpoints.Endpoint(ctx, s.Tenant, s.EndpointID)
	return facts(e), gone(err)
}

func facts(e webhook.Endpoint) EndpointFacts {
	f := EndpointFacts{State: e.State, After: e.Approval.AfterOrDefault(), Timeout: e.Approval.TimeoutOrDefault()}
	if u, err := url.Parse(e.URL); err == nil {
		f.Host = u.Host
	}
	return f
}

// StateChange moves an endpoint from one of some states to another.
type StateChange struct {
	Subject
	From      []webhook.EndpointState `json:"from"`
	To        webhook.EndpointState   `json:"to"`
	Reason    string                  `json:"reason,omitempty"`
	Releasing time.Duration           `json:"releasing,omitempty"` // how long letting its deliveries go will take
}

// StateChanged says how an endpoint stands after a change, and whether it was made.
type StateChanged struct {
	EndpointFacts
	Changed bool `json:"changed"`
}

// ChangeState makes a change, unless somebody else has changed the endpoint's state meanwhile. What a
// try before this one left behind is no one else's.
func (a *Approval) ChangeState(ctx context.Context, in StateChange) (StateChanged, error) {
	changed := false
	e, err := a.Endpoints.UpdateEndpoint(ctx, in.Tenant, in.EndpointID, func(e *webhook.Endpoint) error {
		again := e.State == in.To && e.StateReason == in.Reason
		if changed = again || slices.Contains(in.From, e.State); !changed {
			return errNoChange
		}
		now := time.Now().UTC().Truncate(time.Millisecond)
		e.State, e.StateReason, e.UpdatedAt, e.Releasing = in.To, in.Reason, now, time.Time{}
		if in.Releasing > 0 {
			e.Releasing = now.Add(in.Releasing)
		}
		return nil
	})
	if errors.Is(err, errNoChange) {
		f, err := a.LookAtEndpoint(ctx, in.Subject)
		return StateChanged{EndpointFacts: f}, err
	}
	return StateChanged{EndpointFacts: facts(e), Changed: changed}, gone(err)
}

func gone(err error) error {
	if webhook.CodeOf(err) == webhook.NotFound {
		return endpointGone(err)
	}
	return err
}

// CountWaiting counts the deliveries that wait for the endpoint, whatever their status.
func (a *Approval) CountWaiting(ctx context.Context, s Subject) (int, error) {
	return a.Backlog.Count(ctx, s.Tenant, s.EndpointID)
}

// Announcement is an event of our own about an endpoint.
type Announcement struct {
	Subject
	Type string          `json:"type"`
	Key  string          `json:"key"` // of the announcement: the same key is announced once
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
	Many bool            `json:"many,omitempty"` // one of very many, perhaps: sent at a pace, and no event where no endpoint names it
}

// Announce tells the tenant's other endpoints.
func (a *Approval) Announce(ctx context.Context, in Announcement) error {
	return a.Events.Announce(ctx, in)
}

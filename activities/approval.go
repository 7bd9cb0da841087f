package activities

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"hookloop/internal/webhook"
)

// EndpointKeeper changes an endpoint as it is now, or not at all.
type EndpointKeeper interface {
	EndpointReader
	UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error)
}

// Backlog is what waits for an endpoint. Its lists come from the visibility store and are a moment
// behind. Probe, Release, RecheckDeferred and Recheck ask the delivery itself.
type Backlog interface {
	// Count counts the deliveries that wait for the endpoint, whatever their status.
	Count(ctx context.Context, tenant, endpointID string) (int, error)
	// Oldest gives the events of at most limit deliveries that are held, the oldest first.
	Oldest(ctx context.Context, tenant, endpointID string, limit int) (eventIDs []string, err error)
	// Running gives a page of the deliveries under way that began before a time, with or without
	// those that are held, and where the next page begins.
	Running(ctx context.Context, tenant, endpointID string, before time.Time, held bool, page []byte) (eventIDs []string, next []byte, err error)
	// Probe sends a delivery that is held and waits for the answer. The same key asks only once.
	Probe(ctx context.Context, tenant, eventID, endpointID, key string) (webhook.Probe, error)
	// Release releases a delivery; false says that it was not held.
	Release(ctx context.Context, tenant, eventID, endpointID string) (bool, error)
	// Waiting gives the events of the deliveries under way that are not held, the oldest first.
	Waiting(ctx context.Context, tenant, endpointID string) (eventIDs []string, err error)
	// RecheckDeferred gives a delivery its turn now if the last one was deferred; false says that
	// it was not.
	RecheckDeferred(ctx context.Context, tenant, eventID, endpointID string) (bool, error)
	// Recheck tells a delivery to read its endpoint now.
	Recheck(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) error
}

// Announcer accepts an event of our own, as the gateway accepts an app's: for all endpoints that
// want its type, but the one it is about. The same event is accepted once.
type Announcer interface {
	Announce(ctx context.Context, a Announcement) error
}

// Approval holds the activities of an approval. Renaming a method is a migration, not a refactor.
type Approval struct {
	Endpoints EndpointKeeper
	Backlog   Backlog
	Events    Announcer

	// Behind is by how much the lists of Backlog may be behind; zero: a second. An activity that
	// finds nothing in one reads it again after that.
	Behind time.Duration
}

func (a *Approval) behind() time.Duration { return cmp.Or(a.Behind, time.Second) }

// EndpointRef names an endpoint.
type EndpointRef struct {
	Tenant     string `json:"tenant"`
	EndpointID string `json:"endpoint_id"`
}

// EndpointFacts is what an approval must know of its endpoint.
type EndpointFacts struct {
	State   webhook.EndpointState `json:"state"`
	Host    string                `json:"host"` // all of the URL that may be shown: the rest may be a secret
	After   time.Duration         `json:"after"`
	Timeout time.Duration         `json:"timeout"`
	Named   bool                  `json:"named,omitempty"` // a decision must say whose it is
}

// ReadEndpoint answers what an approval must know of its endpoint.
func (a *Approval) ReadEndpoint(ctx context.Context, of EndpointRef) (EndpointFacts, error) {
	e, err := a.Endpoints.Endpoint(ctx, of.Tenant, of.EndpointID)
	return facts(e), orGone(err)
}

func facts(e webhook.Endpoint) EndpointFacts {
	return EndpointFacts{
		State: e.State, Host: e.URLHost(), After: e.Approval.AfterOrDefault(), Timeout: e.Approval.TimeoutOrDefault(), Named: e.Approval.Named,
	}
}

// StateChange moves an endpoint from one of some states to another.
type StateChange struct {
	EndpointRef
	From      []webhook.EndpointState `json:"from"`
	To        webhook.EndpointState   `json:"to"`
	Reason    string                  `json:"reason,omitempty"`
	Releasing time.Duration           `json:"releasing,omitempty"` // how long the release of its deliveries will take
}

// StateChanged says how an endpoint stands after a change, and whether it was made.
type StateChanged struct {
	EndpointFacts
	Changed bool `json:"changed"`
}

// ChangeState makes a change, unless another change of the endpoint's state came first. A change
// that an earlier attempt of this activity made counts as its own.
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
		f, err := a.ReadEndpoint(ctx, in.EndpointRef)
		return StateChanged{EndpointFacts: f}, err
	}
	return StateChanged{EndpointFacts: facts(e), Changed: changed}, orGone(err)
}

// orGone makes of an endpoint that is missing a failure that no retry mends.
func orGone(err error) error {
	if webhook.CodeOf(err) == webhook.NotFound {
		return endpointGone(err)
	}
	return err
}

// CountWaiting counts the deliveries that wait for the endpoint, whatever their status.
func (a *Approval) CountWaiting(ctx context.Context, of EndpointRef) (int, error) {
	return a.Backlog.Count(ctx, of.Tenant, of.EndpointID)
}

// Announcement is an event of our own about an endpoint.
type Announcement struct {
	EndpointRef
	Type string          `json:"type"`
	Key  string          `json:"key"` // of the announcement: the same key is announced once
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`

	// Many says that very many of its kind may come at once: they are paced, and one whose type no
	// endpoint names becomes no event.
	Many bool `json:"many,omitempty"`
}

// Announce brings an event of our own to the tenant's other endpoints.
func (a *Approval) Announce(ctx context.Context, in Announcement) error {
	return a.Events.Announce(ctx, in)
}

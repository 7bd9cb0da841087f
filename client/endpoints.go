package client

import (
	"context"
	"fmt"
	"net/http"

	"hookloop/api"
)

// Endpoints are consumers' URLs, their secrets and what is done about those that fail.
type Endpoints struct{ scope }

// Create makes an endpoint. The answer shows its secret.
func (e Endpoints) Create(n api.NewEndpoint) Call[api.Endpoint] {
	return call[api.Endpoint](e.scope, http.MethodPost, "endpoints").with(n).making()
}

// List shows endpoints, the oldest first.
func (e Endpoints) List(query api.EndpointQuery) List[api.Endpoint] {
	return list[api.Endpoint](e.scope, query, "endpoints")
}

// Get shows an endpoint, without its secret.
func (e Endpoints) Get(id string) Call[api.Endpoint] {
	return call[api.Endpoint](e.scope, http.MethodGet, "endpoints", id)
}

// Update changes an endpoint; fields of the change that are zero stay as they are.
func (e Endpoints) Update(id string, change api.EndpointChange) Call[api.Endpoint] {
	return call[api.Endpoint](e.scope, http.MethodPatch, "endpoints", id).with(change)
}

// Delete deletes an endpoint. Its deliveries under way end as cancelled.
func (e Endpoints) Delete(id string) Call[None] {
	return call[None](e.scope, http.MethodDelete, "endpoints", id)
}

// Attempts lists attempts at an endpoint, the newest first.
func (e Endpoints) Attempts(id string, query api.AttemptQuery) List[api.AttemptItem] {
	return list[api.AttemptItem](e.scope, query, "endpoints", id, "attempts")
}

// Stats shows how an endpoint does.
func (e Endpoints) Stats(id string, query api.StatsQuery) Call[api.EndpointStats] {
	return call[api.EndpointStats](e.scope, http.MethodGet, "endpoints", id, "stats").asking(query)
}

// Secret shows the secret that signs.
func (e Endpoints) Secret(id string) Call[api.Secret] {
	return call[api.Secret](e.scope, http.MethodGet, "endpoints", id, "secret")
}

// RotateSecret gives an endpoint a new secret; the one before signs as well until the overlap is
// over.
func (e Endpoints) RotateSecret(id string, r api.SecretRotation) Call[api.Secret] {
	return call[api.Secret](e.scope, http.MethodPost, "endpoints", id, "secret", "rotate").with(r)
}

// Test sends a test event to an endpoint, whatever types it wants.
func (e Endpoints) Test(id string) Call[api.AcceptedEvent] {
	return call[api.AcceptedEvent](e.scope, http.MethodPost, "endpoints", id, "test")
}

// Pause holds an endpoint by hand: its deliveries wait.
func (e Endpoints) Pause(id string, i api.Instruction) Call[api.Endpoint] {
	return call[api.Endpoint](e.scope, http.MethodPost, "endpoints", id, "pause").with(i)
}

// Resume sends to an endpoint again that is paused, held or disabled. The answer is the endpoint as
// it stood before.
func (e Endpoints) Resume(id string, r api.Release) Call[api.Endpoint] {
	return call[api.Endpoint](e.scope, http.MethodPost, "endpoints", id, "resume").with(r)
}

// Recover redelivers what an endpoint did not get.
func (e Endpoints) Recover(id string, n api.NewRecovery) Call[api.StartedRecovery] {
	return call[api.StartedRecovery](e.scope, http.MethodPost, "endpoints", id, "recover").with(n)
}

// Recovery shows how far the latest recovery of an endpoint is.
func (e Endpoints) Recovery(id string) Call[api.Recovery] {
	return call[api.Recovery](e.scope, http.MethodGet, "endpoints", id, "recover")
}

// CancelRecovery ends the recovery of an endpoint. Deliveries that it has started go on.
func (e Endpoints) CancelRecovery(id string) Call[api.CancelledRecovery] {
	return call[api.CancelledRecovery](e.scope, http.MethodDelete, "endpoints", id, "recover")
}

// WaitRecovered waits until the recovery of an endpoint has ended, and fails if it ended early.
func (e Endpoints) WaitRecovered(ctx context.Context, id string) (api.Recovery, error) {
	a, err := e.Recovery(id).Until(ctx, func(r api.Recovery) bool { return r.Status != api.RecoveryRunning })
	switch r := a.Value; {
	case err != nil:
		return r, fmt.Errorf("recovery of %s: %w", id, err)
	case r.Status != api.RecoveryCompleted:
		return r, fmt.Errorf("the recovery of %s ended early: %s: %s", id, r.Status, r.Reason)
	default:
		return r, nil
	}
}

package gateway

import (
	"context"
	"encoding/json"
	"time"

	"hookloop/internal/webhook"
)

// testType is the type of the event an endpoint's owner asks for to try things out.
const testType = "hookloop.test"

// testEndpoint sends an event to one endpoint, whatever types it wants: an event like any other,
// with its history, its signature and its retries.
func (g *Gateway) testEndpoint(ctx context.Context, in *endpointPath) (*accepted, error) {
	ctx, cancel := context.WithTimeout(ctx, acceptTimeout)
	defer cancel()
	if err := g.takesDeliveries(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	data, err := json.Marshal(acceptedDelivery{EndpointID: in.ID})
	if err != nil {
		return nil, err
	}
	now := g.now().UTC().Truncate(time.Millisecond)
	return g.accept(ctx, posted{
		Event: webhook.Event{Tenant: in.Tenant, ID: newID(eventPrefix, now), Type: testType, Timestamp: now},
		data:  data,
		match: webhook.Match{IDs: []string{in.ID}},
	})
}

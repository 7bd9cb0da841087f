package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hookloop/api"
	"hookloop/client"
)

// connect reads what `hookloop dev` wrote when it was ready.
func connect(data string) (*client.Client, error) {
	content, err := os.ReadFile(filepath.Join(data, "dev.json"))
	if err != nil {
		return nil, fmt.Errorf("start `hookloop dev` first, or say where its --data is: %w", err)
	}
	var dev struct{ Gateway, Tenant, Token string }
	if err := json.Unmarshal(content, &dev); err != nil {
		return nil, err
	}
	return client.New(client.Config{URL: dev.Gateway, Tenant: dev.Tenant, Token: dev.Token})
}

// deliveredTo says whether an event has arrived at an endpoint, at the first attempt.
func deliveredTo(e api.Event, endpointID string) bool {
	for _, d := range e.Deliveries {
		if d.EndpointID == endpointID {
			return d.Status == api.DeliveryDelivered && len(d.Attempts) == 1
		}
	}
	return false
}

// eventsOf finds the events a source has brought since a time. An event shows in the list a moment
// after it was accepted.
func eventsOf(ctx context.Context, hookloop *client.Client, sourceID, eventType string, since time.Time) (found []api.Event, err error) {
	query := api.EventQuery{Type: eventType, After: since.UTC().Format(time.RFC3339)}
	for line, err := range hookloop.Events.List(query).All(ctx) {
		if err != nil {
			return nil, err
		}
		e, err := hookloop.Events.Get(line.ID).Do(ctx)
		if err != nil {
			return nil, err
		}
		if e.Origin != nil && e.Origin.SourceID == sourceID {
			found = append(found, e)
		}
	}
	return found, nil
}

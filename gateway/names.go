package gateway

import (
	"context"
	"log/slog"
	"slices"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// names gives what people know endpoints by. They are beside the answer, not the answer: a registry
// out of reach leaves them out.
func (g *Gateway) names(ctx context.Context, tenant string, ids []string) map[string]*api.EndpointName {
	if len(ids) == 0 {
		return nil
	}
	found, err := g.attempts.EndpointNames(ctx, tenant, slices.Compact(slices.Sorted(slices.Values(ids))))
	if err != nil {
		g.log.Warn("endpoint names", slog.String("error", err.Error()))
	}
	all := make(map[string]*api.EndpointName, len(found))
	for _, n := range found {
		name := nameOf(n)
		all[n.ID] = &name
	}
	return all
}

func nameOf(n webhook.EndpointName) api.EndpointName {
	return api.EndpointName{Host: n.Host(), Description: n.Description, State: n.State}
}

// namesOf gives the names of the endpoints of deliveries.
func (g *Gateway) nameDeliveries(ctx context.Context, tenant string, all []api.Delivery) []api.Delivery {
	ids := make([]string, len(all))
	for i, d := range all {
		ids[i] = d.EndpointID
	}
	names := g.names(ctx, tenant, ids)
	for i := range all {
		all[i].Endpoint = names[all[i].EndpointID]
	}
	return all
}

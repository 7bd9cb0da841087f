package gateway

import (
	"context"
	"maps"
	"math"
	"time"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/confined"
	"hookloop/gateway/wellformed"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// hidden stands for the value of a header in the eyes of a token that may not change it.
const hidden = "***"

// show shows an endpoint to the token that asks. Headers hold credentials: only a token that may
// set them reads their values.
func show(ctx context.Context, e webhook.Endpoint) api.Endpoint {
	s := settings(e)
	shown := api.Endpoint{
		ID: e.ID, URL: s.URL, Host: webhook.HostOf(s.URL), State: e.State, StateReason: e.StateReason, Description: s.Description, Owner: s.Owner, Version: e.Version,
		EventTypes: append([]string{}, s.EventTypes...),
		Headers:    copied(s.Headers), Metadata: copied(s.Metadata),
		Schedule: durations(e.ScheduleOrDefault()), Timeout: api.Duration(e.TimeoutOrDefault()),
		RateLimit:   s.RateLimit,
		Approval:    api.ApprovalPolicy{After: api.Duration(e.Approval.AfterOrDefault()), Timeout: api.Duration(e.Approval.TimeoutOrDefault()), Named: e.Approval.Named},
		Application: s.Application, Echo: s.Echo, Request: s.Request,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if auth.Of(ctx).IsConfined() { // metadata and headers are the app's, and headers hold its credentials
		shown.Metadata, shown.StateReason = map[string]string{}, confined.Reason(ctx, shown.StateReason)
	}
	if !auth.Of(ctx).Holds(api.EndpointsWrite) || auth.Of(ctx).IsConfined() {
		for name := range shown.Headers {
			shown.Headers[name] = hidden
		}
	}
	return shown
}

// settings are what an app has set of an endpoint, without the defaults.
func settings(e webhook.Endpoint) api.NewEndpoint {
	return api.NewEndpoint{
		URL: e.URL, EventTypes: e.EventTypes, Description: e.Description, Owner: e.Owner, Headers: e.Headers, Metadata: e.Metadata,
		Schedule: durations(e.Schedule), Timeout: api.Duration(e.Timeout), RateLimit: api.RateLimit(e.RateLimit),
		Approval:    api.ApprovalPolicy{After: api.Duration(e.Approval.After), Timeout: api.Duration(e.Approval.Timeout), Named: e.Approval.Named},
		Application: e.Application, Echo: api.Echo{Back: e.EchoBack, Paths: api.EchoPaths(e.Echo)}, Request: api.RequestShape(e.Request),
	}
}

// setEndpoint sets all of them, or refuses what the types of api cannot.
func (g *Gateway) setEndpoint(e *webhook.Endpoint, s api.NewEndpoint) (err error) {
	if e.URL == "" || s.URL != e.URL {
		if e.URL, err = g.urls.URL(s.URL); err != nil {
			return err
		}
	}
	e.EventTypes, e.Description, e.Owner, e.Headers, e.Metadata = s.EventTypes, s.Description, s.Owner, s.Headers, s.Metadata
	e.Schedule = nil
	for _, wait := range s.Schedule {
		e.Schedule = append(e.Schedule, time.Duration(wait))
	}
	e.Timeout, e.RateLimit = time.Duration(s.Timeout), webhook.RateLimit(s.RateLimit)
	if e.RateLimit.PerSecond > 0 && e.RateLimit.Burst == 0 { // one second's worth
		e.RateLimit.Burst = max(1, int(math.Ceil(e.RateLimit.PerSecond)))
	}
	e.Approval = webhook.ApprovalPolicy{After: time.Duration(s.Approval.After), Timeout: time.Duration(s.Approval.Timeout), Named: s.Approval.Named}
	e.Application, e.EchoBack, e.Echo, e.Request = s.Application, s.Echo.Back, webhook.EchoPaths(s.Echo.Paths), webhook.RequestShape(s.Request)
	return wellformed.Endpoint(e)
}

// firstSecret is the one that signs for a new endpoint: given, or drawn.
func firstSecret(given string) ([]webhook.EndpointSecret, error) {
	if given == "" {
		return []webhook.EndpointSecret{{Secret: signature.NewSecret()}}, nil
	}
	s, err := signature.ParseSecret(given)
	if err != nil {
		return nil, webhook.Invalidf("secret", "%v", signature.ErrSecret)
	}
	return []webhook.EndpointSecret{{Secret: s}}, nil
}

func durations(s webhook.Schedule) (all []api.Duration) {
	for _, wait := range s {
		all = append(all, api.Duration(wait))
	}
	return all
}

// copied is never nil and never shares memory with m.
func copied(m map[string]string) map[string]string {
	c := map[string]string{}
	maps.Copy(c, m)
	return c
}

// nameDeliveries adds the names of the endpoints of deliveries.
func (g *Gateway) nameDeliveries(ctx context.Context, tenant string, all []api.Delivery) []api.Delivery {
	names := g.stats.Names(ctx, tenant, idsOf(all, func(d api.Delivery) string { return d.EndpointID }))
	for i := range all {
		all[i].Endpoint = names[all[i].EndpointID]
	}
	return all
}

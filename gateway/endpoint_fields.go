package gateway

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/gateway/schema"
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
	if confinedTo(ctx).IsConfined() { // metadata and headers are the app's, and headers hold its credentials
		shown.Metadata, shown.StateReason = map[string]string{}, reasonFor(ctx, shown.StateReason)
	}
	if !holds(ctx, api.EndpointsWrite) || confinedTo(ctx).IsConfined() {
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
		if e.URL, err = g.normalURL(s.URL); err != nil {
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
	return checkEndpoint(e)
}

func checkEndpoint(e *webhook.Endpoint) error {
	for _, err := range []error{
		checkTypes(e.EventTypes), checkHeaders(e.Headers), checkMetadata(e.Metadata), e.Schedule.Check(), checkApplication(e.Application),
	} {
		if err != nil {
			return err
		}
	}
	if e.Application == "" && (e.EchoBack || !e.Echo.IsZero()) {
		return webhook.Invalidf("application", "is required with echo: it says whose events and echoes are meant")
	}
	return nil
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

func checkTypes(all []string) error {
	for i, t := range all {
		if !webhook.IsTypePattern(t) {
			return webhook.Invalidf(schema.At("event_types", i), `%s; or "order.*" for every type below "order.", or "*" for every type`, webhook.TypeGrammar)
		}
		if slices.Contains(all[:i], t) {
			return webhook.Invalidf(schema.At("event_types", i), "appears twice")
		}
	}
	return nil
}

// Bounds of the names and values of maps, in bytes: an endpoint is read for every attempt, and has
// to stay small.
const (
	maxURL           = 2048
	maxHeaderName    = 128
	maxHeaderValue   = 4 << 10
	maxMetadataKey   = 64
	maxMetadataValue = 1 << 10
)

func checkHeaders(all map[string]string) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := checkHeader(name, all[name]); err != nil {
			return err
		}
		lower := strings.ToLower(name)
		if seen[lower] {
			return webhook.Invalidf("headers."+name, "appears twice, but for upper and lower case")
		}
		seen[lower] = true
	}
	return nil
}

func checkHeader(name, value string) error {
	if len(name) == 0 || len(name) > maxHeaderName || strings.ContainsFunc(name, notToken) {
		return webhook.Invalidf("headers", "has the name %.64q, which is not an HTTP header's", name)
	}
	switch {
	case webhook.ReservedHeader(name):
		return webhook.Invalidf("headers."+name, "is set by Hookloop or belongs to the connection: it cannot be chosen")
	case len(value) > maxHeaderValue:
		return webhook.Invalidf("headers."+name, "has %d bytes, at most %d are allowed", len(value), maxHeaderValue)
	case strings.ContainsFunc(value, isControl):
		return webhook.Invalidf("headers."+name, "contains a line break or another control character")
	}
	return nil
}

// notToken says whether r may not stand in a header's name (RFC 9110, section 5.6.2).
func notToken(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func isControl(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }

func checkMetadata(all map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if len(key) == 0 || len(key) > maxMetadataKey {
			return webhook.Invalidf("metadata", "has the key %.64q; keys have 1 to %d bytes", key, maxMetadataKey)
		}
		if n := len(all[key]); n > maxMetadataValue {
			return webhook.Invalidf("metadata."+key, "has %d bytes, at most %d are allowed", n, maxMetadataValue)
		}
	}
	return nil
}

// checkApplication refuses what is not spelt as tenants are.
func checkApplication(name string) error {
	if name == "" {
		return nil
	}
	return webhook.CheckApplication(name)
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

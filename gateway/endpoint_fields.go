package gateway

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// rules are the fields of an endpoint an app may set, and what each accepts. Creating and patching
// go through the same ones: a value that could not be created cannot be patched in either.
type rules struct {
	allowLoopback bool
	allowNetworks []netip.Prefix
}

func (g *Gateway) rules() rules {
	return rules{allowLoopback: g.allowLoopback, allowNetworks: g.allowNetworks}
}

// create reads a new endpoint.
func (r rules) create(e *webhook.Endpoint, all []field) (err error) {
	for _, f := range all {
		if f.name == "secret" {
			err = setSecret(e, f)
		} else {
			err = r.set(e, f)
		}
		if err != nil {
			return err
		}
	}
	if e.URL == "" {
		return webhook.Invalidf("url", "is required")
	}
	return checkEcho(e)
}

// checkEcho refuses an echo nobody could recognise.
func checkEcho(e *webhook.Endpoint) error {
	if e.Application == "" && (e.EchoBack || !e.Echo.IsZero()) {
		return webhook.Invalidf("application", "is required with echo: it says whose events and echoes are meant")
	}
	return nil
}

// patch merges a change into an endpoint (RFC 7396): what is absent stays, null goes back to the
// default.
func (r rules) patch(e *webhook.Endpoint, change []field) error {
	for _, f := range change {
		if f.name == "secret" {
			return webhook.Invalidf("secret", "cannot be patched: POST …/secret/rotate gives the endpoint a new one")
		}
		if err := r.set(e, f); err != nil {
			return err
		}
	}
	return checkEcho(e)
}

func (r rules) set(e *webhook.Endpoint, f field) (err error) {
	switch f.name {
	case "url":
		return r.setURL(e, f)
	case "event_types":
		e.EventTypes, err = eventTypes(f)
	case "description":
		e.Description, err = description(f)
	case "headers":
		e.Headers, err = headers(e.Headers, f)
	case "metadata":
		e.Metadata, err = metadata(e.Metadata, f)
	case "schedule":
		e.Schedule, err = schedule(f)
	case "timeout":
		e.Timeout, err = timeout(f)
	case "rate_limit":
		e.RateLimit, err = rateLimit(e.RateLimit, f)
	case "approval":
		e.Approval, err = approvalPolicy(e.Approval, f)
	case "application":
		e.Application, err = application(f)
	case "echo":
		e.EchoBack, e.Echo, err = endpointEcho(f)
	case "request":
		e.Request, err = shapeOf(e.Request, f)
	default:
		err = webhook.Invalidf(f.name, "is not a field of an endpoint (url, event_types, description, headers, secret, schedule, timeout, rate_limit, approval, application, echo, request, metadata)")
	}
	return err
}

func (r rules) setURL(e *webhook.Endpoint, f field) error {
	var raw string
	if f.isNull() || json.Unmarshal(f.value, &raw) != nil {
		return webhook.Invalidf("url", "must be a string")
	}
	normal, err := r.normalURL(raw)
	if err != nil {
		return err
	}
	e.URL = normal
	return nil
}

func setSecret(e *webhook.Endpoint, f field) error {
	if f.isNull() {
		return nil // the one drawn stays
	}
	var raw string
	if json.Unmarshal(f.value, &raw) != nil {
		return webhook.Invalidf("secret", "must be a string")
	}
	s, err := signature.ParseSecret(raw)
	if err != nil {
		return webhook.Invalidf("secret", "%v", signature.ErrSecret)
	}
	e.Secrets = []webhook.EndpointSecret{{Secret: s}}
	return nil
}

func eventTypes(f field) ([]string, error) {
	var all []string
	if json.Unmarshal(f.value, &all) != nil {
		return nil, webhook.Invalidf("event_types", "must be a list of strings")
	}
	if len(all) > maxEventTypes {
		return nil, webhook.Invalidf("event_types", "has %d entries, at most %d are allowed", len(all), maxEventTypes)
	}
	for i, t := range all {
		if !webhook.IsTypePattern(t) {
			return nil, webhook.Invalidf(at("event_types", i), `%s; or "order.*" for every type below "order.", or "*" for every type`, webhook.TypeGrammar)
		}
		if slices.Contains(all[:i], t) {
			return nil, webhook.Invalidf(at("event_types", i), "appears twice")
		}
	}
	return all, nil
}

func schedule(f field) (webhook.Schedule, error) {
	var all []json.RawMessage
	if json.Unmarshal(f.value, &all) != nil {
		return nil, webhook.Invalidf("schedule", `must be a list of durations like "30s"`)
	}
	if all != nil && len(all) == 0 {
		return nil, webhook.Invalidf("schedule", "must have at least one entry")
	}
	if len(all) > webhook.MaxScheduleEntries {
		return nil, make(webhook.Schedule, len(all)).Check()
	}
	var s webhook.Schedule
	for i, raw := range all {
		wait, err := parseDuration(at("schedule", i), raw)
		if err != nil {
			return nil, err
		}
		s = append(s, wait)
	}
	return s, s.Check()
}

func timeout(f field) (time.Duration, error) {
	if f.isNull() {
		return 0, nil
	}
	d, err := parseDuration("timeout", f.value)
	if err != nil {
		return 0, err
	}
	if d < webhook.MinTimeout || d > webhook.MaxTimeout {
		return 0, webhook.Invalidf("timeout", "must lie between %q and %q", duration(webhook.MinTimeout), duration(webhook.MaxTimeout))
	}
	return d, nil
}

func parseDuration(field string, value json.RawMessage) (time.Duration, error) {
	var s string
	if json.Unmarshal(value, &s) == nil {
		if d, err := time.ParseDuration(s); err == nil {
			return d, nil
		}
	}
	return 0, webhook.Invalidf(field, `must be a duration like "30s" or "24h"`)
}

// duration writes a duration without the zeros time.Duration ends with: 24h, not 24h0m0s.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func durations(s webhook.Schedule) []string {
	all := make([]string, len(s))
	for i, d := range s {
		all[i] = duration(d)
	}
	return all
}

// merged is a map with a change merged in, of which null removes an entry. It is never nil and
// never shares memory with now.
func merged(now map[string]string, change map[string]*string) map[string]string {
	next := map[string]string{}
	maps.Copy(next, now)
	for k, v := range change {
		if v == nil {
			delete(next, k)
		} else {
			next[k] = *v
		}
	}
	return next
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

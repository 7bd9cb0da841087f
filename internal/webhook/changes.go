package webhook

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// setting is a field of an endpoint or a source as the change log may show it.
type setting struct {
	field, shown string
	secret       string // compared, and never shown
}

// What the change log says of what it may not show.
const (
	changeSet     = "set"
	changeChanged = "changed"
)

// diff tells what is different, field by field in the order of both.
func diff(before, after []setting) []AuditChange {
	was := map[string]setting{}
	for _, s := range before {
		was[s.field] = s
	}
	var all []AuditChange
	for _, now := range after {
		all = appendChange(all, was[now.field], now)
		delete(was, now.field)
	}
	for _, s := range before {
		if _, gone := was[s.field]; gone {
			all = appendChange(all, s, setting{field: s.field})
		}
	}
	return all
}

func appendChange(all []AuditChange, was, now setting) []AuditChange {
	if was.shown == now.shown && was.secret == now.secret {
		return all
	}
	c := AuditChange{Field: now.field, From: was.shown, To: now.shown}
	switch {
	case now.secret == was.secret:
	case now.secret == "" && was.shown == "":
		c.From = changeSet
	case now.secret == "":
	case was.secret == "" && now.shown == "":
		c.To = changeSet
	case was.shown == now.shown: // all that is different is secret
		c.From, c.To = "", changeChanged
	}
	return append(all, c)
}

// Changes tells what is different in next, for the change log: never a secret.
func (e Endpoint) Changes(next Endpoint) []AuditChange { return diff(e.settings(), next.settings()) }

// settings are all that people and apps set of an endpoint, and what follows from their decisions.
func (e Endpoint) settings() []setting {
	all := []setting{urlSetting("url", e.URL)}
	all = append(all,
		setting{field: "event_types", shown: jsonUnless(len(e.EventTypes) == 0, e.EventTypes)},
		setting{field: "description", shown: e.Description},
		setting{field: "owner", shown: e.Owner},
		setting{field: "metadata", shown: jsonUnless(len(e.Metadata) == 0, e.Metadata)},
		setting{field: "schedule", shown: jsonUnless(len(e.Schedule) == 0, e.Schedule)},
		setting{field: "timeout", shown: durationOf(e.Timeout)},
		setting{field: "rate_limit", shown: jsonUnless(e.RateLimit.IsZero(), e.RateLimit)},
		setting{field: "approval.after", shown: durationOf(e.Approval.After)},
		setting{field: "approval.timeout", shown: durationOf(e.Approval.Timeout)},
		setting{field: "approval.named", shown: boolOf(e.Approval.Named)},
		setting{field: "application", shown: e.Application},
		setting{field: "echo", shown: jsonUnless(e.Echo.IsZero(), e.Echo)},
		setting{field: "echo.back", shown: boolOf(e.EchoBack)},
		setting{field: "request", shown: jsonUnless(e.Request.IsZero(), e.Request)},
		setting{field: "state", shown: string(e.State)},
		setting{field: "state_reason", shown: e.StateReason},
	)
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		all = append(all, setting{field: "headers." + name, secret: "=" + e.Headers[name]})
	}
	for _, s := range e.Secrets[:min(len(e.Secrets), 1)] {
		all = append(all, setting{field: "secret", secret: s.Secret.Reveal()})
	}
	return all
}

// URLHost is all of an endpoint's URL that may be shown: the rest may be a secret.
func (e Endpoint) URLHost() string { return HostOf(e.URL) }

// urlSetting shows scheme and host.
func urlSetting(field, raw string) setting {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return setting{field: field, secret: raw}
	}
	shown := u.Scheme + "://" + u.Host
	if u.RequestURI() != "/" {
		shown += "/…"
	}
	return setting{field: field, shown: shown, secret: raw}
}

// Changes tells what is different in next, for the change log: never a secret.
func (s Source) Changes(next Source) []AuditChange { return diff(s.settings(), next.settings()) }

func (s Source) settings() []setting {
	return []setting{
		{field: "provider", shown: s.Provider},
		{field: "name", shown: s.Name},
		{field: "config", secret: s.Config.Reveal()},
		{field: "type_prefix", shown: s.TypePrefix},
		{field: "application", shown: s.Application},
		{field: "echo", shown: jsonUnless(s.Echo.IsZero(), s.Echo)},
	}
}

func durationOf(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func boolOf(b bool) string {
	if !b {
		return ""
	}
	return strconv.FormatBool(b)
}

// jsonUnless writes a list, map or struct, but nothing for an empty one.
func jsonUnless(empty bool, v any) string {
	if empty {
		return ""
	}
	raw, _ := json.Marshal(v) // of texts and numbers: it always can
	return string(raw)
}

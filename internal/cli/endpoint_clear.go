package cli

import (
	"strings"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// clearable are the fields that have a default to go back to, and how.
var clearable = []struct {
	field string
	clear func(*api.EndpointChange) (cleared bool)
}{
	{"event_types", func(c *api.EndpointChange) bool { return clearField(&c.EventTypes) }},
	{"description", func(c *api.EndpointChange) bool { return clearField(&c.Description) }},
	{"headers", func(c *api.EndpointChange) bool { return clearField(&c.Headers) }},
	{"metadata", func(c *api.EndpointChange) bool { return clearField(&c.Metadata) }},
	{"schedule", func(c *api.EndpointChange) bool { return clearField(&c.Schedule) }},
	{"timeout", func(c *api.EndpointChange) bool { return clearField(&c.Timeout) }},
	{"rate_limit", func(c *api.EndpointChange) bool { return clearField(&c.RateLimit) }},
	{"approval", func(c *api.EndpointChange) bool { return clearField(&c.Approval) }},
	{"application", func(c *api.EndpointChange) bool { return clearField(&c.Application) }},
	{"echo", func(c *api.EndpointChange) bool { return clearField(&c.Echo) }},
	{"request", func(c *api.EndpointChange) bool { return clearField(&c.Request) }},
}

// clearableNames is what --clear takes, for people.
func clearableNames() string {
	var names strings.Builder
	for _, c := range clearable {
		names.WriteString(c.field + ", ")
	}
	return names.String() + "headers.NAME, metadata.KEY, approval.after, approval.timeout"
}

// clearField clears a field, unless it is set already.
func clearField[T any](p *api.Patch[T]) bool {
	if !p.IsZero() {
		return false
	}
	*p = api.Clear[T]()
	return true
}

// clearFields clears the whole fields that --clear names.
func (e *endpointFlags) clearFields(to *api.EndpointChange) error {
	for _, name := range e.clear {
		if strings.Contains(name, ".") {
			continue // an entry
		}
		known := false
		for _, c := range clearable {
			if c.field != name {
				continue
			}
			if known = true; !c.clear(to) {
				return terminal.Usage("%s is set and cleared at once", name)
			}
		}
		if !known {
			return terminal.Usage("--clear takes %s, not %q", clearableNames(), name)
		}
	}
	return nil
}

// clearEntry clears one entry of a field that has entries, unless it is set already.
func clearEntry(field, key string, headers, metadata map[string]*string, approval *api.ApprovalChange) error {
	cleared := false
	switch {
	case field == "headers" && key != "":
		cleared = clearPair(headers, key)
	case field == "metadata" && key != "":
		cleared = clearPair(metadata, key)
	case field == "approval" && key == "after":
		cleared = clearField(&approval.After)
	case field == "approval" && key == "timeout":
		cleared = clearField(&approval.Timeout)
	default:
		return terminal.Usage("--clear takes %s, not %q", clearableNames(), field+"."+key)
	}
	if !cleared {
		return terminal.Usage("%s.%s is set and cleared at once", field, key)
	}
	return nil
}

func clearPair(pairs map[string]*string, key string) bool {
	_, set := pairs[key]
	if !set {
		pairs[key] = nil
	}
	return !set
}

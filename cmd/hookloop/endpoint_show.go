package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"hookloop/internal/webhook"
)

func showEndpoint(w io.Writer, e endpointView) error {
	t := columns(w)
	row(t, "id", e.ID)
	row(t, "url", e.URL)
	row(t, "state", because(e.State, e.StateReason))
	row(t, "event types", e.types())
	if e.Description != "" {
		row(t, "description", e.Description)
	}
	pairRows(t, "header", ": ", e.Headers)
	pairRows(t, "metadata", "=", e.Metadata)
	row(t, "schedule", strings.Join(e.Schedule, ", "))
	row(t, "timeout", e.Timeout)
	policyRows(t, e)
	if e.Breaker != "" {
		row(t, "breaker", e.Breaker)
	}
	if e.Secret != "" {
		row(t, "secret", e.Secret)
	}
	return t.Flush()
}

func policyRows(w io.Writer, e endpointView) {
	if e.RateLimit != nil {
		row(w, "rate limit", e.RateLimit.String())
	}
	if e.Approval != nil {
		row(w, "approval", e.Approval.String())
	}
	if e.Application != "" {
		row(w, "application", e.Application)
	}
	if e.Echo != nil {
		e.Echo.rows(w)
	}
	if e.Request != nil {
		e.Request.rows(w)
	}
}

func pairRows(w io.Writer, name, between string, pairs map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		row(w, name, key+between+pairs[key])
	}
}

// showCreated ends with a line that shows the new endpoint at work.
func showCreated(w io.Writer, e endpointView) error {
	if err := showEndpoint(w, e); err != nil {
		return err
	}
	eventType := "contact.updated"
	if len(e.EventTypes) > 0 && e.EventTypes[0] != webhook.EveryType {
		eventType = strings.Replace(e.EventTypes[0], ".*", ".created", 1) // a type that "order.*" stands for
	}
	_, err := fmt.Fprintf(w, "\nNext: hookloop event send --type %s --data '{\"id\": 1}' --wait\n", oneLine(eventType))
	return err
}

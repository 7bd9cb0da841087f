package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func showEndpoint(w io.Writer, e endpointView) error {
	t := terminal.Columns(w)
	terminal.Row(t, "id", e.ID)
	terminal.Row(t, "url", e.URL)
	terminal.Row(t, "state", because(e.State, e.StateReason))
	terminal.Row(t, "event types", e.types())
	if e.Description != "" {
		terminal.Row(t, "description", e.Description)
	}
	pairRows(t, "header", ": ", e.Headers)
	pairRows(t, "metadata", "=", e.Metadata)
	terminal.Row(t, "schedule", strings.Join(e.Schedule, ", "))
	terminal.Row(t, "timeout", e.Timeout)
	policyRows(t, e)
	if e.Breaker != "" {
		terminal.Row(t, "breaker", e.Breaker)
	}
	if e.Secret != "" {
		terminal.Row(t, "secret", e.Secret)
	}
	return t.Flush()
}

func policyRows(w io.Writer, e endpointView) {
	if e.RateLimit != nil {
		terminal.Row(w, "rate limit", e.RateLimit.String())
	}
	if e.Approval != nil {
		terminal.Row(w, "approval", e.Approval.String())
	}
	if e.Application != "" {
		terminal.Row(w, "application", e.Application)
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
		terminal.Row(w, name, key+between+pairs[key])
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
	_, err := fmt.Fprintf(w, "\nNext: hookloop event send --type %s --data '{\"id\": 1}' --wait\n", terminal.OneLine(eventType))
	return err
}

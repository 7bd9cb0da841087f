package cli

import (
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func showEndpoint(w io.Writer, e api.Endpoint) error {
	t := terminal.Columns(w)
	terminal.Row(t, "id", e.ID)
	terminal.Row(t, "url", e.URL)
	terminal.Row(t, "state", because(string(e.State), e.StateReason))
	terminal.Row(t, "event types", typesOf(e))
	terminal.Fact(t, "description", e.Description)
	terminal.Fact(t, "owner", e.Owner)
	pairRows(t, "header", ": ", e.Headers)
	pairRows(t, "metadata", "=", e.Metadata)
	terminal.Row(t, "schedule", schedule(e))
	terminal.Row(t, "timeout", e.Timeout.String())
	policyRows(t, e)
	terminal.Fact(t, "breaker", e.Breaker)
	endpointRows(t, e.Activity, time.Now())
	terminal.Fact(t, "secret", e.Secret)
	return t.Flush()
}

func policyRows(w io.Writer, e api.Endpoint) {
	if e.RateLimit != (api.RateLimit{}) {
		terminal.Row(w, "rate limit", describeRate(e.RateLimit))
	}
	if e.Approval != (api.ApprovalPolicy{}) {
		terminal.Row(w, "approval", describePolicy(e.Approval))
	}
	terminal.Fact(w, "application", e.Application)
	switch {
	case e.Echo.Back:
		terminal.Row(w, "echo", "also what came from its own application")
	case !e.Echo.IsZero():
		echoRows(w, e.Echo.Paths)
	}
	requestRows(w, e.Request)
}

func pairRows(w io.Writer, name, between string, pairs map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		terminal.Row(w, name, key+between+pairs[key])
	}
}

// showCreated ends with a line that shows the new endpoint at work.
func showCreated(w io.Writer, e api.Endpoint) error {
	if err := showEndpoint(w, e); err != nil {
		return err
	}
	eventType := "contact.updated"
	if len(e.EventTypes) > 0 && e.EventTypes[0] != webhook.EveryType {
		eventType = strings.Replace(e.EventTypes[0], ".*", ".created", 1) // a type that "order.*" stands for
	}
	return terminal.Say(w, "\nNext: hookloop event send --type %s --data '{\"id\": 1}' --wait\n", eventType)
}

func schedule(e api.Endpoint) string {
	var waits []string
	for _, d := range e.Schedule {
		waits = append(waits, d.String())
	}
	return strings.Join(waits, ", ")
}

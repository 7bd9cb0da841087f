package cli

import (
	"strings"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// named is an endpoint for people: its id, and where it is.
func named(id string, n *api.EndpointName) string {
	return strings.TrimSpace(terminal.OneLine(id) + "  " + nameOf(n))
}

// nameOf is what people know an endpoint by; empty: it was deleted.
func nameOf(n *api.EndpointName) string {
	switch {
	case n == nil:
		return ""
	case n.Description == "":
		return terminal.OneLine(n.Host)
	}
	return terminal.OneLine(n.Host + " (" + shortened(n.Description, 40) + ")")
}

// shortened keeps the beginning of a text, in characters.
func shortened(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

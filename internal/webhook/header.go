package webhook

import (
	"slices"
	"strings"
)

// HeaderHops tells how often an event has passed through Hookloop. Apps that post what follows from
// the event send it along, as with CDN-Loop (RFC 8586): a loop without echoes shows by it.
const HeaderHops = "hookloop-hops"

// reservedHeaders are those that Hookloop sets itself, and those that say how a request is framed
// or belong to the connection: it could not be read, or not be sent, with another value.
var reservedHeaders = []string{
	"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive",
	"te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent",
}

// reservedPrefixes begin the names of such headers. A proxy's are for a hop that Hookloop does not
// use.
var reservedPrefixes = []string{"webhook-", "hookloop-", "proxy-"}

// ReservedHeader says whether an endpoint's owner cannot choose a header. The API refuses it; the
// sender would not send it.
func ReservedHeader(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(reservedHeaders, name) ||
		slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// ReservedHeaders lists the names and, with a * at their end, the beginnings of names.
func ReservedHeaders() []string {
	all := slices.Clone(reservedHeaders)
	for _, p := range reservedPrefixes {
		all = append(all, p+"*")
	}
	return all
}

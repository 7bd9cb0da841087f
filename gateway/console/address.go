package console

import "net/url"

// Pages are the addresses of pages for those who are told of them elsewhere: events of our own
// carry them.
type Pages struct {
	Base string // where people reach the gateway, without a slash at its end
}

// Endpoint is the page where an endpoint is decided about.
func (p Pages) Endpoint(tenant, id string) string { return p.page(tenant, "endpoints", id) }

// Event is an event's page.
func (p Pages) Event(tenant, id string) string { return p.page(tenant, "events", id) }

func (p Pages) page(tenant, kind, id string) string {
	return p.Base + Path + "/t/" + url.PathEscape(tenant) + "/" + kind + "/" + url.PathEscape(id)
}

package client

import (
	"net/http"

	"hookloop/api"
)

// Portal is what the owners of endpoints are shown, and the links that open it.
type Portal struct{ scope }

// EndpointLink makes a link that opens the portal for one endpoint.
func (p Portal) EndpointLink(endpointID string, n api.NewPortalLink) Call[api.PortalLink] {
	return call[api.PortalLink](p.scope, http.MethodPost, "endpoints", endpointID, "portal").with(n)
}

// OwnerLink makes a link that opens the portal for all endpoints of an owner.
func (p Portal) OwnerLink(n api.NewOwnerPortalLink) Call[api.PortalLink] {
	return call[api.PortalLink](p.scope, http.MethodPost, "portal", "links").with(n)
}

// Links lists links, the newest first.
func (p Portal) Links(query api.PortalLinkQuery) List[api.PortalLink] {
	return list[api.PortalLink](p.scope, query, "portal", "links")
}

// Revoke ends a link for good, everywhere within seconds.
func (p Portal) Revoke(linkID string) Call[api.PortalLink] {
	return call[api.PortalLink](p.scope, http.MethodDelete, "portal", "links", linkID)
}

// Settings shows where the portal may be embedded, and how it looks.
func (p Portal) Settings() Call[api.PortalSettings] {
	return call[api.PortalSettings](p.scope, http.MethodGet, "portal", "settings")
}

// Set changes them; fields of the change that are zero stay as they are.
func (p Portal) Set(change api.PortalSettingsChange) Call[api.PortalSettings] {
	return call[api.PortalSettings](p.scope, http.MethodPatch, "portal", "settings").with(change)
}

package api

import "time"

// NewPortalLink asks for a link that lets the owner of endpoints look after them.
type NewPortalLink struct {
	TTL      Duration `json:"ttl,omitzero" shortest:"1m" longest:"24h" doc:"How long the link is good. Absent: 1h." example:"1h"`
	ReadOnly bool     `json:"read_only,omitempty" doc:"true: it only shows."`
}

// NewOwnerPortalLink asks for a link to all endpoints of an owner, those still to be made among
// them.
type NewOwnerPortalLink struct {
	Owner    string   `json:"owner" minLength:"1" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]+$" patternDescription:"text without control characters" doc:"Whose endpoints it is for: as in their owner." example:"customer-4711"`
	TTL      Duration `json:"ttl,omitzero" shortest:"1m" longest:"24h" doc:"How long the link is good. Absent: 1h." example:"1h"`
	ReadOnly bool     `json:"read_only,omitempty" doc:"true: it only shows."`
}

// PortalLink is a link to the portal.
type PortalLink struct {
	ID         string     `json:"id" example:"lnk_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	EndpointID string     `json:"endpoint_id,omitempty" doc:"The endpoint it is for. Absent: all of the owner's." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Owner      string     `json:"owner,omitempty" doc:"Whose endpoints it is for. Absent: one endpoint's." example:"customer-4711"`
	Scopes     []string   `json:"scopes" doc:"What it may, at the endpoints it is for: no more than the token that made it." example:"[\"endpoints:read\",\"events:read\"]"`
	By         string     `json:"by" doc:"Who made it."`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty" doc:"Absent: it was not."`
	RevokedBy  string     `json:"revoked_by,omitempty"`
	Live       bool       `json:"live" doc:"It is good now."`
	URL        string     `json:"url,omitempty" doc:"Only in the answer that made it. The person who has it has the link: show it to no one else, and write it into no log. What follows the # never leaves a browser." example:"https://hooks.example.com/portal/acme#hkp_…"`
	Token      string     `json:"token,omitempty" doc:"Only in the answer that made it: what follows the # in url. It is a bearer token of this API, too."`
}

// PortalLinkQuery says which links are wanted.
type PortalLinkQuery struct {
	Endpoint string `query:"endpoint" pattern:"^ep_[0-9a-z]{26}$" doc:"Only those for this endpoint alone." example:"ep_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Owner    string `query:"owner" maxLength:"128" pattern:"^[^\\x00-\\x1f\\x7f]*$" patternDescription:"text without control characters" doc:"Only those for all endpoints of this owner." example:"customer-4711"`
	Live     bool   `query:"live" doc:"true: only those that are good now."`
	PageQuery
}

// PortalSettings are how a tenant shows the portal.
type PortalSettings struct {
	Origins []string    `json:"origins,omitempty" maxItems:"20" doc:"Origins of the pages that may show the portal in a frame: https://host or https://host:port, for development also http://localhost:port. Absent or empty: none may." example:"[\"https://app.example.com\"]"`
	Theme   PortalTheme `json:"theme,omitzero" doc:"How it looks. Absent: like the console."`
}

// PortalSettingsChange is a change of PortalSettings (RFC 7396).
type PortalSettingsChange struct {
	Origins Patch[[]string]          `json:"origins,omitzero"`
	Theme   Patch[PortalThemeChange] `json:"theme,omitzero"`
}

// PortalTheme is how the portal looks.
type PortalTheme struct {
	Scheme string        `json:"scheme,omitempty" enum:"light,dark" doc:"Absent: as the browser prefers."`
	Light  PortalColours `json:"light,omitzero" doc:"Where it is light. Text must be readable: a contrast of 4.5 to what is behind it."`
	Dark   PortalColours `json:"dark,omitzero" doc:"Where it is dark, likewise."`
	Radius *int          `json:"radius,omitempty" minimum:"0" maximum:"24" doc:"Of corners, in pixels. Absent: 6." example:"4"`
}

// PortalThemeChange is a change of a PortalTheme.
type PortalThemeChange struct {
	Scheme Patch[string]              `json:"scheme,omitzero"`
	Light  Patch[PortalColoursChange] `json:"light,omitzero"`
	Dark   Patch[PortalColoursChange] `json:"dark,omitzero"`
	Radius Patch[int]                 `json:"radius,omitzero"`
}

// PortalColours are some of the portal's colours.
type PortalColours struct {
	Ink    string `json:"ink,omitempty" pattern:"^#[0-9a-fA-F]{6}$" patternDescription:"a colour like \"#1b1f24\"" doc:"Of text." example:"#1b1f24"`
	Paper  string `json:"paper,omitempty" pattern:"^#[0-9a-fA-F]{6}$" patternDescription:"a colour like \"#1b1f24\"" doc:"Behind it." example:"#ffffff"`
	Card   string `json:"card,omitempty" pattern:"^#[0-9a-fA-F]{6}$" patternDescription:"a colour like \"#1b1f24\"" doc:"Behind boxes." example:"#f6f8fa"`
	Accent string `json:"accent,omitempty" pattern:"^#[0-9a-fA-F]{6}$" patternDescription:"a colour like \"#1b1f24\"" doc:"Of links and buttons." example:"#0550ae"`
}

// PortalColoursChange is a change of PortalColours.
type PortalColoursChange struct {
	Ink    Patch[string] `json:"ink,omitzero"`
	Paper  Patch[string] `json:"paper,omitzero"`
	Card   Patch[string] `json:"card,omitzero"`
	Accent Patch[string] `json:"accent,omitzero"`
}

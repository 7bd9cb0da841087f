package webhook

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// What portal links are, unless they say otherwise. How long one may be good stands in api.
const (
	PortalLinkPrefix  = "lnk_"
	DefaultPortalLife = time.Hour
	// PortalLinkKept is how long a link that has ended stands in lists. Who made and who ended it
	// stands in the change log.
	PortalLinkKept = 7 * 24 * time.Hour
)

// PortalActor begins the names of those who act for the owner of endpoints: with a portal link, or
// with a token that is confined to endpoints. No other token's subject may begin so.
const PortalActor = "portal:"

// PortalLink lets the person who has it look after one endpoint, or all of an owner, for a while.
// What is kept proves nothing: the link itself is made of the id and a key.
type PortalLink struct {
	ID         string
	Tenant     string
	EndpointID string   // empty: all endpoints of Owner
	Owner      string   // empty: EndpointID alone
	Scopes     []string // at most those of who made it
	By         string   // who made it
	CreatedAt  time.Time
	ExpiresAt  time.Time
	RevokedAt  time.Time // zero: it was not
	RevokedBy  string
}

// Live says whether the link is good at time t.
func (l PortalLink) Live(t time.Time) bool { return l.RevokedAt.IsZero() && t.Before(l.ExpiresAt) }

// Of names whose endpoints a link is for: an owner, or one endpoint.
func (l PortalLink) Of() string {
	return cmp.Or(l.Owner, l.EndpointID)
}

// PortalLinkQuery says which of a tenant's links are wanted: the newest first, those before Before
// ("" starts at the newest), at most Limit.
type PortalLinkQuery struct {
	EndpointID string    // empty: of any
	Owner      string    // empty: of any
	Live       time.Time // only those that are good then; zero: all
	Before     string
	Limit      int
}

// PortalSettings are how a tenant shows the portal to owners of endpoints.
type PortalSettings struct {
	Origins   []string    `json:"origins,omitempty"` // of the pages that may show it in a frame; empty: none may
	Theme     PortalTheme `json:"theme,omitzero"`
	UpdatedAt time.Time   `json:"-"` // zero: never set
}

// PortalTheme is how the portal looks. The zero theme is the console's.
type PortalTheme struct {
	Scheme string        `json:"scheme,omitempty"` // light or dark; empty: as the browser prefers
	Light  PortalColours `json:"light,omitzero"`
	Dark   PortalColours `json:"dark,omitzero"`
	Radius *int          `json:"radius,omitempty"` // of corners, in pixels; nil: the console's
}

// PortalColours are colours as #rrggbb; an empty one is the console's.
type PortalColours struct {
	Ink    string `json:"ink,omitempty"`    // text
	Paper  string `json:"paper,omitempty"`  // behind it
	Card   string `json:"card,omitempty"`   // behind boxes
	Accent string `json:"accent,omitempty"` // links and buttons
}

// Changes tells what is different in next, for the change log.
func (s PortalSettings) Changes(next PortalSettings) []AuditChange {
	return diff(s.settings(), next.settings())
}

func (s PortalSettings) settings() []setting {
	return []setting{
		{field: "portal.origins", shown: jsonUnless(len(s.Origins) == 0, s.Origins)},
		{field: "portal.theme", shown: jsonUnless(s.Theme == PortalTheme{}, s.Theme)},
	}
}

// Clone is a copy that changes of s do not reach.
func (s PortalSettings) Clone() PortalSettings {
	s.Origins = slices.Clone(s.Origins)
	return s
}

// WithoutPeople is a reason as the owner of an endpoint reads it: who else decided, and in which
// words, is not theirs to know. What was done for the owner stays as it is.
func WithoutPeople(reason string) string {
	what, who, named := strings.Cut(reason, " by ")
	if !named || strings.HasPrefix(who, PortalActor) {
		return reason
	}
	return what
}

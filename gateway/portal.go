package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/gateway/portal"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/gateway/wellformed"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// Portals keeps portal links, and how tenants show the portal. Its errors carry webhook.NotFound or
// webhook.Conflict; one without a code means that it is out of reach.
type Portals interface {
	auth.LinkStore

	// CreatePortalLink keeps a link, unless the tenant has most live ones already.
	CreatePortalLink(ctx context.Context, l webhook.PortalLink, most int) error
	PortalLinks(ctx context.Context, tenant string, q webhook.PortalLinkQuery) ([]webhook.PortalLink, error)
	RevokePortalLink(ctx context.Context, tenant, id string, at time.Time) (webhook.PortalLink, error)
	PortalSettings(ctx context.Context, tenant string) (webhook.PortalSettings, error)
	ChangePortalSettings(ctx context.Context, tenant string, change func(*webhook.PortalSettings) error) (webhook.PortalSettings, error)
}

func (g *Gateway) portalRoutes(to huma.API) {
	const portal = "/v1/tenants/{tenant}/portal"
	route(g, to, operation{
		id: "create-portal-link", tag: tagPortal, cost: makes, method: http.MethodPost, path: "/v1/tenants/{tenant}/endpoints/{id}/portal", scope: api.EndpointsWrite, status: http.StatusCreated,
		summary: "Make a link that opens the portal for one endpoint",
		text: "The person who has the link sees the endpoint, its deliveries and attempts, what was sent and answered; resends, sends a test, shows and rotates the secret, pauses and resumes. " +
			"It may no more than the token that makes it, and sees nothing of other endpoints. Revoke it with `DELETE …/portal/links/{id}`.",
		example: map[string]any{"ttl": "1h"},
	}, g.createEndpointLink)
	route(g, to, operation{
		id: "create-owner-portal-link", tag: tagPortal, cost: makes, method: http.MethodPost, path: portal + "/links", scope: api.EndpointsWrite, status: http.StatusCreated,
		summary: "Make a link that opens the portal for all endpoints of an owner", text: "As for one endpoint; which endpoints the owner has is looked up at each use.",
		example: map[string]any{"owner": "customer-4711", "ttl": "1h"},
	}, g.createOwnerLink)
	route(g, to, operation{
		id: "list-portal-links", tag: tagPortal, method: http.MethodGet, path: portal + "/links", scope: api.EndpointsRead,
		summary: "List portal links", text: "The newest first, a week longer than they are good. Who made and revoked them stands in the audit for ever.",
	}, g.listPortalLinks)
	route(g, to, operation{
		id: "revoke-portal-link", tag: tagPortal, method: http.MethodDelete, path: portal + "/links/{id}", scope: api.EndpointsWrite,
		summary: "Revoke a portal link", text: "For good, and at every gateway within five seconds. Revoking it again changes nothing.",
	}, g.revokePortalLink)
	route(g, to, operation{
		id: "get-portal-settings", tag: tagPortal, method: http.MethodGet, path: portal + "/settings", scope: api.EndpointsRead,
		summary: "How the portal is shown",
	}, g.getPortalSettings)
	route(g, to, operation{
		id: "patch-portal-settings", tag: tagPortal, method: http.MethodPatch, path: portal + "/settings", scope: api.EndpointsWrite,
		summary: "Say where the portal may be embedded, and how it looks",
		text:    "Merges (RFC 7396). It counts at every gateway within five seconds.",
		example: map[string]any{"origins": []string{"https://app.example.com"}, "theme": map[string]any{"light": map[string]any{"accent": "#0550ae"}}},
	}, g.patchPortalSettings)
}

// What a link may at most, at the endpoints it is for. The same scopes allow more of a token that
// is not confined; confined has what they allow here.
var (
	portalReads = []string{api.EndpointsRead, api.EventsRead, api.EventsData}
	portalActs  = []string{api.EndpointsWrite, api.EventsWrite}
)

func (g *Gateway) createEndpointLink(ctx context.Context, in *inEndpoint[api.NewPortalLink]) (*answerOf[api.PortalLink], error) {
	if _, err := g.endpoint(ctx, in.Tenant, in.ID); err != nil {
		return nil, err
	}
	l := webhook.PortalLink{Tenant: in.Tenant, EndpointID: in.ID}
	return g.createLink(ctx, &in.request, l, in.value.TTL, in.value.ReadOnly)
}

func (g *Gateway) createOwnerLink(ctx context.Context, in *inTenant[api.NewOwnerPortalLink]) (*answerOf[api.PortalLink], error) {
	return g.createLink(ctx, &in.request, webhook.PortalLink{Tenant: in.Tenant, Owner: in.value.Owner}, in.value.TTL, in.value.ReadOnly)
}

// createLink keeps the link, and gives it to who asked, this once.
func (g *Gateway) createLink(ctx context.Context, r *request, l webhook.PortalLink, ttl api.Duration, readOnly bool) (*answerOf[api.PortalLink], error) {
	now := g.cfg.Now().UTC().Truncate(time.Millisecond)
	l.ID, l.By, l.CreatedAt = newID(webhook.PortalLinkPrefix, now), subject(ctx), now
	l.ExpiresAt = now.Add(cmp.Or(time.Duration(ttl), webhook.DefaultPortalLife))
	for _, scope := range slices.Concat(portalReads, portalActs) {
		if auth.Of(ctx).Holds(scope) && (!readOnly || slices.Contains(portalReads, scope)) {
			l.Scopes = append(l.Scopes, scope)
		}
	}
	most := g.cfg.Quotas.Limits(l.Tenant).PortalLinks
	err := g.cfg.Portals.CreatePortalLink(ctx, l, most)
	if webhook.CodeOf(err) == webhook.Conflict {
		err = g.cfg.Quotas.Room(l.Tenant, quota.PortalLinks, most)
	}
	if err != nil {
		return nil, fmt.Errorf("portal link: %w", problem.Registry(err))
	}
	shown := showLink(l, now)
	shown.Token = g.links.Token(l.ID)
	shown.URL = g.publicURL(r) + portalPath(l.Tenant) + "#" + shown.Token
	return answered(shown, nil)
}

// portalPath is where a tenant's links lead. The tenant stands in it, for the pages that may frame
// the portal are the tenant's to say; what is secret does not, for paths are logged.
func portalPath(tenant string) string { return "/portal/" + url.PathEscape(tenant) }

func showLink(l webhook.PortalLink, now time.Time) api.PortalLink {
	return api.PortalLink{
		ID: l.ID, EndpointID: l.EndpointID, Owner: l.Owner, Scopes: append([]string{}, l.Scopes...), By: l.By,
		CreatedAt: l.CreatedAt, ExpiresAt: l.ExpiresAt, RevokedAt: webhook.TimeOrNone(l.RevokedAt), RevokedBy: l.RevokedBy, Live: l.Live(now),
	}
}

type listPortalLinks struct {
	TenantPath
	api.PortalLinkQuery
}

func (g *Gateway) listPortalLinks(ctx context.Context, in *listPortalLinks) (*answerOf[api.Page[api.PortalLink]], error) {
	list := fmt.Sprintf("portal links %s %s %q %t", in.Tenant, in.Endpoint, in.Owner, in.Live)
	before, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	now := g.cfg.Now()
	q := webhook.PortalLinkQuery{EndpointID: in.Endpoint, Owner: in.Owner, Before: string(before), Limit: in.Limit + 1}
	if in.Live {
		q.Live = now
	}
	found, err := g.cfg.Portals.PortalLinks(ctx, in.Tenant, q)
	if err != nil {
		return nil, fmt.Errorf("portal links: %w", problem.Registry(err))
	}
	found, next := cut(found, in.Limit, func(l webhook.PortalLink) []byte { return []byte(l.ID) })
	return page(found, g.newCursor(list, next), func(l webhook.PortalLink) api.PortalLink { return showLink(l, now) }), nil
}

type portalLinkPath struct {
	TenantPath

	ID string `path:"id" example:"lnk_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) revokePortalLink(ctx context.Context, in *portalLinkPath) (*answerOf[api.PortalLink], error) {
	l, err := g.cfg.Portals.RevokePortalLink(ctx, in.Tenant, in.ID, g.cfg.Now().UTC().Truncate(time.Millisecond))
	g.links.Forget(in.ID)
	switch {
	case webhook.CodeOf(err) == webhook.NotFound:
		err = problem.NoSuch("portal link")
	case err != nil:
		err = fmt.Errorf("portal link: %w", problem.Registry(err))
	}
	return answered(showLink(l, g.cfg.Now()), err)
}

func (g *Gateway) getPortalSettings(ctx context.Context, in *TenantPath) (*answerOf[api.PortalSettings], error) {
	return shownPortal(g.cfg.Portals.PortalSettings(ctx, in.Tenant))
}

// shownPortal answers how the portal is shown, or that it cannot be told.
func shownPortal(s webhook.PortalSettings, err error) (*answerOf[api.PortalSettings], error) {
	if err != nil {
		return nil, fmt.Errorf("portal settings: %w", problem.Registry(err))
	}
	return answered(showPortal(s), nil)
}

type patchPortalSettings struct {
	change[api.PortalSettings]
	TenantPath
}

func (g *Gateway) patchPortalSettings(ctx context.Context, in *patchPortalSettings) (*answerOf[api.PortalSettings], error) {
	return shownPortal(g.cfg.Portals.ChangePortalSettings(ctx, in.Tenant, func(s *webhook.PortalSettings) error {
		next, err := in.of(showPortal(*s))
		if err != nil {
			return err
		}
		for i, origin := range next.Origins {
			if err := wellformed.Origin(schema.At("origins", i), origin); err != nil {
				return err
			}
		}
		s.Origins, s.Theme = slices.Compact(slices.Sorted(slices.Values(next.Origins))), themeOf(next.Theme)
		s.UpdatedAt = g.cfg.Now().UTC().Truncate(time.Millisecond)
		return portal.CheckTheme(s.Theme)
	}))
}

func showPortal(s webhook.PortalSettings) api.PortalSettings {
	t := s.Theme
	return api.PortalSettings{Origins: s.Origins, Theme: api.PortalTheme{
		Scheme: t.Scheme, Light: api.PortalColours(t.Light), Dark: api.PortalColours(t.Dark), Radius: t.Radius,
	}}
}

func themeOf(t api.PortalTheme) webhook.PortalTheme {
	return webhook.PortalTheme{Scheme: t.Scheme, Light: webhook.PortalColours(t.Light), Dark: webhook.PortalColours(t.Dark), Radius: t.Radius}
}

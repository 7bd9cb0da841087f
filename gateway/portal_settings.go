package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/gateway/portal"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/internal/webhook"
)

// portalPages serves the pages for owners of endpoints. They ask the API below them with the link
// that opened them.
func (g *Gateway) portalPages(engine *gin.Engine) error {
	pages, err := portal.New(portal.Config{API: engine, Verify: g.auth.Verify, Settings: g.portals.PortalSettings, Version: g.version, Now: g.now, Logger: g.log})
	if err != nil {
		return err
	}
	engine.Any(portal.Path+"/*path", gin.WrapH(pages))
	return nil
}

type portalSettingsPath struct {
	Tenant string `path:"tenant"`
}

func (g *Gateway) getPortalSettings(ctx context.Context, in *portalSettingsPath) (*answerOf[api.PortalSettings], error) {
	s, err := g.portals.PortalSettings(ctx, in.Tenant)
	if err != nil {
		return nil, fmt.Errorf("portal settings: %w", problem.Registry(err))
	}
	return &answerOf[api.PortalSettings]{Body: showPortal(s)}, nil
}

type patchPortalSettings struct {
	change[api.PortalSettings]

	Tenant string `path:"tenant"`
}

func (g *Gateway) patchPortalSettings(ctx context.Context, in *patchPortalSettings) (*answerOf[api.PortalSettings], error) {
	s, err := g.portals.ChangePortalSettings(ctx, in.Tenant, func(s *webhook.PortalSettings) error {
		next, err := in.of(showPortal(*s))
		if err != nil {
			return err
		}
		for i, origin := range next.Origins {
			if err := checkOrigin(schema.At("origins", i), origin); err != nil {
				return err
			}
		}
		s.Origins, s.Theme = slices.Compact(slices.Sorted(slices.Values(next.Origins))), themeOf(next.Theme)
		s.UpdatedAt = g.now().UTC().Truncate(time.Millisecond)
		return portal.CheckTheme(s.Theme)
	})
	if err != nil {
		return nil, fmt.Errorf("portal settings: %w", problem.Registry(err))
	}
	return &answerOf[api.PortalSettings]{Body: showPortal(s)}, nil
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

// checkOrigin takes what a browser would say of a page, and nothing that a policy would read
// otherwise: no wildcards, no blanks, no path. It stands in a header.
func checkOrigin(field, origin string) error {
	u, err := url.Parse(origin)
	if err != nil || origin != u.Scheme+"://"+u.Host || len(origin) > 255 {
		return webhook.Invalidf(field, "must be an origin like https://app.example.com, without a path")
	}
	host := u.Hostname()
	address, _ := netip.ParseAddr(host)
	local := host == "localhost" || address.IsLoopback()
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return webhook.Invalidf(field, "must begin with https://; for development, http://localhost may be named")
	case address.Zone() != "", !address.IsValid() && strings.ContainsFunc(host, notHostName), host == "":
		return webhook.Invalidf(field, "must name a host in lower-case ASCII, without wildcards")
	case u.Port() != "" && !isPortNumber(u.Port()), strings.HasSuffix(u.Host, ":"):
		return webhook.Invalidf(field, "must name a port between 1 and 65535, or none")
	}
	return nil
}

func notHostName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
}

func isPortNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == s
}

package portal

import (
	"context"
	"crypto/rand"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"hookloop/internal/webhook"
)

// shell is the page around all pages.
type shell struct {
	Nonce   string
	Assets  string
	Scheme  string // light, dark or both
	Theme   template.CSS
	Problem string
}

// showShell answers what has no token. It tells nothing of what is there.
func (p *Portal) showShell(w http.ResponseWriter, r *http.Request, tenant string) {
	settings, err := p.settingsOf(r.Context(), tenant)
	if err != nil {
		p.cfg.Logger.WarnContext(r.Context(), "portal settings", slog.Any("error", err))
	}
	s := shell{Nonce: rand.Text(), Assets: assets, Scheme: schemeOf(settings.Theme), Theme: styleOf(settings.Theme)}
	status := http.StatusOK
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		status = http.StatusUnauthorized
	case tenant == "":
		status, s.Problem = http.StatusNotFound, "There is nothing at this address."
	case err != nil:
		status, s.Problem = http.StatusServiceUnavailable, "This page cannot be shown right now. Try again in a moment."
	}
	guard(w.Header(), "default-src 'none'; script-src 'nonce-"+s.Nonce+"'; style-src 'nonce-"+s.Nonce+"'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "+framers(settings.Origins))
	p.write(w, status, "shell", s)
}

// settingsOf reads a tenant's settings, or gives those that were read a moment ago.
func (p *Portal) settingsOf(ctx context.Context, tenant string) (webhook.PortalSettings, error) {
	if tenant == "" {
		return webhook.PortalSettings{}, nil
	}
	if k, ok := p.kept.Get(tenant); ok && p.cfg.Now().Sub(k.readAt).Abs() < settingsFresh {
		return k.PortalSettings, nil
	}
	readAt := p.cfg.Now()
	s, err := p.cfg.Settings(ctx, tenant)
	if err == nil {
		p.kept.Add(tenant, keptSettings{s, readAt})
	}
	return s, err
}

// framers are the pages that may show the portal in a frame.
func framers(origins []string) string {
	if len(origins) == 0 {
		return "'none'"
	}
	return strings.Join(origins, " ")
}

// alone is the policy of a piece of a page: opened by itself it may do nothing.
const alone = "default-src 'none'; frame-ancestors 'none'; sandbox"

// guard keeps what is shown out of caches, and tells no other site where it was.
func guard(h http.Header, policy string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Authorization")
	h.Set("X-Robots-Tag", "noindex")
}

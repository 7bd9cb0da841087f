package registrytest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func link(id string, change func(*webhook.PortalLink)) webhook.PortalLink {
	l := webhook.PortalLink{
		ID: id, Tenant: tenant, EndpointID: "ep_1", Scopes: []string{"events:read"}, By: "jane",
		CreatedAt: born, ExpiresAt: born.Add(time.Hour),
	}
	change(&l)
	return l
}

// portalLinks wants links found by their id and listed by what they are for, revoked once and for
// good, in every store that is open, with a line in the change log for each.
func portalLinks(t *testing.T, s Store) {
	r, other := open(t, s), open(t, s)
	ctx := as(t, jane)
	one := link("lnk_1", func(*webhook.PortalLink) {})
	two := link("lnk_2", func(l *webhook.PortalLink) { l.EndpointID, l.Owner = "", "customer-1" })
	foreign := link("lnk_3", func(l *webhook.PortalLink) { l.Tenant = "other" })
	for _, l := range []webhook.PortalLink{one, two, foreign} {
		require.NoError(t, r.CreatePortalLink(ctx, l, 10))
	}
	requireCode(t, webhook.Conflict, r.CreatePortalLink(ctx, one, 10))

	require.Equal(t, one, must(other.PortalLink(t.Context(), one.ID))(t))
	for _, none := range []string{"lnk_0", "", "lnk_1\x00", "lnk_1' OR ''='"} {
		_, err := r.PortalLink(t.Context(), none)
		requireCode(t, webhook.NotFound, err)
	}

	requireLinks := func(q webhook.PortalLinkQuery, want ...webhook.PortalLink) {
		t.Helper()
		q.Limit = max(q.Limit, 1)
		require.Equal(t, want, must(r.PortalLinks(t.Context(), tenant, q))(t))
	}
	requireLinks(webhook.PortalLinkQuery{Limit: 10}, two, one)
	requireLinks(webhook.PortalLinkQuery{Limit: 1}, two)
	requireLinks(webhook.PortalLinkQuery{Before: two.ID}, one)
	requireLinks(webhook.PortalLinkQuery{EndpointID: "ep_1", Limit: 10}, one)
	requireLinks(webhook.PortalLinkQuery{Owner: "customer-1", Limit: 10}, two)
	requireLinks(webhook.PortalLinkQuery{Live: one.ExpiresAt.Add(-1), Limit: 10}, two, one)
	requireLinks(webhook.PortalLinkQuery{Live: one.ExpiresAt, Limit: 10})

	_, err := r.RevokePortalLink(ctx, tenant, foreign.ID, born)
	requireCode(t, webhook.NotFound, err)
	revoked := must(r.RevokePortalLink(ctx, tenant, one.ID, born.Add(time.Minute)))(t)
	require.Equal(t, []any{"jane", born.Add(time.Minute)}, []any{revoked.RevokedBy, revoked.RevokedAt})
	require.Equal(t, revoked, must(r.RevokePortalLink(t.Context(), tenant, one.ID, born.Add(time.Hour)))(t))
	require.False(t, must(other.PortalLink(t.Context(), one.ID))(t).Live(born.Add(2*time.Minute)))
	requireLinks(webhook.PortalLinkQuery{Live: born, Limit: 10}, two)

	lines := logged(t, r, webhook.AuditQuery{})
	require.Equal(t, []webhook.AuditKind{webhook.AuditPortalLinkMade, webhook.AuditPortalLinkMade, webhook.AuditPortalLinkRevoked}, kinds(lines))
	require.Contains(t, lines[1].Detail, "lnk_2 for all endpoints of customer-1")
	require.Equal(t, []string{"ep_1", "jane"}, []string{lines[2].EndpointID, lines[2].Actor})
}

// portalLinksBound wants no more live links of a tenant than it may have, and those gone that ended
// long ago.
func portalLinksBound(t *testing.T, s Store) {
	r := open(t, s)
	const most = 3
	done := make(chan error, 2*most)
	for n := range 2 * most {
		go func() {
			done <- r.CreatePortalLink(t.Context(), link("lnk_"+string(rune('a'+n)), func(*webhook.PortalLink) {}), most)
		}()
	}
	made := 0
	for range 2 * most {
		if err := <-done; err == nil {
			made++
		} else {
			requireCode(t, webhook.Conflict, err)
		}
	}
	require.Equal(t, most, made)
	require.NoError(t, r.CreatePortalLink(t.Context(), link("lnk_other", func(l *webhook.PortalLink) { l.Tenant = "other" }), most))

	must(r.RevokePortalLink(t.Context(), tenant, liveLink(t, r).ID, born))(t)
	require.NoError(t, r.CreatePortalLink(t.Context(), link("lnk_x", func(*webhook.PortalLink) {}), most))

	later := born.Add(time.Hour + webhook.PortalLinkKept)
	late := link("lnk_z", func(l *webhook.PortalLink) { l.CreatedAt, l.ExpiresAt = later, later.Add(time.Hour) })
	require.NoError(t, r.CreatePortalLink(t.Context(), late, most))
	require.Equal(t, []webhook.PortalLink{late}, must(r.PortalLinks(t.Context(), tenant, webhook.PortalLinkQuery{Limit: 10}))(t))
}

func liveLink(t *testing.T, r Registry) webhook.PortalLink {
	t.Helper()
	all := must(r.PortalLinks(t.Context(), tenant, webhook.PortalLinkQuery{Live: born, Limit: 1}))(t)
	require.Len(t, all, 1)
	return all[0]
}

// portalSettings wants them kept for each tenant, and noted where they changed.
func portalSettings(t *testing.T, s Store) {
	r := open(t, s)
	p := must(r.PortalSettings(t.Context(), tenant))(t)
	require.Zero(t, p)
	radius := 4
	want := webhook.PortalSettings{
		Origins: []string{"https://app.example.com"}, UpdatedAt: born,
		Theme: webhook.PortalTheme{Scheme: "dark", Dark: webhook.PortalColours{Ink: "#ffffff"}, Radius: &radius},
	}
	change := func(to webhook.PortalSettings) (webhook.PortalSettings, error) {
		return r.ChangePortalSettings(as(t, jane), tenant, func(p *webhook.PortalSettings) error { *p = to; return nil })
	}
	for range 2 {
		must(change(want))(t)
	}
	_, err := r.ChangePortalSettings(t.Context(), tenant, func(p *webhook.PortalSettings) error {
		p.Origins[0] = "https://evil.example"
		return errors.New("no")
	})
	require.Error(t, err)
	require.Equal(t, want, must(open(t, s).PortalSettings(t.Context(), tenant))(t))
	require.Zero(t, must(r.PortalSettings(t.Context(), "other"))(t))

	lines := logged(t, r, webhook.AuditQuery{})
	require.Equal(t, []webhook.AuditKind{webhook.AuditPortalChanged}, kinds(lines))
	require.Equal(t, webhook.AuditChange{Field: "portal.origins", To: `["https://app.example.com"]`}, lines[0].Changes[0])
	must(change(webhook.PortalSettings{UpdatedAt: born}))(t)
	require.Len(t, logged(t, r, webhook.AuditQuery{}), 2)
}

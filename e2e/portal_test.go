package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/npmtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// TestPortalInABrowser goes the owner's way, from the link to a resend that arrives and a secret
// that is new; in the app's own page, and not in another site's.
func TestPortalInABrowser(t *testing.T) {
	t.Parallel()
	owner := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	s, mine := a.listen(t, endpointtest.Config{Script: "400:1 200", Body: "we do not know this customer"}, `,"owner":"customer-1","description":"Shop","schedule":["0s"]`)
	_, foreign := a.listen(t, endpointtest.Config{}, `,"owner":"customer-2","description":"Foreign"`)
	e := a.post(t, `{"type":"order.paid","data":{"order":4711,"note":"<script>alert(1)</script>"}}`)
	receipts(t, s, 1)
	a.ended(t, e.ID)

	allowed, other := embedding(t), embedding(t)
	_, stderr, code := hookloop(t, "portal", "settings", "--data-dir", data, "--origin", allowed.URL)
	require.Zero(t, code, stderr)
	link := portalLink(t, data, "--owner", "customer-1")
	second := portalLink(t, data, foreign.ID)

	var seen struct {
		Found, Wide, Outside, Errors, Leaks          []string
		Home, Data, Answer, Sent, Overlap, Secret    string
		Back, Reloaded, Framed, Refused, Other, Mine string
	}
	owner.run(t, &seen, "portal.mjs", link, second, pictures(t), allowed.URL+"/?"+link, other.URL+"/?"+link, e.ID)
	require.Empty(t, seen.Found, "what a screen reader or a keyboard would stumble over")
	require.Empty(t, seen.Wide, "what does not fit a phone")
	require.Empty(t, seen.Outside)
	require.Empty(t, seen.Errors, "the policy refuses nothing that the pages need")
	require.Empty(t, seen.Leaks, "the token stands in no address and no Referer")
	require.Contains(t, seen.Home, "Shop")
	require.NotContains(t, seen.Home, "Foreign")
	require.Contains(t, seen.Answer, "we do not know this customer")
	require.Contains(t, seen.Data, "<script>alert(1)</script>", "as text")
	require.Contains(t, seen.Sent, "Sent again")
	require.Contains(t, seen.Overlap, "The old secret signs as well until")
	require.Contains(t, seen.Back, "Shop")
	require.Contains(t, seen.Reloaded, "Shop")
	require.Contains(t, seen.Framed, "Shop")
	require.NotContains(t, seen.Refused, "Shop")
	require.Contains(t, seen.Other, "Foreign")
	require.NotContains(t, seen.Other, "Shop")
	require.Contains(t, seen.Mine, "Shop", "two links in one browser")

	receipts(t, s, 2)
	require.Equal(t, e.ID, s.Receipts()[1].ID, "the resend")
	next, err := signature.ParseSecret(seen.Secret)
	require.NoError(t, err)
	s.Trust(next)
	a.post(t, `{"type":"order.paid","data":2}`)
	receipts(t, s, 3)
	a.revokes(t, data, link)
	a.toldOfLinks(t, mine.ID)
}

// portalLink makes a link by the command line.
func portalLink(t *testing.T, data string, args ...string) string {
	t.Helper()
	stdout, stderr, code := hookloop(t, append([]string{"portal", "link", "--data-dir", data, "--ttl", "1h"}, args...)...)
	require.Zero(t, code, stderr)
	return strings.TrimSpace(stdout)
}

// embedding is an app's page that shows in a frame what its query says.
func embedding(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><title>App</title><iframe title="Webhooks" width="900" height="900"></iframe>
<script>document.querySelector("iframe").src = location.search.slice(1) + location.hash</script>`)
	}))
	t.Cleanup(s.Close)
	return s
}

// revokes ends the link, and asks with it.
func (a app) revokes(t *testing.T, data, link string) {
	t.Helper()
	_, token, _ := strings.Cut(link, "#")
	owner := *a.p
	owner.Token = token
	asking := app{&owner}
	asking.call(t, http.StatusOK, http.MethodGet, "/endpoints", "", nil)
	asking.call(t, http.StatusForbidden, http.MethodGet, "/stats", "", nil)
	var all struct{ Data []struct{ ID, Owner string } }
	a.call(t, http.StatusOK, http.MethodGet, "/portal/links?owner=customer-1&live=true", "", &all)
	require.Len(t, all.Data, 1)
	stdout, stderr, code := hookloop(t, "portal", "revoke", "--data-dir", data, all.Data[0].ID)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "revoked")
	asking.call(t, http.StatusUnauthorized, http.MethodGet, "/endpoints", "", nil)
}

// toldOfLinks finds in the audit who made and who ended the link, and what was done with it.
func (a app) toldOfLinks(t *testing.T, endpointID string) {
	t.Helper()
	var page struct{ Data []webhook.AuditLine }
	a.call(t, http.StatusOK, http.MethodGet, "/audit?after=1h", "", &page)
	by := map[webhook.AuditKind]string{} //nolint:exhaustive // of some kinds
	for _, l := range page.Data {
		if l.EndpointID == endpointID || l.EndpointID == "" {
			by[l.Kind] = l.Actor
		}
	}
	require.Equal(t, "dev", by[webhook.AuditPortalLinkMade])
	require.Equal(t, "dev", by[webhook.AuditPortalLinkRevoked])
	require.Equal(t, "dev", by[webhook.AuditPortalChanged])
	for _, kind := range []webhook.AuditKind{webhook.AuditSecretRotated, webhook.AuditPayloadRead} {
		require.Regexp(t, `^portal:customer-1 \(lnk_[0-9a-z]{26}\)$`, by[kind], kind)
	}
	var redelivered []string
	for _, l := range page.Data {
		if l.Kind == webhook.AuditRedelivered {
			redelivered = append(redelivered, l.Actor+l.ActorClaimed)
		}
	}
	require.Contains(t, strings.Join(redelivered, " "), "portal:customer-1 (lnk_")
}

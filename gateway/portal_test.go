package gateway_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// link makes one for an endpoint.
func (r *rig) link(endpointID, body string) api.PortalLink {
	r.t.Helper()
	return read[api.PortalLink](r.t, r.do("POST", "/endpoints/"+endpointID+"/portal", body), 201)
}

func TestPortalLinks(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	r := newRigWith(t, func(c *gateway.Config) {
		c.PublicURL = "https://hooks.example.com"
		c.Now = func() time.Time { return midday.Add(time.Duration(looks.Add(1)) * time.Millisecond) } // ids are in the order of their making
	})
	id := r.endpoint(`{"url":"https://one.example/","owner":"one"}`)
	l := r.link(id, `{"ttl":"10m"}`)
	require.Equal(t, "https://hooks.example.com/portal/acme#"+l.Token, l.URL)
	require.True(t, strings.HasPrefix(l.Token, "hkp_"))
	require.Equal(t, 10*time.Minute, l.ExpiresAt.Sub(l.CreatedAt))
	require.Equal(t, []string{"endpoints:read", "events:read", "endpoints:write", "events:write"}, l.Scopes, "no more than the token has that made it")
	require.Equal(t, []any{id, "tester", true}, []any{l.EndpointID, l.By, l.Live})
	owners := read[api.PortalLink](t, r.do("POST", "/portal/links", `{"owner":"one","read_only":true}`), 201)
	require.Equal(t, []string{"endpoints:read", "events:read"}, owners.Scopes)
	require.Equal(t, time.Hour, owners.ExpiresAt.Sub(owners.CreatedAt))

	list := read[api.Page[api.PortalLink]](t, r.do("GET", "/portal/links?limit=1", ""), 200)
	require.Equal(t, owners.ID, list.Data[0].ID)
	require.Empty(t, list.Data[0].Token+list.Data[0].URL, "shown once")
	rest := read[api.Page[api.PortalLink]](t, r.do("GET", "/portal/links?limit=1&cursor="+*list.NextCursor, ""), 200)
	require.Equal(t, l.ID, rest.Data[0].ID)
	require.Len(t, read[api.Page[api.PortalLink]](t, r.do("GET", "/portal/links?owner=one", ""), 200).Data, 1)

	refused(t, r.do("POST", "/endpoints/ep_none/portal", ""), 404, webhook.NotFound)
	refused(t, r.do("POST", "/endpoints/"+id+"/portal", `{"ttl":"25h"}`), 422, webhook.Invalid)
	refused(t, r.do("POST", "/portal/links", `{"owner":""}`), 422, webhook.Invalid)
	refused(t, r.do("POST", "/portal/links", `{}`), 422, webhook.Invalid)
	refused(t, r.do("DELETE", "/portal/links/lnk_none", ""), 404, webhook.NotFound)
	refused(t, r.do("DELETE", "=/v1/tenants/other/portal/links/"+l.ID, ""), 404, webhook.NotFound)
	require.NotContains(t, r.log.String(), l.Token)
}

// TestPortalLinksEnd: by time, by revocation, with the registry away; and guesses reach nothing.
func TestPortalLinksEnd(t *testing.T) {
	t.Parallel()
	var late time.Duration
	r := newRigWith(t, func(c *gateway.Config) { c.Now = func() time.Time { return midday.Add(late) } })
	id := r.endpoint(`{"url":"https://one.example/"}`)
	l := r.link(id, `{"ttl":"1h"}`)
	everything := r.token
	ask := func(token string) (int, string) {
		w := r.do("GET", "/endpoints/"+id, "", "Authorization", "Bearer "+token)
		return w.Code, w.Body.String()
	}
	require200 := func(token string) {
		t.Helper()
		status, body := ask(token)
		require.Equal(t, 200, status, body)
	}
	require401 := func(token, why string) {
		t.Helper()
		status, body := ask(token)
		require.Equal(t, 401, status, body)
		require.Contains(t, body, why)
	}
	require200(l.Token)
	reads := r.portals.reads
	require200(l.Token)
	require.Equal(t, reads, r.portals.reads, "a registry is asked every five seconds alone")
	for _, guess := range []string{
		"hkp_", "hkp__", l.Token + "A", l.Token[:len(l.Token)-1], "hkp_" + strings.TrimPrefix(l.ID, "lnk_"),
		strings.Replace(l.Token, "_0", "_1", 1), "hkp_../../x_y", "hkp_" + strings.Repeat("a", 10_000),
	} {
		require401(guess, "not one of ours")
	}
	require.Equal(t, reads, r.portals.reads, "guesses do not reach it")

	r.portals.down = errors.New("disk on fire")
	require200(l.Token)
	late = 6 * time.Second
	status, _ := ask(l.Token)
	require.Equal(t, 503, status, "what is not known opens nothing")
	r.portals.down = nil
	require200(l.Token)

	// Another gateway revokes it.
	_, err := r.portals.RevokePortalLink(t.Context(), "acme", l.ID, midday)
	require.NoError(t, err)
	late += 5 * time.Second
	require401(l.Token, "was revoked")

	r.token = everything
	mine := r.link(id, `{"ttl":"1h"}`)
	require200(mine.Token)
	revoked := read[api.PortalLink](t, r.do("DELETE", "/portal/links/"+mine.ID, ""), 200)
	require.Equal(t, []any{"tester", false}, []any{revoked.RevokedBy, revoked.Live})
	require401(mine.Token, "was revoked")

	short := r.link(id, `{"ttl":"1m"}`)
	require200(short.Token)
	late += time.Minute
	require401(short.Token, "has expired")
	r.portals.links = nil
	require401(r.token[:0]+short.Token, "expired")
}

func TestPortalLinksHaveAQuota(t *testing.T) {
	t.Parallel()
	few, err := quota.New(quota.Config{Table: quota.Table{Tenants: map[string]quota.Limits{"acme": {PortalLinks: 2}}}})
	require.NoError(t, err)
	r := newRigWith(t, func(c *gateway.Config) { c.Quotas = few })
	id := r.endpoint(`{"url":"https://one.example/"}`)
	first := r.link(id, "{}")
	r.link(id, "{}")
	p := refused(t, r.do("POST", "/endpoints/"+id+"/portal", "{}"), 429, api.QuotaExceeded)
	require.Contains(t, p.Detail, "2")
	require.Equal(t, 200, r.do("DELETE", "/portal/links/"+first.ID, "").Code)
	r.link(id, "{}")
}

// TestLinksOpenNoOtherDoor: the console and the codec are for operators.
func TestLinksOpenNoOtherDoor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://one.example/"}`)
	for _, token := range []string{r.link(id, "{}").Token, sign(t, with(jwt.MapClaims{"tenants": []string{"acme"}, "endpoints": []string{id}}))} {
		w := r.browse("POST", "/console/sign-in", url.Values{"token": {token}}.Encode(), nil)
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.Contains(t, w.Body.String(), "for some endpoints alone")
		require.Empty(t, w.Result().Cookies())
		require.Equal(t, http.StatusUnauthorized, r.browse("POST", "/console/link", "", nil, "Authorization", "Bearer "+token).Code)
		authorize := auth.CodecAccess(verifier(t))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/codec/decode", http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		require.Error(t, authorize(req))
	}
}

func TestPortalSettings(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	patch := func(body string) *api.PortalSettings {
		t.Helper()
		s := read[api.PortalSettings](t, r.do("PATCH", "/portal/settings", body), 200)
		return &s
	}
	require.Empty(t, read[api.PortalSettings](t, r.do("GET", "/portal/settings", ""), 200).Origins)
	s := patch(`{"origins":["https://b.example.com","https://a.example.com:8443","http://localhost:3000","http://127.0.0.1:5173","https://[::1]:1"],"theme":{"light":{"accent":"#0550AE"},"radius":0}}`)
	require.Len(t, s.Origins, 5)
	s = patch(`{"theme":{"dark":{"paper":"#000000"}}}`)
	require.Len(t, s.Origins, 5, "merged")
	require.Equal(t, "#0550AE", s.Theme.Light.Accent)
	require.Empty(t, patch(`{"origins":null}`).Origins)
	require.Zero(t, patch(`{"theme":null}`).Theme)

	for _, origin := range []string{
		"", "*", "https://*.example.com", "https://", "example.com", "https://example.com/", "https://example.com/path", "https://EXAMPLE.com",
		"http://example.com", "https://user@example.com", "https://example.com:0", "https://example.com:65536", "https://example.com:", "https://example.com:x",
		"https://example.com;script-src *", "https://example.com 'self'", "https://example.com\\r\\nX: y", "data:", "javascript:alert(1)", "https://exämple.com", "null", "'none'",
		"https://[::1%25a]", "https://a,b", "https://example.com#x", "https://example.com?x", "https://" + strings.Repeat("a", 300),
	} {
		p := refused(t, r.do("PATCH", "/portal/settings", `{"origins":["`+origin+`"]}`), 422, webhook.Invalid)
		require.Contains(t, p.Detail, "origins", origin)
	}
	for _, theme := range []string{
		`{"light":{"ink":"red"}}`, `{"light":{"ink":"#fff"}}`, `{"light":{"ink":"#12345g"}}`, `{"light":{"ink":"#123456;}body{display:none"}}`, `{"light":{"ink":"#123456\n"}}`,
		`{"scheme":"blue"}`, `{"radius":25}`, `{"radius":-1}`, `{"radius":1.5}`, `{"light":{"other":"#123456"}}`, `{"font":"x"}`,
		`{"light":{"ink":"#eeeeee"}}`, `{"light":{"paper":"#888888"}}`, `{"dark":{"accent":"#222222"}}`,
	} {
		refused(t, r.do("PATCH", "/portal/settings", `{"theme":`+theme+`}`), 422, webhook.Invalid)
	}
	require.Zero(t, *patch(`{}`), "nothing of that stayed")
}

package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/webhook"
)

func verifier(t *testing.T) *auth.Verifier {
	t.Helper()
	v, err := auth.New(auth.Config{Secret: hmacKey, Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v
}

// visit is a request of the portal's script: with the link's token.
func (r *rig) visit(method, path, form, token string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.browse(method, path, form, nil, "Authorization", "Bearer "+token)
}

// TestPortalShell: without a token there is a page that tells nothing, for the frames of the
// tenant's own pages alone.
func TestPortalShell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://one.example/"}`)
	read[api.PortalSettings](t, r.do("PATCH", "/portal/settings", `{"origins":["https://app.example.com","http://localhost:3000"],"theme":{"light":{"accent":"#0a3069"},"scheme":"light","radius":3}}`), 200)
	for _, path := range []string{"/portal/acme", "/portal/acme/endpoints/" + id, "/portal/acme/endpoints/ep_none", "/portal/acme/endpoints/" + id + "/events/x", "/portal/acme/whatever"} {
		w := r.browse("GET", path, "", nil)
		require.Equal(t, http.StatusOK, w.Code, path)
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "frame-ancestors http://localhost:3000 https://app.example.com", path)
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
		require.Empty(t, w.Result().Cookies())
		body := w.Body.String()
		require.NotContains(t, body, "one.example")
		require.Contains(t, body, "--link:#0a3069;")
		require.Contains(t, body, "--radius:3px")
		require.Contains(t, body, `<meta name="color-scheme" content="light">`)
	}
	for _, path := range []string{"/portal/other", "/portal/nobody"} {
		require.Contains(t, r.browse("GET", path, "", nil).Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
	for path, status := range map[string]int{
		"/portal/":                http.StatusNotFound,
		"/portal/a'b":             http.StatusNotFound,
		"/portal/%2e%2e%2fv1":     http.StatusNotFound,
		"/portal/-/portal.js":     http.StatusOK,
		"/portal/-/console.css":   http.StatusOK,
		"/portal/-/htmx.min.js":   http.StatusOK,
		"/portal/-/panel.js":      http.StatusNotFound,
		"/portal/-/..%2ftheme.go": http.StatusNotFound,
	} {
		require.Equal(t, status, r.browse("GET", path, "", nil).Code, path)
	}
	require.Equal(t, http.StatusUnauthorized, r.browse("POST", "/portal/acme/endpoints/"+id+"/pause", "", nil).Code)
	require.Equal(t, "active", r.state(id))
}

// TestPortalThemesAreHeldToTheirBounds also where a row of the registry was tampered with.
func TestPortalThemesAreHeldToTheirBounds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	radius := 99999
	r.portals.settings = map[string]webhook.PortalSettings{"acme": {Theme: webhook.PortalTheme{
		Scheme: `"><script>alert(1)</script>`, Light: webhook.PortalColours{Ink: "red;}</style><script>alert(1)</script>", Paper: "#12345"}, Radius: &radius,
	}}}
	w := r.browse("GET", "/portal/acme", "", nil)
	require.NotContains(t, w.Body.String(), "alert(1)")
	require.NotContains(t, w.Body.String(), "#12345")
	require.Contains(t, w.Body.String(), "--radius:24px")
}

// TestPortalPages: what the owner sees and does.
func TestPortalPages(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	for kind, token := range r.confinedTokens() {
		at := "/portal/acme/endpoints/" + r.mine
		home := r.visit("GET", "/portal/acme", "", token)
		require.Equal(t, http.StatusOK, home.Code, kind+home.Body.String())
		require.Contains(t, home.Body.String(), "mine.example", kind)
		require.Contains(t, home.Header().Get("Content-Security-Policy"), "sandbox", kind)
		for _, page := range []string{at, at + "?failed=true", at + "/verify", at + "/events/" + r.both, at + "/events/" + r.onlyMine + "/request"} {
			w := r.visit("GET", page, "", token)
			require.Equal(t, http.StatusOK, w.Code, kind+page+w.Body.String())
			require.NotContains(t, w.Body.String(), "foreign", kind+page)
			require.NotContains(t, w.Body.String(), "internal", kind+page)
			require.NotContains(t, w.Body.String(), "credential", kind+page)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		}
		require.Contains(t, r.visit("GET", at+"/events/"+r.onlyMine+"/request", "", token).Body.String(), "a.mine")

		revealed := r.visit("POST", at+"/reveal", "", token)
		require.Contains(t, revealed.Body.String(), "whsec_", kind)
		require.Equal(t, "false", revealed.Header().Get("HX-Push-Url"))
		rotated := r.visit("POST", at+"/rotate", "overlap=24h", token)
		require.Contains(t, rotated.Body.String(), "whsec_", kind)
		require.Contains(t, rotated.Body.String(), "The old secret signs as well until", kind)
		require.NotContains(t, r.visit("GET", at, "", token).Body.String(), "whsec_", "shown once")
		require.Contains(t, r.visit("GET", at, "", token).Body.String(), "The old secret signs as well until", kind)
		require.Contains(t, r.visit("POST", at+"/test", "", token).Body.String(), "A test event is on its way", kind)
		require.Contains(t, r.visit("POST", at+"/pause", "reason=moving", token).Body.String(), "Paused", kind)
		require.Equal(t, "paused", r.state(r.mine))
		_, err := r.registry.UpdateEndpoint(t.Context(), "acme", r.mine, func(e *webhook.Endpoint) error { e.State, e.StateReason = "active", ""; return nil })
		require.NoError(t, err)
		again := "delivery/acme/" + r.onlyMine + "/" + r.mine
		require.Nil(t, r.temporal.Run(again), kind)
		r.visit("POST", at+"/events/"+r.onlyMine+"/resend", "", token)
		require.NotNil(t, r.temporal.Run(again), kind)
		r.temporal.Forget(again)
	}
}

// TestPortalPagesReachNothingElse: other ids in every address and form.
func TestPortalPagesReachNothingElse(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	before, err := r.registry.Endpoint(t.Context(), "acme", r.theirs)
	require.NoError(t, err)
	for kind, token := range r.confinedTokens() {
		foreign, own := "/portal/acme/endpoints/"+r.theirs, "/portal/acme/endpoints/"+r.mine
		for _, page := range []string{
			"GET " + foreign, "GET " + foreign + "/verify", "GET " + foreign + "/events/" + r.both, "GET " + foreign + "/events/" + r.onlyTheirs,
			"GET " + foreign + "/events/" + r.both + "/request", "GET " + own + "/events/" + r.onlyTheirs, "GET " + own + "/events/" + r.onlyTheirs + "/request",
			"POST " + foreign + "/test", "POST " + foreign + "/pause", "POST " + foreign + "/resume", "POST " + foreign + "/reveal", "POST " + foreign + "/rotate",
			"POST " + foreign + "/events/" + r.both + "/resend", "POST " + foreign + "/events/" + r.both + "/retry", "POST " + own + "/events/" + r.onlyTheirs + "/resend",
			"POST " + own + "/delete", "POST " + own + "/events/" + r.both + "/cancel", "GET " + own + "/events/..%2f..%2fx",
		} {
			method, path, _ := strings.Cut(page, " ")
			w := r.visit(method, path, "overlap=0s&endpoint="+r.theirs, token)
			require.Contains(t, []int{http.StatusNotFound, http.StatusGone}, w.Code, kind+page+w.Body.String())
			require.NotContains(t, w.Body.String(), "foreign.example", kind+page)
			require.NotContains(t, w.Body.String(), "whsec_", kind+page)
		}
		w := r.visit("GET", "/portal/other", "", token)
		require.Equal(t, http.StatusForbidden, w.Code, kind)
		require.Contains(t, w.Body.String(), "data-ended", kind)
		require.Equal(t, http.StatusBadRequest, r.visit("POST", own+"/rotate", "overlap=9000h", token).Code)
		require.Equal(t, http.StatusBadRequest, r.visit("POST", own+"/rotate", "overlap="+strings.Repeat("x", 1<<20), token).Code)
	}
	after, err := r.registry.Endpoint(t.Context(), "acme", r.theirs)
	require.NoError(t, err)
	require.Equal(t, before, after)

	for _, token := range []string{r.everything, "hkp_nonsense", "x", sign(t, with(jwt.MapClaims{"tenants": []string{"acme"}}))} {
		w := r.visit("GET", "/portal/acme", "", token)
		require.Contains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, w.Code)
		require.NotContains(t, w.Body.String(), "mine.example")
	}
}

// TestPortalOfAReadOnlyLink has no buttons, and none works.
func TestPortalOfAReadOnlyLink(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	l := r.link(r.mine, `{"read_only":true}`)
	at := "/portal/acme/endpoints/" + r.mine
	w := r.visit("GET", at, "", l.Token)
	require.Equal(t, http.StatusOK, w.Code)
	require.NotContains(t, w.Body.String(), "<form")
	for _, act := range []string{"/test", "/pause", "/reveal", "/rotate", "/events/" + r.both + "/resend"} {
		require.Equal(t, http.StatusForbidden, r.visit("POST", at+act, "overlap=1h", l.Token).Code, act)
	}
}

// TestPortalOfWhatIsGone: a deleted endpoint, a revoked link.
func TestPortalOfWhatIsGone(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	l := r.link(r.mine, "{}")
	require.Equal(t, http.StatusNoContent, r.do("DELETE", "/endpoints/"+r.mine, "").Code)
	w := r.visit("GET", "/portal/acme", "", l.Token)
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Contains(t, w.Body.String(), "there is no such endpoint")
	require.Equal(t, http.StatusOK, r.do("DELETE", "/portal/links/"+l.ID, "").Code)
	w = r.visit("GET", "/portal/acme", "", l.Token)
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Body.String(), "this link was revoked")
	require.Contains(t, w.Body.String(), "data-ended")
}

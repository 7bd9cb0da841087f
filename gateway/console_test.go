package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/gateway"
)

// browse is a browser's request: with a cookie, and from a page of the console itself unless the
// headers say otherwise.
func (r *rig) browse(method, path, form string, session *http.Cookie, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if session != nil {
		req.AddCookie(session)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// signIn gives the cookie of a person who has pasted a token.
func (r *rig) signIn(token string) *http.Cookie {
	r.t.Helper()
	w := r.browse("POST", "/console/sign-in", url.Values{"token": {token}}.Encode(), nil)
	require.Equal(r.t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Len(r.t, w.Result().Cookies(), 1)
	return w.Result().Cookies()[0]
}

func TestConsoleShowsWhatTheTokenMaySee(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine := r.endpoint(`{"url":"https://example.com/hooks","description":"<script>alert(1)</script>"}`)

	c := everything()
	c["tenants"] = []string{"acme"}
	session := r.signIn(sign(t, c))
	require.True(t, session.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, session.SameSite)
	require.NotContains(t, session.Value, r.token)

	require.Equal(t, "/console/t/acme", r.browse("GET", "/console", "", session).Header().Get("Location"), "its only tenant")
	for _, page := range []string{"", "/endpoints", "/endpoints/" + mine, "/sources"} {
		w := r.browse("GET", "/console/t/acme"+page, "", session)
		require.Equal(t, http.StatusOK, w.Code, "%s: %s", page, w.Body.String())
		require.NotContains(t, w.Body.String(), "<script>alert", page)
		policy := w.Header().Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
	w := r.browse("GET", "/console/t/acme/endpoints", "", session)
	require.Contains(t, w.Body.String(), "&lt;script&gt;alert(1)")

	for path, status := range map[string]int{
		"/console/t/other":                  http.StatusForbidden,
		"/console/t/other/endpoints":        http.StatusForbidden,
		"/console/t/acme/endpoints/ep_0":    http.StatusNotFound,
		"/console/t/acme/nothing":           http.StatusNotFound,
		"/console/t/acme/audit":             http.StatusForbidden, // the token lacks the scope
		"/console/static/console.css":       http.StatusOK,
		"/console/static/..%2fconsole.go":   http.StatusBadRequest,
		"/console/t/..%2f..%2fv1/endpoints": http.StatusNotFound,
	} {
		require.Equal(t, status, r.browse("GET", path, "", session).Code, path)
	}
}

func TestConsoleIsForSignedInPeople(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com/hooks"}`)
	session := r.signIn(r.token)
	pause := "/console/t/acme/endpoints/" + id + "/pause"

	w := r.browse("GET", "/console/t/acme/events?status=failed", "", nil)
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "/console/sign-in?next=%2Fconsole%2Ft%2Facme%2Fevents%3Fstatus%3Dfailed", w.Header().Get("Location"))

	forged := *session
	forged.Value = swapped(forged.Value)
	for _, none := range []*http.Cookie{nil, &forged, {Name: session.Name, Value: r.token}} {
		require.Equal(t, http.StatusSeeOther, r.browse("POST", pause, "", none).Code)
	}
	require.Equal(t, http.StatusForbidden, r.browse("POST", pause, "", session, "Sec-Fetch-Site", "cross-site").Code)
	require.Equal(t, http.StatusForbidden, r.browse("POST", pause, "", session, "Sec-Fetch-Site", "", "Origin", "https://evil.example").Code)
	require.Equal(t, "active", r.state(id), "none of that did anything")

	w = r.browse("POST", pause, "reason=moving+house", session)
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, "paused", r.state(id))
	require.Contains(t, r.browse("GET", w.Header().Get("Location"), "", session).Body.String(), "paused by tester: moving house")

	for _, elsewhere := range []string{"https://evil.example/", "//evil.example", "/v1/x", `/\evil.example`, "/console/../v1"} {
		w = r.browse("POST", "/console/sign-in", url.Values{"token": {r.token}, "next": {elsewhere}}.Encode(), nil)
		require.Equal(t, "/console", w.Header().Get("Location"), elsewhere)
	}
	w = r.browse("POST", "/console/sign-in", "token=nonsense", nil)
	require.Equal(t, http.StatusUnauthorized, w.Code)
	require.Contains(t, w.Body.String(), "You are not signed in")
	require.NotContains(t, w.Body.String(), "nonsense")
}

// swapped is a text with its first two different characters the other way round.
func swapped(s string) string {
	i := 1
	for s[i] == s[0] {
		i++
	}
	return s[i:i+1] + s[1:i] + s[:1] + s[i+1:]
}

// TestConsoleLink: a link that a token's holder asked for signs a browser in, for a while.
func TestConsoleLink(t *testing.T) {
	t.Parallel()
	var late time.Duration
	r := newRigWith(t, func(c *gateway.Config) { c.Now = func() time.Time { return time.Now().Add(late) } })
	w := r.browse("POST", "/console/link?next=/console/t/acme", "", nil, "Authorization", "Bearer "+r.token)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var link struct{ Path string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &link))
	require.NotContains(t, link.Path, r.token)

	w = r.browse("GET", link.Path, "", nil, "Sec-Fetch-Site", "none")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "/console/t/acme", w.Header().Get("Location"))
	session := w.Result().Cookies()[0]
	require.Equal(t, http.StatusOK, r.browse("GET", "/console/t/acme", "", session).Code)

	code, _ := url.Parse(link.Path)
	asCookie := &http.Cookie{Name: session.Name, Value: code.Query().Get("code")}
	require.Equal(t, http.StatusSeeOther, r.browse("GET", "/console/t/acme", "", asCookie).Code, "a link is no session")
	late = 3 * time.Minute
	require.Equal(t, http.StatusUnauthorized, r.browse("GET", link.Path, "", nil).Code)
	require.Equal(t, http.StatusUnauthorized, r.browse("POST", "/console/link", "", nil).Code)
}

// TestPanel: the Temporal UI may show the panel of a workflow in a frame, and no other page may.
func TestPanel(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.UIOrigins = []string{"https://temporal.example.com"} })
	id := r.endpoint(`{"url":"https://example.com/hooks"}`)
	session := r.signIn(r.token)
	panel := "/console/panel?workflow=" + url.QueryEscape("approval/acme/"+id)
	const mayFrame = "frame-ancestors https://temporal.example.com"

	for name, c := range map[string]struct {
		session *http.Cookie
		path    string
		says    string
	}{
		"stranger":         {nil, panel, "Sign in to see here"},
		"no workflow":      {session, "/console/panel", "does not say which workflow"},
		"another workflow": {session, "/console/panel?workflow=recovery/acme/x/1", "nothing more to say"},
		"approval":         {session, panel, "<main"},
		"no such event":    {session, "/console/panel?workflow=event/acme/evt_0", "did not work"},
	} {
		w := r.browse("GET", c.path, "", c.session)
		require.Contains(t, w.Body.String(), c.says, name)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), mayFrame, name)
	}
	w := r.browse("GET", "/console/t/acme", "", session)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")

	pause := "/console/t/acme/endpoints/" + id + "/pause"
	w = r.browse("POST", pause, url.Values{"back": {panel}}.Encode(), session)
	require.Equal(t, panel+"&said=pause", w.Header().Get("Location"), "a button leads back into the frame")
	w = r.browse("POST", pause, url.Values{"back": {panel + "&said=resume"}}.Encode(), session)
	require.Equal(t, panel+"&said=pause", w.Header().Get("Location"), "which then tells of this button alone")
	w = r.browse("POST", strings.Replace(pause, id, "ep_none", 1), url.Values{"back": {panel}}.Encode(), session)
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Contains(t, w.Header().Get("Content-Security-Policy"), mayFrame, "an error stays in it")
	w = r.browse("POST", pause, url.Values{"back": {"https://evil.example/console/panel"}}.Encode(), session)
	require.NotContains(t, w.Header().Get("Location"), "evil")
}

func TestDocs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.browse("GET", "/docs", "", nil)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "/openapi.json")
	for path, status := range map[string]int{
		"/docs/swagger-ui.css": http.StatusOK, "/docs/swagger-ui-bundle.js": http.StatusOK, "/docs/nothing.js": http.StatusNotFound,
	} {
		w := r.browse("GET", path, "", nil)
		require.Equal(t, status, w.Code, path)
		if status == http.StatusOK {
			require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
		}
	}
}

func TestConsoleCanBeLeftOut(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.NoConsole = true })
	require.Equal(t, http.StatusNotFound, r.browse("GET", "/console", "", nil).Code)
}

func (r *rig) state(id string) string {
	r.t.Helper()
	var e struct{ State string }
	require.NoError(r.t, json.Unmarshal(r.do("GET", "/endpoints/"+id, "").Body.Bytes(), &e))
	return e.State
}

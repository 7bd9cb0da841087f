package gateway_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"hookloop/gateway"
	"hookloop/gateway/console"
)

// provider plays an OpenID Connect provider that can answer wrongly. e2e has a real one.
type provider struct {
	*httptest.Server

	t     *testing.T
	away  bool // it answers 503
	asked int  // requests for its discovery document
	key   *rsa.PrivateKey
	by    any           // signs ID tokens in key's place, if set; jwt.UnsafeAllowNoneSignatureType: nothing does
	nonce string        // that it puts into ID tokens
	form  url.Values    // what the console exchanged last
	gives string        // its access token
	aud   string        // of its ID tokens
	id    jwt.MapClaims // what they say besides
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := &provider{t: t, key: key, aud: "console"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if p.asked++; p.away {
			http.Error(w, "gone fishing", http.StatusServiceUnavailable)
			return
		}
		p.say(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}, "end_session_endpoint": p.URL + "/end?from=here",
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		encode := base64.RawURLEncoding.EncodeToString
		p.say(w, map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "alg": "RS256", "use": "sig", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.form = r.PostForm
		claims := jwt.MapClaims{"iss": p.URL, "aud": p.aud, "sub": "jane", "exp": time.Now().Add(time.Hour).Unix(), "nonce": p.nonce}
		maps.Copy(claims, p.id)
		p.say(w, map[string]any{"access_token": p.gives, "token_type": "Bearer", "id_token": p.signed(claims)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) signed(claims jwt.MapClaims) string {
	var method jwt.SigningMethod = jwt.SigningMethodRS256
	var key any = p.key
	switch by := p.by.(type) {
	case []byte:
		method, key = jwt.SigningMethodHS256, by
	case *rsa.PrivateKey:
		key = by
	case nil:
	default:
		method, key = jwt.SigningMethodNone, by
	}
	id, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		p.t.Error(err)
	}
	return id
}

// console is a gateway whose console sends people there.
func (p *provider) console(change func(*gateway.Config)) *rig {
	return newRigWith(p.t, func(c *gateway.Config) {
		c.OIDC = &console.OIDC{
			Issuer: p.URL, ClientID: "console", ClientSecret: "s3cr3t", Redirect: "https://h.example/console/oidc",
			Scopes: []string{"hooks"}, HTTP: p.Client(),
		}
		change(c)
	})
}

// leaves is what a browser takes along when it goes to the provider: what the console asks there,
// and its cookie.
func (r *rig) leaves(next string) (asked url.Values, state *http.Cookie) {
	r.t.Helper()
	w := r.browse("GET", "/console/oidc/start?next="+url.QueryEscape(next), "", nil)
	require.Equal(r.t, http.StatusSeeOther, w.Code, w.Body.String())
	to, err := url.Parse(w.Header().Get("Location"))
	require.NoError(r.t, err)
	return to.Query(), w.Result().Cookies()[0]
}

func (p *provider) say(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		p.t.Error(err)
	}
}

// comesBack is the answer to a browser that comes back from the provider, which it left with this
// cookie.
func (r *rig) comesBack(query url.Values, state *http.Cookie) *httptest.ResponseRecorder {
	return r.browse("GET", "/console/oidc?"+query.Encode(), "", state, "Sec-Fetch-Site", "cross-site")
}

// TestConsoleSignsInAtAProvider: with a token of the provider that the API believes, for as long as
// it is good.
func TestConsoleSignsInAtAProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	var late time.Duration
	r := p.console(func(c *gateway.Config) { c.Now = func() time.Time { return time.Now().Add(late) } })
	require.Contains(t, r.browse("GET", "/console/sign-in", "", nil).Body.String(), `href="https://h.example/console/oidc/start?next=`)
	p.gives = sign(t, everything())

	asked, state := r.leaves("/console/t/acme/events")
	require.Equal(t, []string{"console", "code", "openid hooks", "S256", "https://h.example/console/oidc"},
		[]string{asked.Get("client_id"), asked.Get("response_type"), asked.Get("scope"), asked.Get("code_challenge_method"), asked.Get("redirect_uri")})
	require.True(t, state.HttpOnly && state.Secure)
	require.Equal(t, "/console/oidc", state.Path)

	p.nonce = asked.Get("nonce")
	w := r.comesBack(url.Values{"code": {"c0de"}, "state": asked["state"], "iss": {p.URL}}, state)
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body.String())
	require.Equal(t, "/console/t/acme/events", w.Header().Get("Location"))
	require.Equal(t, []string{"c0de", "https://h.example/console/oidc"}, []string{p.form.Get("code"), p.form.Get("redirect_uri")})
	require.Equal(t, asked.Get("code_challenge"), oauth2.S256ChallengeFromVerifier(p.form.Get("code_verifier")))
	session := sessionOf(w)
	require.NotNil(t, session)
	require.Contains(t, r.browse("GET", "/console/t/acme", "", session).Body.String(), "tester")
	require.Empty(t, r.log.String())

	w = r.browse("POST", "/console/sign-out", "", session)
	require.Equal(t, "/console/sign-in?out", w.Header().Get("Location"))
	require.Negative(t, sessionOf(w).MaxAge)
	require.Contains(t, r.browse("GET", "/console/sign-in?out", "", nil).Body.String(), "/console/oidc/out")
	require.Equal(t, p.URL+"/end?client_id=console&from=here", r.browse("GET", "/console/oidc/out", "", nil).Header().Get("Location"))

	_, state = r.leaves("https://elsewhere.example/")
	late = 11 * time.Minute
	require.Equal(t, http.StatusUnauthorized, r.comesBack(url.Values{"code": {"c0de"}, "state": asked["state"]}, state).Code)
	require.Contains(t, newRig(t).browse("GET", "/console/oidc/start", "", nil).Header().Get("Location"), "/console/sign-in")
}

// TestConsoleRefusesOtherSignIns: of another browser, of another provider, with tokens that were
// made for others. Neither the page nor the log quotes what was given.
func TestConsoleRefusesOtherSignIns(t *testing.T) {
	t.Parallel()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		comes func(back url.Values) // the browser, otherwise than it was sent
		gives func(p *provider)     // the provider, otherwise than it should
		state bool                  // the browser has lost its cookie
		asked bool                  // the code is sent to the provider
		log   string
	}{
		"another browser":                 {state: true},
		"another state":                   {comes: func(b url.Values) { b.Set("state", "x") }},
		"no state":                        {comes: func(b url.Values) { b.Del("state") }},
		"refused":                         {comes: func(b url.Values) { b.Set("error", "access_denied<script>") }, log: "access_denied"},
		"another issuer answered":         {comes: func(b url.Values) { b.Set("iss", "https://evil.example") }, log: "evil.example"},
		"another nonce":                   {asked: true, gives: func(p *provider) { p.nonce = "another" }, log: "another nonce"},
		"another audience":                {asked: true, gives: func(p *provider) { p.aud = "another" }, log: "audience"},
		"another issuer":                  {asked: true, gives: func(p *provider) { p.id = jwt.MapClaims{"iss": "https://evil.example"} }, log: "issued by"},
		"another party":                   {asked: true, gives: func(p *provider) { p.id = jwt.MapClaims{"azp": "another"} }, log: "azp"},
		"several audiences":               {asked: true, gives: func(p *provider) { p.id = jwt.MapClaims{"aud": []string{"console", "another"}} }, log: "azp"},
		"another access token":            {asked: true, gives: func(p *provider) { p.id = jwt.MapClaims{"at_hash": "bm90IGl0cw"} }, log: "access token hash"},
		"an old token":                    {asked: true, gives: func(p *provider) { p.id = jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()} }, log: "expired"},
		"signed by another":               {asked: true, gives: func(p *provider) { p.by = other }, log: "verify"},
		"signed with the secret":          {asked: true, gives: func(p *provider) { p.by = []byte("s3cr3t") }, log: "signature algorithm"},
		"signed by nothing":               {asked: true, gives: func(p *provider) { p.by = jwt.UnsafeAllowNoneSignatureType }, log: "signature algorithm"},
		"tokens the API does not believe": {asked: true, gives: func(p *provider) { p.gives = "opaque" }, log: "not a JSON Web Token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			r := p.console(func(*gateway.Config) {})
			p.gives = sign(t, everything())
			asked, state := r.leaves("/console/t/acme/events")
			p.nonce = asked.Get("nonce")
			back := url.Values{"code": {"c0de"}, "state": asked["state"]}
			if tc.comes != nil {
				tc.comes(back)
			}
			if tc.gives != nil {
				tc.gives(p)
			}
			if tc.state {
				state = nil
			}
			w := r.comesBack(back, state)
			require.Equal(t, http.StatusUnauthorized, w.Code)
			require.Nil(t, sessionOf(w))
			require.Contains(t, w.Body.String(), "You are not signed in")
			require.Equal(t, tc.asked, p.form != nil)
			require.Contains(t, r.log.String(), tc.log)
			require.Equal(t, tc.log == "", r.log.Len() == 0)
			for _, secret := range []string{"<script>al", "c0de", "s3cr3t", "opaque", p.gives, asked.Get("state")} {
				require.NotContains(t, w.Body.String(), secret)
				require.NotContains(t, r.log.String(), secret)
			}
		})
	}
}

// TestConsoleWithoutItsProvider: people can paste a token, and the provider is not asked again by
// each of them.
func TestConsoleWithoutItsProvider(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.away = true
	now := time.Now()
	r := p.console(func(c *gateway.Config) { c.Now = func() time.Time { return now } })
	for range 20 {
		w := r.browse("GET", "/console/oidc/start?next=/console", "", nil)
		require.Equal(t, http.StatusUnauthorized, w.Code)
		require.Contains(t, w.Body.String(), "does not answer")
		require.NotContains(t, w.Body.String(), "fishing")
	}
	require.Equal(t, 1, p.asked)
	require.Contains(t, r.log.String(), "503")
	require.NotNil(t, r.signIn(sign(t, everything())))

	p.away, now = false, now.Add(time.Minute)
	asked, state := r.leaves("/console")
	now = now.Add(2 * time.Hour) // what the provider said of itself is old, and goes on counting
	p.away = true
	r.leaves("/console")
	require.NotEmpty(t, asked.Get("state"))
	require.NotEmpty(t, state.Value)
}

func sessionOf(w *httptest.ResponseRecorder) *http.Cookie {
	for _, c := range w.Result().Cookies() {
		if c.Name == "hookloop_session" {
			return c
		}
	}
	return nil
}

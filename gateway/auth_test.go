package gateway_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/gateway"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// with is a set of claims in which some differ; nil leaves one out.
func with(change jwt.MapClaims) jwt.MapClaims {
	c := everything()
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func TestTokensRefused(t *testing.T) {
	t.Parallel()
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, everything()).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	hs512, err := jwt.NewWithClaims(jwt.SigningMethodHS512, everything()).SignedString(hmacKey)
	require.NoError(t, err)
	otherKey, err := jwt.NewWithClaims(jwt.SigningMethodHS256, everything()).SignedString([]byte("another key, as long as the first"))
	require.NoError(t, err)

	for name, c := range map[string]struct {
		token  string
		status int
		code   webhook.Code
		says   string
	}{
		"no token":             {"", 401, gateway.Unauthenticated, "missing"},
		"garbage":              {"garbage", 401, gateway.Unauthenticated, "not a JSON Web Token"},
		"three parts":          {"a.b.c", 401, gateway.Unauthenticated, "not a JSON Web Token"},
		"alg none":             {unsigned, 401, gateway.Unauthenticated, "algorithm"},
		"another alg":          {hs512, 401, gateway.Unauthenticated, "algorithm"},
		"another key":          {otherKey, 401, gateway.Unauthenticated, "signature"},
		"expired":              {sign(t, with(jwt.MapClaims{"exp": time.Now().Add(-2 * time.Minute).Unix()})), 401, gateway.Unauthenticated, "expired"},
		"not yet valid":        {sign(t, with(jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})), 401, gateway.Unauthenticated, "not valid yet"},
		"no exp":               {sign(t, with(jwt.MapClaims{"exp": nil})), 401, gateway.Unauthenticated, "lacks the claim exp"},
		"no iss":               {sign(t, with(jwt.MapClaims{"iss": nil})), 401, gateway.Unauthenticated, "lacks the claim iss"},
		"no aud":               {sign(t, with(jwt.MapClaims{"aud": nil})), 401, gateway.Unauthenticated, "lacks the claim aud"},
		"no sub":               {sign(t, with(jwt.MapClaims{"sub": nil})), 401, gateway.Unauthenticated, "lacks the claim sub"},
		"empty sub":            {sign(t, with(jwt.MapClaims{"sub": ""})), 401, gateway.Unauthenticated, "lacks the claim sub"},
		"another audience":     {sign(t, with(jwt.MapClaims{"aud": "else"})), 401, gateway.Unauthenticated, "audience"},
		"another issuer":       {sign(t, with(jwt.MapClaims{"iss": "else"})), 401, gateway.Unauthenticated, "issuer"},
		"tenants of numbers":   {sign(t, with(jwt.MapClaims{"tenants": []int{1}})), 401, gateway.Unauthenticated, "has a claim tenants that is not a text or a list of texts"},
		"null among tenants":   {sign(t, with(jwt.MapClaims{"tenants": []any{"acme", nil}})), 401, gateway.Unauthenticated, "has a claim tenants that is not"},
		"scope an object":      {sign(t, with(jwt.MapClaims{"scope": map[string]bool{"events:write": true}})), 401, gateway.Unauthenticated, "has a claim scope that is not"},
		"exp as a text":        {sign(t, with(jwt.MapClaims{"exp": "4102444800"})), 401, gateway.Unauthenticated, "has a claim exp that is not a number"},
		"nbf as a text":        {sign(t, with(jwt.MapClaims{"nbf": "1"})), 401, gateway.Unauthenticated, "has a claim nbf that is not a number"},
		"sub a number":         {sign(t, with(jwt.MapClaims{"sub": 7})), 401, gateway.Unauthenticated, "has a claim sub that is not a text"},
		"aud an object":        {sign(t, with(jwt.MapClaims{"aud": map[string]int{}})), 401, gateway.Unauthenticated, "has a claim aud that is not"},
		"crit":                 {critical(t), 401, gateway.Unauthenticated, "crit"},
		"tenants as text":      {sign(t, with(jwt.MapClaims{"tenants": "other acme2"})), 403, gateway.WrongTenant, "tenant"},
		"list of scopes":       {sign(t, with(jwt.MapClaims{"scope": []string{"events:read", "events:read events:write"}})), 403, gateway.MissingScope, "events:write"},
		"another tenant":       {sign(t, with(jwt.MapClaims{"tenants": []string{"other"}})), 403, gateway.WrongTenant, "tenant"},
		"no tenant":            {sign(t, with(jwt.MapClaims{"tenants": nil})), 403, gateway.WrongTenant, "tenant"},
		"part of a tenant":     {sign(t, with(jwt.MapClaims{"tenants": []string{"acm", "acme2", "a*"}})), 403, gateway.WrongTenant, "tenant"},
		"another scope":        {sign(t, with(jwt.MapClaims{"scope": "events:read endpoints:write"})), 403, gateway.MissingScope, "events:write"},
		"no scope":             {sign(t, with(jwt.MapClaims{"scope": nil})), 403, gateway.MissingScope, "events:write"},
		"scope without spaces": {sign(t, with(jwt.MapClaims{"scope": "events:read,events:write"})), 403, gateway.MissingScope, "events:write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.token = c.token
			w := r.do("POST", "/events", "not even JSON") // who may not write learns nothing about the body
			p := refused(t, w, c.status, c.code)
			require.Contains(t, p.Detail, c.says)
			require.Zero(t, r.temporal.Starts())
			if c.status == 401 {
				require.Contains(t, w.Header().Get("WWW-Authenticate"), "Bearer")
			}
			if len(c.token) > 20 {
				require.NotContains(t, w.Body.String()+r.log.String(), c.token[len(c.token)-20:])
			}
		})
	}
}

// critical is a token that is good only to readers who know an extension.
func critical(t *testing.T) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, everything())
	token.Header["crit"], token.Header["b64"] = []string{"b64"}, true
	signed, err := token.SignedString(hmacKey)
	require.NoError(t, err)
	return signed
}

// TestTokensTaken: identity providers' clocks and their ways to write a list.
func TestTokensTaken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, c := range map[string]jwt.MapClaims{
		"clock ahead":     {"nbf": time.Now().Add(50 * time.Second).Unix(), "iat": time.Now().Add(50 * time.Second).Unix()},
		"just expired":    {"exp": time.Now().Add(-10 * time.Second).Unix()},
		"scope as list":   {"scope": []string{"endpoints:write", "endpoints:read"}},
		"tenants as text": {"tenants": "acme"},
		"several":         {"tenants": "other acme"},
		"all as text":     {"tenants": "*"},
		"aud in a list":   {"aud": []string{"else", "hookloop"}},
	} {
		require.Equal(t, 200, r.do("GET", "/endpoints", "", "Authorization", "Bearer "+sign(t, with(c))).Code, name)
	}
}

func TestOtherAuthorizationSchemes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, header := range []string{"", "Basic YTpi", "Bearer", "Bearer ", r.token} {
		refused(t, r.do("GET", "/endpoints", "", "Authorization", header), 401, gateway.Unauthenticated)
	}
	require.Equal(t, 200, r.do("GET", "/endpoints", "", "Authorization", "bearer "+r.token).Code)
}

// TestEveryOperationNeedsItsScope asks each with every scope but its own.
func TestEveryOperationNeedsItsScope(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []struct{ method, path, scope string }{
		{"POST", "/events", "events:write"},
		{"GET", "/events", "events:read"},
		{"GET", "/events/evt_1", "events:read"},
		{"POST", "/endpoints", "endpoints:write"},
		{"GET", "/endpoints", "endpoints:read"},
		{"GET", "/endpoints/ep_1", "endpoints:read"},
		{"PATCH", "/endpoints/ep_1", "endpoints:write"},
		{"DELETE", "/endpoints/ep_1", "endpoints:write"},
		{"GET", "/endpoints/ep_1/secret", "endpoints:write"},
		{"POST", "/endpoints/ep_1/secret/rotate", "endpoints:write"},
		{"POST", "/endpoints/ep_1/test", "endpoints:write"},
		{"POST", "/endpoints/ep_1/pause", "endpoints:write"},
		{"POST", "/endpoints/ep_1/resume", "endpoints:write"},
		{"GET", "/approvals", "approvals:read"},
		{"GET", "/approvals/ep_1", "approvals:read"},
		{"POST", "/approvals/ep_1/approve", "approvals:write"},
		{"POST", "/approvals/ep_1/reject", "approvals:write"},
		{"POST", "/events/evt_1/redeliver", "events:write"},
		{"POST", "/events/evt_1/deliveries/ep_1/retry-now", "events:write"},
		{"POST", "/events/evt_1/deliveries/ep_1/cancel", "events:write"},
		{"POST", "/endpoints/ep_1/recover", "endpoints:write"},
		{"GET", "/endpoints/ep_1/recover", "endpoints:read"},
		{"DELETE", "/endpoints/ep_1/recover", "endpoints:write"},
	} {
		others := ""
		for _, s := range []string{"events:read", "events:write", "endpoints:read", "endpoints:write", "approvals:read", "approvals:write"} {
			if s != c.scope {
				others += s + " "
			}
		}
		r.token = sign(t, with(jwt.MapClaims{"scope": others}))
		p := refused(t, r.do(c.method, c.path, ""), 403, gateway.MissingScope)
		require.Contains(t, p.Detail, c.scope, c.method+c.path)
	}
}

func TestTenantsInTheirGrammar(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := refused(t, r.do("GET", "=/v1/tenants/a'b/endpoints", ""), 422, webhook.Invalid)
	require.Equal(t, "tenant", p.Errors[0].Field)
}

func TestVerifierConfigurations(t *testing.T) {
	t.Parallel()
	good := gateway.AuthConfig{Issuer: "i", Audience: "a"}
	empty := filepath.Join(t.TempDir(), "empty.json")
	require.NoError(t, os.WriteFile(empty, []byte(`{"keys":[]}`), 0o600))
	junk := filepath.Join(t.TempDir(), "junk.json")
	require.NoError(t, os.WriteFile(junk, []byte(`whsec_junk`), 0o600))
	for says, change := range map[string]func(*gateway.AuthConfig){
		"exactly one":           func(*gateway.AuthConfig) {},
		"one of a secret":       func(c *gateway.AuthConfig) { c.Secret, c.JWKSURL = hmacKey, "https://example.com" },
		"at least 32":           func(c *gateway.AuthConfig) { c.Secret = hmacKey[:31] },
		"Issuer and":            func(c *gateway.AuthConfig) { c.Secret, c.Issuer = hmacKey, "" },
		"no such file":          func(c *gateway.AuthConfig) { c.JWKSFile = empty + "x" },
		"holds no key":          func(c *gateway.AuthConfig) { c.JWKSFile = empty },
		"not a JSON Web Key":    func(c *gateway.AuthConfig) { c.JWKSFile = junk },
		"not an http or https ": func(c *gateway.AuthConfig) { c.JWKSURL = "file:///etc/keys" },
	} {
		c := good
		change(&c)
		_, err := gateway.NewVerifier(c)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "whsec_")
	}
}

// issuer signs tokens and publishes its keys, as an identity provider does.
type issuer struct {
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
	keys    atomic.Pointer[jwkset.MemoryJWKSet]
	asked   atomic.Int64
	down    atomic.Bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	var err error
	i.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	i.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, i.ed25519, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	i.publish(t, map[string]crypto.Signer{"rsa": i.rsa, "ecdsa": i.ecdsa, "ed25519": i.ed25519})
	return i
}

func jwksFetcher(t *testing.T) *sender.Fetcher {
	t.Helper()
	f := sender.NewFetcher(sender.FetcherConfig{OwnAddresses: true})
	t.Cleanup(f.Close)
	return f
}

func (i *issuer) publish(t *testing.T, keys map[string]crypto.Signer) {
	t.Helper()
	set := jwkset.NewMemoryStorage()
	for id, k := range keys {
		key, err := jwkset.NewJWKFromKey(k.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id}})
		require.NoError(t, err)
		require.NoError(t, set.KeyWrite(t.Context(), key))
	}
	i.keys.Store(set)
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.asked.Add(1)
	if i.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	raw, _ := i.keys.Load().JSONPublic(r.Context())
	_, _ = w.Write(raw)
}

func (i *issuer) sign(t *testing.T, m jwt.SigningMethod, key any, kid string) string {
	t.Helper()
	token := jwt.NewWithClaims(m, everything())
	if kid != "" {
		token.Header["kid"] = kid
	}
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

func TestKeySets(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	srv := httptest.NewServer(i)
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "jwks.json")
	raw, err := i.keys.Load().JSONPublic(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, raw, 0o600))

	for _, c := range []gateway.AuthConfig{{JWKSFile: file}, {JWKSURL: srv.URL, Fetch: jwksFetcher(t)}} {
		c.Issuer, c.Audience = "hookloop", "hookloop"
		v, err := gateway.NewVerifier(c)
		require.NoError(t, err)
		defer v.Close()
		for kid, token := range map[string]string{
			"rsa": i.sign(t, jwt.SigningMethodRS256, i.rsa, "rsa"), "ecdsa": i.sign(t, jwt.SigningMethodES256, i.ecdsa, "ecdsa"),
			"ed25519": i.sign(t, jwt.SigningMethodEdDSA, i.ed25519, "ed25519"), "none named": i.sign(t, jwt.SigningMethodES256, i.ecdsa, ""),
		} {
			who, err := v.Verify(t.Context(), token)
			require.NoError(t, err, kid)
			require.Equal(t, "tester", who.Subject)
		}
		for name, token := range map[string]string{
			"alg confusion":   i.sign(t, jwt.SigningMethodHS256, publicPEM(t, i.rsa), "rsa"),
			"no kid":          i.sign(t, jwt.SigningMethodHS256, publicPEM(t, i.rsa), ""),
			"HS256":           sign(t, everything()),
			"RS512":           i.sign(t, jwt.SigningMethodRS512, i.rsa, "rsa"),
			"key of another":  i.sign(t, jwt.SigningMethodRS256, i.rsa, "ecdsa"),
			"stranger's key":  newIssuer(t).sign(t, jwt.SigningMethodES256, i.ecdsa, "unknown"),
			"stranger's sign": i.sign(t, jwt.SigningMethodES256, newIssuer(t).ecdsa, "ecdsa"),
		} {
			_, err := v.Verify(t.Context(), token)
			require.Equal(t, gateway.Unauthenticated, webhook.CodeOf(err), "%s: %v", name, err)
		}
	}
}

func publicPEM(t *testing.T, k *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestNewKeyIsFoundAndStrangersAreNotAskedFor(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	srv := httptest.NewServer(i)
	defer srv.Close()
	v, err := gateway.NewVerifier(gateway.AuthConfig{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()

	next := newIssuer(t)
	i.publish(t, map[string]crypto.Signer{"next": next.ecdsa})
	_, err = v.Verify(t.Context(), next.sign(t, jwt.SigningMethodES256, next.ecdsa, "next"))
	require.NoError(t, err)
	asked := i.asked.Load()
	for range 20 {
		_, err = v.Verify(t.Context(), next.sign(t, jwt.SigningMethodES256, next.ecdsa, "made up"))
		require.Equal(t, gateway.Unauthenticated, webhook.CodeOf(err))
	}
	require.Equal(t, asked, i.asked.Load())
}

func TestKeysOutOfReachAreNotTheTokensFault(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.down.Store(true)
	srv := httptest.NewServer(i)
	defer srv.Close()
	v, err := gateway.NewVerifier(gateway.AuthConfig{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()
	r := newRigWith(t, func(c *gateway.Config) { c.Auth = v })
	r.token = i.sign(t, jwt.SigningMethodES256, i.ecdsa, "")
	w := r.do("GET", "/endpoints", "")
	refused(t, w, 503, gateway.Unavailable)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
}

func TestKeysComeBack(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.down.Store(true)
	srv := httptest.NewServer(i)
	defer srv.Close()
	v, err := gateway.NewVerifier(gateway.AuthConfig{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()
	i.down.Store(false)
	token := i.sign(t, jwt.SigningMethodES256, i.ecdsa, "")
	require.Eventually(t, func() bool {
		_, err = v.Verify(t.Context(), token)
		return err == nil
	}, patience, 10*time.Millisecond)
}

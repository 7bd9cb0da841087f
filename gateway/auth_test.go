package gateway_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/gateway/auth"
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
		"no token":             {"", 401, api.Unauthenticated, "missing"},
		"garbage":              {"garbage", 401, api.Unauthenticated, "not a JSON Web Token"},
		"three parts":          {"a.b.c", 401, api.Unauthenticated, "not a JSON Web Token"},
		"alg none":             {unsigned, 401, api.Unauthenticated, "algorithm"},
		"another alg":          {hs512, 401, api.Unauthenticated, "algorithm"},
		"another key":          {otherKey, 401, api.Unauthenticated, "signature"},
		"expired":              {sign(t, with(jwt.MapClaims{"exp": time.Now().Add(-2 * time.Minute).Unix()})), 401, api.Unauthenticated, "expired"},
		"not yet valid":        {sign(t, with(jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})), 401, api.Unauthenticated, "not valid yet"},
		"no exp":               {sign(t, with(jwt.MapClaims{"exp": nil})), 401, api.Unauthenticated, "lacks the claim exp"},
		"no iss":               {sign(t, with(jwt.MapClaims{"iss": nil})), 401, api.Unauthenticated, "lacks the claim iss"},
		"no aud":               {sign(t, with(jwt.MapClaims{"aud": nil})), 401, api.Unauthenticated, "lacks the claim aud"},
		"no sub":               {sign(t, with(jwt.MapClaims{"sub": nil})), 401, api.Unauthenticated, "lacks the claim sub"},
		"empty sub":            {sign(t, with(jwt.MapClaims{"sub": ""})), 401, api.Unauthenticated, "lacks the claim sub"},
		"another audience":     {sign(t, with(jwt.MapClaims{"aud": "else"})), 401, api.Unauthenticated, "audience"},
		"another issuer":       {sign(t, with(jwt.MapClaims{"iss": "else"})), 401, api.Unauthenticated, "issuer"},
		"tenants of numbers":   {sign(t, with(jwt.MapClaims{"tenants": []int{1}})), 401, api.Unauthenticated, "has a claim tenants that is not a text or a list of texts"},
		"null among tenants":   {sign(t, with(jwt.MapClaims{"tenants": []any{"acme", nil}})), 401, api.Unauthenticated, "has a claim tenants that is not"},
		"scope an object":      {sign(t, with(jwt.MapClaims{"scope": map[string]bool{"events:write": true}})), 401, api.Unauthenticated, "has a claim scope that is not"},
		"exp as a text":        {sign(t, with(jwt.MapClaims{"exp": "4102444800"})), 401, api.Unauthenticated, "has a claim exp that is not a number"},
		"nbf as a text":        {sign(t, with(jwt.MapClaims{"nbf": "1"})), 401, api.Unauthenticated, "has a claim nbf that is not a number"},
		"sub a number":         {sign(t, with(jwt.MapClaims{"sub": 7})), 401, api.Unauthenticated, "has a claim sub that is not a text"},
		"aud an object":        {sign(t, with(jwt.MapClaims{"aud": map[string]int{}})), 401, api.Unauthenticated, "has a claim aud that is not"},
		"crit":                 {critical(t), 401, api.Unauthenticated, "crit"},
		"tenants as text":      {sign(t, with(jwt.MapClaims{"tenants": "other acme2"})), 403, api.WrongTenant, "tenant"},
		"list of scopes":       {sign(t, with(jwt.MapClaims{"scope": []string{"events:read", "events:read events:write"}})), 403, api.MissingScope, "events:write"},
		"another tenant":       {sign(t, with(jwt.MapClaims{"tenants": []string{"other"}})), 403, api.WrongTenant, "tenant"},
		"no tenant":            {sign(t, with(jwt.MapClaims{"tenants": nil})), 403, api.WrongTenant, "tenant"},
		"part of a tenant":     {sign(t, with(jwt.MapClaims{"tenants": []string{"acm", "acme2", "a*"}})), 403, api.WrongTenant, "tenant"},
		"another scope":        {sign(t, with(jwt.MapClaims{"scope": "events:read endpoints:write"})), 403, api.MissingScope, "events:write"},
		"no scope":             {sign(t, with(jwt.MapClaims{"scope": nil})), 403, api.MissingScope, "events:write"},
		"scope without spaces": {sign(t, with(jwt.MapClaims{"scope": "events:read,events:write"})), 403, api.MissingScope, "events:write"},
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
		refused(t, r.do("GET", "/endpoints", "", "Authorization", header), 401, api.Unauthenticated)
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
		p := refused(t, r.do(c.method, c.path, ""), 403, api.MissingScope)
		require.Contains(t, p.Detail, c.scope, c.method+c.path)
	}
}

func TestTenantsInTheirGrammar(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p := refused(t, r.do("GET", "=/v1/tenants/a'b/endpoints", ""), 422, webhook.Invalid)
	require.Equal(t, "tenant", p.Errors[0].Field)
}

type keysAway struct{ error }

func (keysAway) Away() string { return "the keys" }

func (k keysAway) Verify(context.Context, string) (auth.Principal, error) { return auth.Principal{}, k }

func TestKeysOutOfReachAreNotTheTokensFault(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.Auth = keysAway{errTest} })
	w := r.do("GET", "/endpoints", "")
	refused(t, w, 503, api.Unavailable)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
}

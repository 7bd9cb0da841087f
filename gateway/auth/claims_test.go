package auth_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/webhook"
)

// verify says who a token with some claims of its own speaks for.
func verify(t *testing.T, own jwt.MapClaims) (auth.Principal, error) {
	t.Helper()
	v, err := auth.New(auth.Config{Secret: hmacKey, Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	c := everything()
	maps.Copy(c, own)
	return v.Verify(t.Context(), sign(t, c))
}

// TestAConfinedTokenActsForAnOwner: it says so in its name, whoever it was given to.
func TestAConfinedTokenActsForAnOwner(t *testing.T) {
	t.Parallel()
	hundred := strings.TrimSpace(strings.Repeat("ep_1 ", 100))
	for name, tc := range map[string]struct {
		own     jwt.MapClaims
		subject string
		to      auth.Confined
	}{
		"not confined":  {jwt.MapClaims{}, "tester", auth.Confined{}},
		"to a list":     {jwt.MapClaims{"endpoints": []string{"ep_1", "ep_2"}}, "portal:ep_1 (tester)", auth.Confined{Endpoints: []string{"ep_1", "ep_2"}}},
		"to a text":     {jwt.MapClaims{"endpoints": "ep_1"}, "portal:ep_1 (tester)", auth.Confined{Endpoints: []string{"ep_1"}}},
		"to an owner's": {jwt.MapClaims{"owner": "shop-1"}, "portal:shop-1 (tester)", auth.Confined{Owner: "shop-1"}},
		"to both":       {jwt.MapClaims{"owner": "shop-1", "endpoints": "ep_1"}, "portal:shop-1 (tester)", auth.Confined{Endpoints: []string{"ep_1"}, Owner: "shop-1"}},
		"to a hundred":  {jwt.MapClaims{"endpoints": hundred}, "portal:ep_1 (tester)", auth.Confined{Endpoints: strings.Fields(hundred)}},
	} {
		tc.own["tenants"], tc.own["scope"] = "acme", "endpoints:read events:read"
		who, err := verify(t, tc.own)
		require.NoError(t, err, name)
		require.Equal(t, auth.Principal{
			Subject: tc.subject, Tenants: []string{"acme"}, Scopes: []string{"endpoints:read", "events:read"}, Confined: tc.to,
		}, who, name)
		require.Equal(t, name != "not confined", who.IsConfined())
		require.False(t, who.EveryTenant())
	}
	longest := strings.Repeat("a", 128)
	who, err := verify(t, jwt.MapClaims{"tenants": "acme", "owner": longest})
	require.NoError(t, err)
	require.Equal(t, longest, who.Owner)
}

// TestATokenThatIsMeantToBeConfinedIs, or is not believed: a mistake of who made it must not open
// everything.
func TestATokenThatIsMeantToBeConfinedIs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		own  jwt.MapClaims
		says string
	}{
		"to an empty list":      {jwt.MapClaims{"endpoints": []string{}}, "endpoints that is not a list of at least one endpoint's id"},
		"to an empty text":      {jwt.MapClaims{"endpoints": " "}, "endpoints that is not a list of at least one"},
		"to more than it reads": {jwt.MapClaims{"endpoints": strings.Repeat("ep_1 ", 101)}, "endpoints that is not a list of at most 100 ids"},
		"to no owner's":         {jwt.MapClaims{"owner": ""}, "owner that is not a text of 1 to 128 bytes"},
		"to a long owner's":     {jwt.MapClaims{"owner": strings.Repeat("a", 129)}, "owner that is not a text of 1 to 128 bytes"},
		"owner is a number":     {jwt.MapClaims{"owner": 7}, "owner that is not a text"},
		"in two tenants":        {jwt.MapClaims{"owner": "shop-1", "tenants": "acme other"}, "tenants that is not one tenant"},
		"in every tenant":       {jwt.MapClaims{"endpoints": "ep_1", "tenants": "*"}, "tenants that is not one tenant"},
		"in no tenant":          {jwt.MapClaims{"endpoints": "ep_1", "tenants": []string{}}, "tenants that is not one tenant"},
		"endpoint, misspelt":    {jwt.MapClaims{"endpoint": "ep_1"}, "endpoint that is not known here: endpoints and owner confine a token"},
		"owners, misspelt":      {jwt.MapClaims{"owners": "shop-1"}, "owners that is not known here"},
		"named as a link":       {jwt.MapClaims{"sub": "portal:jane"}, "sub that is not free"},
	} {
		own := jwt.MapClaims{"tenants": "acme"}
		maps.Copy(own, tc.own)
		who, err := verify(t, own)
		require.ErrorContains(t, err, tc.says, name)
		require.Equal(t, api.Unauthenticated, webhook.CodeOf(err), name)
		require.Equal(t, auth.Principal{}, who)
	}
}

// TestAPrincipalMayDoWhatItsTokenSays, where it says so.
func TestAPrincipalMayDoWhatItsTokenSays(t *testing.T) {
	t.Parallel()
	one := auth.Principal{Tenants: []string{"acme"}, Scopes: []string{"events:read"}}
	require.NoError(t, one.Allow("acme", "events:read"))
	require.Equal(t, api.WrongTenant, webhook.CodeOf(one.Allow("other", "events:read")))
	require.Equal(t, api.MissingScope, webhook.CodeOf(one.Allow("acme", "events:write")))
	all := auth.Principal{Tenants: []string{"*"}, Scopes: []string{"events:read"}}
	require.NoError(t, all.Allow("other", "events:read"))
	require.Equal(t, api.MissingScope, webhook.CodeOf(all.Allow("other", "events:write")))

	require.Equal(t, auth.Principal{}, auth.Of(t.Context()), "no one has asked")
	ctx := auth.With(t.Context(), auth.Principal{Subject: "jane"})
	require.Equal(t, "jane", auth.Of(ctx).Subject)
	require.Equal(t, webhook.Actor{Name: "jane", Via: webhook.ViaAPI}, webhook.ActorOf(ctx))
}

func TestABearerTokenIsWhatFollowsItsScheme(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{"Bearer abc": "abc", "bearer  abc ": "abc", "BEARER a b": "a b"} {
		token, err := auth.Bearer(header)
		require.NoError(t, err)
		require.Equal(t, want, token)
	}
	for _, bad := range []string{"", "abc", "Bearer", "Bearer  ", "Basic abc", "Bearerabc"} {
		token, err := auth.Bearer(bad)
		require.Equal(t, api.Unauthenticated, webhook.CodeOf(err), bad)
		require.Empty(t, token)
	}
}

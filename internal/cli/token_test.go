package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/token"
	"hookloop/internal/webhook"
)

// secretFolder is a data folder with a secret as `hookloop dev` makes it.
func secretFolder(t *testing.T) (folder string, secret []byte) {
	t.Helper()
	folder = t.TempDir()
	secret, err := token.NewSecret()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "jwt.secret"), secret, 0o600))
	return folder, secret
}

func parseToken(t *testing.T, signed string, secret []byte) token.Claims {
	t.Helper()
	var c token.Claims
	_, err := jwt.ParseWithClaims(signed, &c, func(*jwt.Token) (any, error) { return secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuer("hookloop"), jwt.WithAudience("hookloop"))
	require.NoError(t, err)
	return c
}

func TestTokenIsBare(t *testing.T) {
	t.Parallel()
	folder, secret := secretFolder(t)
	out := hookloop(t, "token", "--data", folder).ok(t)
	c := parseToken(t, strings.TrimSuffix(out, "\n"), secret)
	require.NotEmpty(t, c.Subject)
	require.Equal(t, []string{"*"}, c.Tenants)
	require.Equal(t, strings.Join(api.Scopes(), " "), c.Scope)
	require.WithinDuration(t, time.Now().Add(time.Hour), c.ExpiresAt.Time, time.Minute)
}

func TestTokenJSON(t *testing.T) {
	t.Parallel()
	folder, secret := secretFolder(t)
	out := hookloop(t, "token", "--data", folder, "--json", "--sub", "crm", "--tenant", "acme", "--tenant", "b",
		"--scope", "events:write events:read", "--scope", "audit:read", "--ttl", "90s").ok(t)
	var got mintedToken
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	c := parseToken(t, got.Token, secret)
	require.Equal(t, "crm", c.Subject)
	require.Equal(t, "crm", got.Subject)
	require.Equal(t, []string{"acme", "b"}, c.Tenants)
	require.Equal(t, "events:write events:read audit:read", c.Scope)
	require.Equal(t, c.Scope, got.Scope)
	require.True(t, c.ExpiresAt.Equal(got.ExpiresAt), "%s is not %s", got.ExpiresAt, c.ExpiresAt)
}

// Not parallel: the environment is the process's.
func TestTokenFromTheEnvironment(t *testing.T) {
	secret := strings.Repeat("s", webhook.MinTokenSecret)
	t.Setenv("HOOKLOOP_JWT_SECRET", secret)
	t.Setenv("HOOKLOOP_JWT_AUDIENCE", "elsewhere")
	folder, _ := secretFolder(t)
	out := hookloop(t, "token", "--data", folder).ok(t)
	var c token.Claims
	_, err := jwt.ParseWithClaims(strings.TrimSpace(out), &c, func(*jwt.Token) (any, error) { return []byte(secret), nil })
	require.NoError(t, err)
	require.Equal(t, jwt.ClaimStrings{"elsewhere"}, c.Audience)

	t.Setenv("HOOKLOOP_JWT_SECRET", "")
	t.Setenv("HOOKLOOP_JWT_JWKS_FILE", "keys.json")
	require.Contains(t, hookloop(t, "token", "--data", folder).fails(t, 1), "public keys only")
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	folder, secret := secretFolder(t)
	for _, args := range [][]string{
		{"--scope", "events:wirte"}, {"--scope", ""}, {"--ttl", "0s"}, {"--ttl", "-1h"}, {"--sub", ""}, {"--tenant", ""}, {"extra"},
	} {
		r := hookloop(t, append([]string{"token", "--data", folder}, args...)...)
		require.NotContains(t, r.fails(t, 2), string(secret))
	}
	require.Contains(t, hookloop(t, "token", "--data", t.TempDir()).fails(t, 1), "jwt.secret to sign with")

	short := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(short, "jwt.secret"), bytes.Repeat([]byte("k"), 31), 0o600))
	require.Contains(t, hookloop(t, "token", "--data", short).fails(t, 1), "31 bytes")
}

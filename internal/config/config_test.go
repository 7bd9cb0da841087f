package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/config"
)

const secret = "0123456789abcdef0123456789abcdef"

// env is an environment of "NAME=value" pairs.
func env(pairs ...string) config.Env {
	return func(name string) string {
		for _, p := range pairs {
			if n, v, _ := strings.Cut(p, "="); n == name {
				return v
			}
		}
		return ""
	}
}

func TestReadJWT(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		env     config.Env
		want    config.JWT
		problem string
	}{
		"nothing":       {env: env(), want: config.JWT{Issuer: "hookloop", Audience: "hookloop"}},
		"a secret":      {env: env("HOOKLOOP_JWT_SECRET=" + secret), want: config.JWT{Secret: []byte(secret), Issuer: "hookloop", Audience: "hookloop"}},
		"a short one":   {env: env("HOOKLOOP_JWT_SECRET=short"), problem: "has 5 bytes, HS256 needs at least 32"},
		"names":         {env: env("HOOKLOOP_JWT_ISSUER=me", "HOOKLOOP_JWT_AUDIENCE=you"), want: config.JWT{Issuer: "me", Audience: "you"}},
		"two keys":      {env: env("HOOKLOOP_JWT_SECRET="+secret, "HOOKLOOP_JWT_JWKS_URL=https://x"), problem: "not several"},
		"a file of its": {env: env("HOOKLOOP_JWT_JWKS_FILE=keys.json"), want: config.JWT{JWKSFile: "keys.json", Issuer: "hookloop", Audience: "hookloop"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := config.ReadJWT(tc.env)
			if tc.problem != "" {
				require.ErrorContains(t, err, tc.problem)
				require.NotContains(t, err.Error(), "short")
				return
			}
			require.NoError(t, err)
			if tc.want.Secret == nil {
				tc.want.Secret = []byte{}
			}
			require.Equal(t, tc.want, got)
		})
	}
}

func TestReadServeNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := config.ReadServe(env())
	for _, name := range []string{"HOOKLOOP_JWT_SECRET", "HOOKLOOP_REGISTRY is required", "HOOKLOOP_REGISTRY_KEY_FILE is required"} {
		require.ErrorContains(t, err, name)
	}
}

func TestReadServe(t *testing.T) {
	t.Parallel()
	s, err := config.ReadServe(env("HOOKLOOP_JWT_SECRET="+secret, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_REGISTRY_KEY_FILE=r.key"))
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8080", s.Listen)
	require.Equal(t, "r.db", s.Registry)
}

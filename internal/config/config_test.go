package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

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
			require.Equal(t, tc.want, got)
		})
	}
}

func TestReadServiceNamesEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := config.ReadService(env("HOOKLOOP_LISTEN=8080", "HOOKLOOP_RETENTION=1h", "HOOKLOOP_PUBLIC_URL=x"), config.RoleServe)
	for _, name := range []string{
		"HOOKLOOP_JWT_SECRET", "HOOKLOOP_REGISTRY is required", "HOOKLOOP_REGISTRY_KEY_FILE is required",
		"HOOKLOOP_LISTEN must be host:port", "HOOKLOOP_RETENTION must be", "HOOKLOOP_PUBLIC_URL must be",
	} {
		require.ErrorContains(t, err, name)
	}
	_, err = config.ReadService(env("HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_REGISTRY_KEY_FILE=r.key", "HOOKLOOP_OPS_LISTEN=x"), config.RoleWorker)
	require.EqualError(t, err, "HOOKLOOP_OPS_LISTEN must be host:port, like 127.0.0.1:8080", "a worker asks for no token")
	_, err = config.ReadService(env("HOOKLOOP_REGISTRY=r.db"), config.RoleMigrate)
	require.NoError(t, err)
}

func TestReadService(t *testing.T) {
	t.Parallel()
	s, err := config.ReadService(env("HOOKLOOP_JWT_SECRET="+secret, "HOOKLOOP_REGISTRY=postgres://u:p@h/db", "HOOKLOOP_REGISTRY_KEY_FILE=r.key",
		"HOOKLOOP_RETENTION=720h", "HOOKLOOP_UI_ORIGINS=https://a, https://b"), config.RoleServe)
	require.NoError(t, err)
	require.EqualValues(t, "127.0.0.1:8080", s.Listen)
	require.True(t, s.OnPostgres())
	require.EqualValues(t, 720*time.Hour, s.Retention)
	require.Equal(t, config.Words{"https://a", "https://b"}, s.UIOrigins)
}

func TestSettingsHideSecrets(t *testing.T) {
	t.Parallel()
	values := map[string]string{}
	for _, s := range config.Settings(env("HOOKLOOP_JWT_SECRET="+secret, "HOOKLOOP_REGISTRY=postgres://u:s3cr3t@h/db?sslpassword=s3cr3t")) {
		values[s.Name] = s.Value
		require.NotContains(t, s.Value, secret)
		require.NotContains(t, s.Value, "s3cr3t")
	}
	require.Equal(t, "***", values["HOOKLOOP_JWT_SECRET"])
	require.Equal(t, "postgres://u:xxxxx@h/db?sslpassword=xxxxx", values["HOOKLOOP_REGISTRY"])
	require.Equal(t, "127.0.0.1:8080", values["HOOKLOOP_LISTEN"])
	require.Len(t, values, len(config.Names()))
}

// TestRegistryIsAURLOrAPath: what is neither is refused and shown nowhere.
func TestRegistryIsAURLOrAPath(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"host=db.example password=S3cretPW dbname=x", "dbname=x password=S3cretPW", "password = 'S3cretPW'", "HOST=db PASSWORD=S3cretPW",
		"mysql://u:S3cretPW@h/db", "POSTGRES://u:S3cretPW@h/db", "postgres:u:S3cretPW@h/db",
	} {
		e := env("HOOKLOOP_REGISTRY="+bad, "HOOKLOOP_REGISTRY_KEY_FILE=k", "HOOKLOOP_JWT_SECRET="+secret)
		for _, role := range []config.Role{config.RoleServe, config.RoleWorker, config.RoleMigrate, config.RoleReseal} {
			_, err := config.ReadService(e, role)
			require.ErrorContains(t, err, "HOOKLOOP_REGISTRY is", bad)
			require.NotContains(t, err.Error(), "S3cretPW")
		}
		for _, s := range config.Settings(e) {
			if !strings.HasPrefix(bad, "postgres:u") { // an odd file name, for all that can be told
				require.NotContains(t, s.Value, "S3cretPW")
			}
		}
	}
	for _, good := range []string{"r.db", "/var/lib/a b/r=1.db", "./port=x.db", `C:\data\r.db`, "postgres://u:p@h/db?sslmode=require", "postgresql://h/db"} {
		_, err := config.ReadService(env("HOOKLOOP_REGISTRY="+good, "HOOKLOOP_REGISTRY_KEY_FILE=k", "HOOKLOOP_JWT_SECRET="+secret), config.RoleServe)
		require.NoError(t, err, good)
	}
	for _, s := range config.Settings(env("HOOKLOOP_JWT_JWKS_URL=https://idp/x?api_key=S3cretKEY&v=2")) {
		require.NotContains(t, s.Value, "S3cretKEY")
	}
}

// TestOwnGateway: an environment with a key for tokens leads to its own gateway, at an address that
// can be dialled.
func TestOwnGateway(t *testing.T) {
	t.Parallel()
	key := "HOOKLOOP_JWT_SECRET=" + secret
	for want, e := range map[string]config.Env{
		"http://127.0.0.1:8080":     env(key, "HOOKLOOP_REGISTRY=r.db"),
		"http://127.0.0.1:9000":     env(key, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_LISTEN=0.0.0.0:9000"),
		"http://127.0.0.1:9001":     env("HOOKLOOP_JWT_JWKS_URL=https://idp", "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_LISTEN=:9001"),
		"http://127.0.0.1:9002":     env(key, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_LISTEN=[::]:9002"),
		"http://10.1.2.3:9003":      env(key, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_LISTEN=10.1.2.3:9003"),
		"https://hooks.example.com": env(key, "HOOKLOOP_GATEWAY=https://hooks.example.com"),
	} {
		require.Equal(t, want, config.ReadClient(e).Own)
	}
	for _, e := range []config.Env{
		env(), env(key), env("HOOKLOOP_REGISTRY=r.db"), env("HOOKLOOP_GATEWAY=http://g"), // a worker's, or a client's
		env(key, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_LISTEN=127.0.0.1:0"),
	} {
		require.Empty(t, config.ReadClient(e).Own)
	}
}

// TestDeployment: half a version is none, and would be noticed only when Temporal gives it no work.
func TestDeployment(t *testing.T) {
	t.Parallel()
	read := func(with ...string) (config.Deployment, error) {
		s, err := config.ReadService(env(append(with, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_REGISTRY_KEY_FILE=k")...), config.RoleWorker)
		return s.Deployment, err
	}
	d, err := read()
	require.NoError(t, err)
	require.Zero(t, d)
	d, err = read("HOOKLOOP_DEPLOYMENT_NAME=hookloop", "HOOKLOOP_DEPLOYMENT_BUILD_ID=0.2.0+g1a2b")
	require.NoError(t, err)
	require.Equal(t, config.Deployment{Name: "hookloop", BuildID: "0.2.0+g1a2b"}, d)
	for _, bad := range [][]string{
		{"HOOKLOOP_DEPLOYMENT_NAME=hookloop"},
		{"HOOKLOOP_DEPLOYMENT_BUILD_ID=1"},
		{"HOOKLOOP_DEPLOYMENT_NAME=hook.loop", "HOOKLOOP_DEPLOYMENT_BUILD_ID=1"},
		{"HOOKLOOP_DEPLOYMENT_NAME=hookloop", "HOOKLOOP_DEPLOYMENT_BUILD_ID=a b"},
	} {
		_, err := read(bad...)
		require.ErrorContains(t, err, "HOOKLOOP_DEPLOYMENT_", bad)
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	s, _ := config.ReadService(env("HOOKLOOP_TRUSTED_PROXIES=10.1.2.3, 10.20.0.9/24 fd00::1"), config.RoleServe)
	require.Equal(t, "[10.1.2.3/32 10.20.0.0/24 fd00::1/128]", fmt.Sprint(s.Proxies))
	for _, bad := range []string{"proxy", "0.0.0.0/0", "10.0.0.1,::/0"} {
		_, err := config.ReadService(env("HOOKLOOP_TRUSTED_PROXIES="+bad), config.RoleServe)
		require.ErrorContains(t, err, "HOOKLOOP_TRUSTED_PROXIES must", bad)
	}
}

// TestOpsApart: what tells the operator's machines how a process is has an address of its own,
// unless it is given the gateway's.
func TestOpsApart(t *testing.T) {
	t.Parallel()
	for listen, apart := range map[string]bool{"127.0.0.1:9000": true, "127.0.0.1:8081": false, "127.0.0.1:0": true} {
		e := env("HOOKLOOP_LISTEN="+listen, "HOOKLOOP_REGISTRY=r.db", "HOOKLOOP_REGISTRY_KEY_FILE=k", "HOOKLOOP_JWT_SECRET="+secret)
		s, err := config.ReadService(e, config.RoleGateway)
		require.NoError(t, err)
		require.Equal(t, apart, s.OpsApart(), listen)
	}
}

func TestAllowNetworks(t *testing.T) {
	t.Parallel()
	e, err := config.ReadEverywhere(env("HOOKLOOP_ALLOW_NETWORKS=10.1.2.3/16, 127.0.0.0/8 fd00::/8,169.254.169.254/32"))
	require.NoError(t, err)
	require.Equal(t, "[10.1.0.0/16 127.0.0.0/8 fd00::/8 169.254.169.254/32]", fmt.Sprint(e.AllowNetworks))
	for _, bad := range []string{"10.0.0.0", "x", "0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/0", "126.0.0.0/7", "168.0.0.0/5", "fe00::/8", "::/64"} {
		_, err := config.ReadEverywhere(env("HOOKLOOP_ALLOW_NETWORKS=" + bad))
		require.ErrorContains(t, err, "HOOKLOOP_ALLOW_NETWORKS ", bad)
	}
}

// TestEverySettingStandsOnce: as a field with a name and a sentence, and no variable twice.
func TestEverySettingStandsOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range config.Settings(env()) {
		require.Regexp(t, `^HOOKLOOP_[A-Z_]+$`, s.Name)
		require.NotEmpty(t, s.About, s.Name)
		require.False(t, seen[s.Name], s.Name)
		seen[s.Name] = true
	}
}

func TestReadOIDC(t *testing.T) {
	t.Parallel()
	all := []string{"HOOKLOOP_OIDC_ISSUER=https://id.example.com/", "HOOKLOOP_OIDC_CLIENT_ID=console", "HOOKLOOP_CONSOLE_URL=https://hooks.example.com/", "HOOKLOOP_OIDC_SCOPES=hooks, groups"}
	e, err := config.ReadEverywhere(env(all...))
	require.NoError(t, err)
	require.Equal(t, config.OIDC{Issuer: "https://id.example.com/", ClientID: "console", Scopes: config.Words{"hooks", "groups"}}, e.OIDC, "its slash belongs to an issuer")
	require.EqualValues(t, "https://hooks.example.com", e.ConsoleURL)
	for missing := range 3 {
		some := slices.Delete(slices.Clone(all), missing, missing+1)
		_, err := config.ReadEverywhere(env(some...))
		require.ErrorContains(t, err, "go together", some)
	}
	for issuer, good := range map[string]bool{
		"http://localhost:5556/dex": true, "http://127.0.0.1:9": true, "http://[::1]:9": true,
		"http://id.example.com": false, "http://10.0.0.7": false, "id.example.com": false, "https://id.example.com/?x=1": false,
	} {
		_, err := config.ReadEverywhere(env(append(slices.Clone(all[1:]), "HOOKLOOP_OIDC_ISSUER="+issuer)...))
		require.Equal(t, good, err == nil, issuer)
	}
}

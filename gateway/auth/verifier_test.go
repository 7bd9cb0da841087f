package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
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

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// patience is far more than any wait here takes on a busy machine.
const patience = 2 * time.Minute

var hmacKey = []byte("0123456789abcdef0123456789abcdef")

func everything() jwt.MapClaims {
	return jwt.MapClaims{"iss": "hookloop", "aud": "hookloop", "sub": "tester", "exp": time.Now().Add(time.Hour).Unix()}
}

func TestVerifierConfigurations(t *testing.T) {
	t.Parallel()
	good := auth.Config{Issuer: "i", Audience: "a"}
	empty := filepath.Join(t.TempDir(), "empty.json")
	require.NoError(t, os.WriteFile(empty, []byte(`{"keys":[]}`), 0o600))
	junk := filepath.Join(t.TempDir(), "junk.json")
	require.NoError(t, os.WriteFile(junk, []byte(`whsec_junk`), 0o600))
	for says, change := range map[string]func(*auth.Config){
		"exactly one":           func(*auth.Config) {},
		"one of a secret":       func(c *auth.Config) { c.Secret, c.JWKSURL = hmacKey, "https://example.com" },
		"at least 32":           func(c *auth.Config) { c.Secret = hmacKey[:31] },
		"Issuer and":            func(c *auth.Config) { c.Secret, c.Issuer = hmacKey, "" },
		"no such file":          func(c *auth.Config) { c.JWKSFile = empty + "x" },
		"holds no key":          func(c *auth.Config) { c.JWKSFile = empty },
		"not a JSON Web Key":    func(c *auth.Config) { c.JWKSFile = junk },
		"not an http or https ": func(c *auth.Config) { c.JWKSURL = "file:///etc/keys" },
	} {
		c := good
		change(&c)
		_, err := auth.New(c)
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

	for _, c := range []auth.Config{{JWKSFile: file}, {JWKSURL: srv.URL, Fetch: jwksFetcher(t)}} {
		c.Issuer, c.Audience = "hookloop", "hookloop"
		v, err := auth.New(c)
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
			require.Equal(t, api.Unauthenticated, webhook.CodeOf(err), "%s: %v", name, err)
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
	v, err := auth.New(auth.Config{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()

	next := newIssuer(t)
	i.publish(t, map[string]crypto.Signer{"next": next.ecdsa})
	_, err = v.Verify(t.Context(), next.sign(t, jwt.SigningMethodES256, next.ecdsa, "next"))
	require.NoError(t, err)
	asked := int64(0)
	for n := range 20 {
		_, err = v.Verify(t.Context(), next.sign(t, jwt.SigningMethodES256, next.ecdsa, "made up"))
		require.Equal(t, api.Unauthenticated, webhook.CodeOf(err))
		if n == 0 { // the first may make one look
			asked = i.asked.Load()
		}
	}
	require.Equal(t, asked, i.asked.Load())
}

func TestKeysOutOfReachAreNotTheTokensFault(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.down.Store(true)
	srv := httptest.NewServer(i)
	defer srv.Close()
	v, err := auth.New(auth.Config{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()
	_, err = v.Verify(t.Context(), i.sign(t, jwt.SigningMethodES256, i.ecdsa, ""))
	_, away := errors.AsType[*auth.AwayError](err)
	require.True(t, away, "%v", err)
}

func TestKeysComeBack(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.down.Store(true)
	srv := httptest.NewServer(i)
	defer srv.Close()
	v, err := auth.New(auth.Config{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()
	i.down.Store(false)
	token := i.sign(t, jwt.SigningMethodES256, i.ecdsa, "")
	require.Eventually(t, func() bool {
		_, err = v.Verify(t.Context(), token)
		return err == nil
	}, patience, 10*time.Millisecond)
}

func sign(t *testing.T, c jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c).SignedString(hmacKey)
	require.NoError(t, err)
	return s
}
